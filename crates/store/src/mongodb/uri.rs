use crate::InvalidStoreUrl;
use mongodb::options::ConnectionString;
use std::{fmt, str::FromStr};

/// Where a MongoDB is: `mongodb://…` or `mongodb+srv://…`. A database in its path is where its user is known, not where
/// anything is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoUri(String);

impl MongoUri {
    /// Whether the text names a MongoDB, rightly or not.
    pub(crate) fn is_meant_by(text: &str) -> bool {
        ["mongodb://", "mongodb+srv://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
    }

    /// The text as it was given, with its password.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

/// Without the user and the password.
impl fmt::Debug for MongoUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let place = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = place.rsplit_once('@').map_or(place, |(_, hosts)| hosts);
        write!(f, "{scheme}://{hosts}")
    }
}

impl FromStr for MongoUri {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The driver's own message may quote what was typed, and with it the password.
        ConnectionString::parse(text).map_err(|_| InvalidStoreUrl)?;
        Ok(Self(text.to_owned()))
    }
}
