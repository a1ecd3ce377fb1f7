use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding},
};
use rand::rngs::OsRng;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The Ed25519 key that tokens are signed with, and its public half.
pub struct KeyPair(SigningKey);

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file isn't there, or isn't ours to read.
    #[error("{} can't be read; `decant-auth keygen` makes a signing key", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is something else.
    #[error("{} is no Ed25519 key: expected PKCS#8 in PEM, as `decant-auth keygen` writes it", .0.display())]
    NoKey(PathBuf, #[source] ed25519_dalek::pkcs8::Error),
    /// The file can't be written.
    #[error("{} can't be written", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    /// The key can't be turned into PKCS#8.
    #[error("the key can't be encoded")]
    Unencodable(#[from] ed25519_dalek::pkcs8::Error),
}

impl KeyPair {
    /// Reads the key from a PKCS#8 PEM file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let pem =
            fs::read_to_string(path).map_err(|error| KeyError::Unreadable(path.into(), error))?;
        SigningKey::from_pkcs8_pem(&pem)
            .map(Self)
            .map_err(|error| KeyError::NoKey(path.into(), error))
    }

    /// Reads the key if the file is there, else makes one and writes it with mode 600. Of several processes that do
    /// this at once, one makes it and all get the same.
    pub fn read_or_generate(path: &Path) -> Result<Self, KeyError> {
        if path.symlink_metadata().is_ok() {
            return Self::read(path);
        }
        let keys = Self(SigningKey::generate(&mut OsRng));
        // Without the public half it is PKCS#8 version 1, which OpenSSL reads too.
        let pem = KeypairBytes {
            secret_key: keys.0.to_bytes(),
            public_key: None,
        }
        .to_pkcs8_pem(LineEnding::LF)?;
        let written = write_beside(path, pem.as_bytes(), 0o600)
            .and_then(|file| file.persist_noclobber(path).map_err(io::Error::from));
        match written {
            Ok(_) => Ok(keys),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(KeyError::Unwritable(path.into(), error)),
        }
    }

    /// Writes the JWKS, in place of one that is there.
    pub fn write_public_keys(&self, path: &Path) -> Result<(), KeyError> {
        write_beside(path, self.public_keys().as_bytes(), 0o644)
            .and_then(|file| file.persist(path).map_err(io::Error::from))
            .map(drop)
            .map_err(|error| KeyError::Unwritable(path.into(), error))
    }

    /// The JWKS (RFC 7517, RFC 8037) with the public half, as JSON.
    pub fn public_keys(&self) -> String {
        let key = json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": self.x(),
            "kid": self.id(),
            "alg": "EdDSA",
            "use": "sig",
        });
        json!({ "keys": [key] }).to_string()
    }

    /// The key's name in tokens and in the JWKS: its thumbprint (RFC 7638, RFC 8037 appendix A.3).
    pub fn id(&self) -> String {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    pub(crate) fn pkcs8_der(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.to_pkcs8_der()?.as_bytes().to_vec())
    }

    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public_key())
    }
}

/// A durable file in the folder of `path`, to be renamed to it: whoever reads `path` never sees a part.
fn write_beside(path: &Path, bytes: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".keygen")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // The key of appendix A.1, the thumbprint of appendix A.3.
        let secret = URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .expect("base64");
        let secret: [u8; 32] = secret.try_into().expect("32 bytes");
        let keys = KeyPair(SigningKey::from_bytes(&secret));
        assert_eq!(keys.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
