use super::{Database, Error, sqlite};
use crate::throttle::Clock;
use std::{path::PathBuf, str::FromStr};

/// Where the users live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsersUrl {
    /// `sqlite:PATH`: a file, for one machine.
    Sqlite(PathBuf),
}

/// The text names no place for users.
#[derive(Debug, thiserror::Error)]
#[error("expected sqlite:PATH such as sqlite:/data/users.db")]
pub struct InvalidUsersUrl;

impl UsersUrl {
    /// Opens the database, which [`migrate`](Self::migrate) made before.
    pub async fn open(&self, clock: Clock) -> Result<Database, Error> {
        match self {
            Self::Sqlite(path) => sqlite::open(path, clock).await,
        }
    }

    /// Makes the database where there is none and brings its tables up to date. Safe while others do the same.
    pub async fn migrate(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(path) => sqlite::migrate(path).await,
        }
    }
}

impl FromStr for UsersUrl {
    type Err = InvalidUsersUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_prefix("sqlite:").ok_or(InvalidUsersUrl)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        // In memory every connection would have users of its own.
        if path.is_empty() || path.ends_with('/') || path == ":memory:" {
            return Err(InvalidUsersUrl);
        }
        Ok(Self::Sqlite(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_after_sqlite_is_a_place_for_users() {
        for (text, path) in [
            ("sqlite:users.db", "users.db"),
            ("sqlite:/data/users.db", "/data/users.db"),
            ("sqlite:///data/users.db", "/data/users.db"),
            ("sqlite:/data/what?.db", "/data/what?.db"),
        ] {
            assert_eq!(text.parse().ok(), Some(UsersUrl::Sqlite(path.into())));
        }
    }

    #[test]
    fn other_text_is_no_place_for_users() {
        for text in [
            "",
            "users.db",
            "sqlite:",
            "sqlite:/data/",
            "sqlite::memory:",
            "oracle://db",
        ] {
            assert!(text.parse::<UsersUrl>().is_err(), "{text:?} was taken");
        }
    }
}
