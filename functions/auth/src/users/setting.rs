use super::{Database, Error, mysql, sqlite};
use crate::{
    mysql::{MySqlUrl, migrate},
    throttle::Clock,
};
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, str::FromStr};

/// Where the users live.
#[derive(Debug, Clone, clap::Args)]
pub struct UsersSetting {
    /// Where the users live: `sqlite:PATH` or `mysql://USER@HOST/DATABASE`. `decant-auth migrate` makes the tables.
    #[arg(
        long = "users",
        env = "DECANT_USERS",
        value_name = "DECANT_USERS",
        hide_env_values = true
    )]
    url: UsersUrl,
    /// The password of `mysql://`, where that has none.
    #[arg(
        long,
        env = "MYSQL_PASSWORD",
        value_name = "MYSQL_PASSWORD",
        hide_env_values = true
    )]
    mysql_password: Option<SecretString>,
}

/// What `DECANT_USERS` may be.
#[derive(Debug, Clone)]
pub enum UsersUrl {
    /// `sqlite:PATH`: a file, for one machine.
    Sqlite(PathBuf),
    /// `mysql://…`: a server, for many.
    MySql(MySqlUrl),
}

/// The text names no place for users.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected sqlite:PATH such as sqlite:/data/users.db, or mysql://USER:PASSWORD@HOST:PORT/DATABASE such as mysql://auth_user@db/auth with MYSQL_PASSWORD"
)]
pub struct InvalidUsersUrl;

impl UsersSetting {
    /// Fails where there is no file to open, without opening it. A server may be away for a while.
    pub fn check(&self) -> Result<(), Error> {
        match self.url() {
            UsersUrl::Sqlite(path) => match path.metadata() {
                Ok(_) => Ok(()),
                Err(error) => Err(Error::Unopenable(path, error.into())),
            },
            UsersUrl::MySql(_) => Ok(()),
        }
    }

    /// Opens the database, which [`migrate`](Self::migrate) made before.
    pub async fn open(&self, clock: Clock) -> Result<Database, Error> {
        let database = match self.url() {
            UsersUrl::Sqlite(path) => sqlite::open(&path, clock).await?,
            UsersUrl::MySql(url) => mysql::open(&url, clock).await?,
        };
        database.users.ping().await.map_err(|error| match error {
            Error::Database(source @ sqlx::Error::Database(_)) => Error::NoTables(source),
            other => other,
        })?;
        Ok(database)
    }

    /// Makes the tables where there are none and brings them up to date; a file too. Safe while others do the same.
    pub async fn migrate(&self) -> Result<(), Error> {
        match self.url() {
            UsersUrl::Sqlite(path) => sqlite::migrate(&path).await,
            UsersUrl::MySql(url) => migrate(&url).await,
        }
    }

    /// Opens the database for a command. A file is made on the way; on a server the account of the command need not be
    /// allowed to make tables.
    pub(crate) async fn open_or_make(&self) -> Result<Database, Error> {
        if let UsersUrl::Sqlite(_) = self.url {
            self.migrate().await?;
        }
        self.open(Clock::Database).await
    }

    fn url(&self) -> UsersUrl {
        match (self.url.clone(), &self.mysql_password) {
            (UsersUrl::MySql(url), Some(password)) if !password.expose_secret().is_empty() => {
                UsersUrl::MySql(url.or_password(password))
            }
            (url, _) => url,
        }
    }
}

impl FromStr for UsersUrl {
    type Err = InvalidUsersUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(path) = text.strip_prefix("sqlite:") else {
            let url = text.parse().map_err(|()| InvalidUsersUrl)?;
            return Ok(Self::MySql(url));
        };
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
        for (text, expected) in [
            ("sqlite:users.db", "users.db"),
            ("sqlite:/data/users.db", "/data/users.db"),
            ("sqlite:///data/users.db", "/data/users.db"),
            ("sqlite:/data/what?.db", "/data/what?.db"),
        ] {
            match text.parse() {
                Ok(UsersUrl::Sqlite(path)) => assert_eq!(path.to_str(), Some(expected)),
                other => panic!("{text:?} is {other:?}"),
            }
        }
    }

    #[test]
    fn a_database_on_a_server_is_a_place_for_users() {
        for (text, shown) in [
            (
                "mysql://auth_user@db/auth",
                "mysql://auth_user@db:3306/auth",
            ),
            (
                "mysql://auth_user:p%2Fss%3Aw%23rd@db:3307/auth?ssl-mode=VERIFY_IDENTITY",
                "mysql://auth_user@db:3307/auth",
            ),
        ] {
            match text.parse() {
                Ok(UsersUrl::MySql(url)) => assert_eq!(url.to_string(), shown),
                other => panic!("{text:?} is {other:?}"),
            }
        }
    }

    #[test]
    fn a_password_isnt_shown_by_debug() {
        let url: UsersUrl = "mysql://u:hunter2@db/auth".parse().expect("a place");
        let setting = UsersSetting {
            url,
            mysql_password: Some("hunter2".into()),
        };
        assert!(!format!("{setting:?} {:?}", setting.url()).contains("hunter2"));
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
            "mysql://auth_user@db",
            "mysql://auth_user@db/",
            "mysql://auth_user@db/auth/users",
            "mysql://db/auth",
            "mysql://auth_user@db/auth?ssl-mode=maybe",
            "mysql:auth",
        ] {
            assert!(text.parse::<UsersUrl>().is_err(), "{text:?} was taken");
        }
    }
}
