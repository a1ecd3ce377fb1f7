use crate::FileId;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::str::FromStr;

/// A link that downloads one MP3 without a token until it expires. `notify` signs it, `upload` verifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadLink {
    /// The MP3.
    pub id: FileId,
    /// When the link ends, in seconds since 1970.
    pub expires: u64,
    /// Base64url of the HMAC-SHA256 over id and expiry.
    pub signature: String,
}

/// The link was changed, or signed with another secret, or its time is over.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidLink {
    /// The signature is not ours.
    #[error("the link's signature does not fit")]
    Forged,
    /// The signature is ours, the time is over.
    #[error("the link has expired")]
    Expired,
}

impl DownloadLink {
    /// Signs a link to `id` that ends at `expires` (seconds since 1970).
    pub fn sign(secret: &LinkSecret, id: FileId, expires: u64) -> Self {
        Self {
            id,
            expires,
            signature: secret.sign(&text(id, expires)),
        }
    }

    /// Checks the link at the time `now` (seconds since 1970), comparing in constant time.
    pub fn verify(&self, secret: &LinkSecret, now: u64) -> Result<(), InvalidLink> {
        if !secret.verify(&text(self.id, self.expires), &self.signature) {
            return Err(InvalidLink::Forged);
        }
        if now < self.expires {
            Ok(())
        } else {
            Err(InvalidLink::Expired)
        }
    }

    /// The link's query string. Every character in it is safe in a URL and in HTML.
    pub fn query(&self) -> String {
        format!(
            "id={}&expires={}&signature={}",
            self.id, self.expires, self.signature
        )
    }
}

fn text(id: FileId, expires: u64) -> String {
    format!("decant download {id} {expires}")
}

/// What `notify` and `upload` share to sign and verify links: at least 32 characters. `upload` seals the browsers' sessions
/// with it too.
#[derive(Debug, Clone)]
pub struct LinkSecret(SecretString);

/// The secret is too short to resist guessing.
#[derive(Debug, thiserror::Error)]
#[error("expected at least 32 characters, such as the output of `openssl rand -hex 32`")]
pub struct WeakLinkSecret;

impl LinkSecret {
    /// Base64url of the text's HMAC-SHA256. Every use begins its texts with words of its own, so that the signature of
    /// one never passes for another's.
    pub fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(text).finalize().into_bytes())
    }

    /// Whether it is the text's signature, compared in constant time.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature);
        signature.is_ok_and(|signature| self.mac(text).verify_slice(&signature).is_ok())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        // HMAC takes keys of any length: this can't fail.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.expose_secret().as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(text.as_bytes());
        mac
    }
}

impl FromStr for LinkSecret {
    type Err = WeakLinkSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().len() < 32 {
            return Err(WeakLinkSecret);
        }
        Ok(Self(text.trim().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> LinkSecret {
        text.repeat(32).parse().expect("32 characters are enough")
    }

    #[test]
    fn a_link_works_until_it_expires() {
        let link = DownloadLink::sign(&secret("s"), FileId::mint(), 1000);
        assert_eq!(link.verify(&secret("s"), 999), Ok(()));
        assert_eq!(link.verify(&secret("s"), 1000), Err(InvalidLink::Expired));
    }

    #[test]
    fn a_changed_link_is_forged() {
        let link = DownloadLink::sign(&secret("s"), FileId::mint(), 1000);
        let forgeries = [
            DownloadLink {
                id: FileId::mint(),
                ..link.clone()
            },
            DownloadLink {
                expires: 1001,
                ..link.clone()
            },
            DownloadLink {
                signature: String::new(),
                ..link.clone()
            },
            DownloadLink {
                signature: link.signature[..42].to_owned(),
                ..link.clone()
            },
        ];
        for forgery in forgeries {
            assert_eq!(forgery.verify(&secret("s"), 0), Err(InvalidLink::Forged));
        }
        assert_eq!(link.verify(&secret("t"), 0), Err(InvalidLink::Forged));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!("too short".parse::<LinkSecret>().is_err());
    }
}
