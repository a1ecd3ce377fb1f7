use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Who a person is: their mail address, in lower case, so that `Kevin@Email.com` signs in as `kevin@email.com`.
///
/// Only the shape is checked here (one `@`, no white space or control characters, at most 254 bytes): whether mail
/// arrives is for the mail server to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

/// The text has not the shape of a mail address.
#[derive(Debug, thiserror::Error)]
#[error("expected a mail address such as kevin@email.com")]
pub struct InvalidUsername;

/// The longest address that fits into SMTP's path (RFC 5321, section 4.5.3.1.3).
const LONGEST_BYTES: usize = 254;

impl Username {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.trim().to_lowercase();
        let plain = |part: &str| {
            !part.is_empty()
                && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
        };
        match address.split_once('@') {
            Some((local, domain))
                if plain(local) && plain(domain) && address.len() <= LONGEST_BYTES =>
            {
                Ok(Self(address))
            }
            _ => Err(InvalidUsername),
        }
    }
}

impl TryFrom<String> for Username {
    type Error = InvalidUsername;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Username> for String {
    fn from(username: Username) -> Self {
        username.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_person_in_any_case() {
        assert_eq!(
            "Kevin@Email.com".parse::<Username>().ok(),
            "kevin@email.com".parse().ok()
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@email.com", "k".repeat(254));
        for text in [
            "",
            "kevin",
            "@email.com",
            "kevin@",
            "a@b@c",
            "a b@c",
            "a@b\r\nBcc: x@y",
            &long,
        ] {
            assert!(text.parse::<Username>().is_err(), "{text:?} was taken");
        }
    }
}
