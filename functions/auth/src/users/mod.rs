//! The people who may sign in.

mod mysql;
mod older;
mod row;
mod setting;
mod sqlite;

pub use setting::{InvalidUsersUrl, UsersSetting, UsersUrl};

use crate::throttle::Throttle;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_events::Username;
use secrecy::SecretString;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Somebody who may sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// Their mail address.
    pub username: Username,
    /// What their password is compared with.
    pub password: StoredPassword,
    /// Whether they see everybody's jobs.
    pub admin: bool,
    /// When they were added. Nobody knows of people of the older system.
    pub created_at: Option<DateTime<Utc>>,
}

/// A password as a database has it.
#[derive(Debug, Clone)]
pub enum StoredPassword {
    /// Its hash, as a PHC string.
    Hash(String),
    /// The password itself, in the older system's table.
    PlainText(SecretString),
}

/// What the older system's table has.
#[derive(Debug)]
pub struct OlderUsers {
    /// Who isn't in our own table yet.
    pub to_import: Vec<User>,
    /// How many of them were: theirs are gone from the older table now.
    pub here_already: usize,
    /// How many rows have no mail address.
    pub without_address: usize,
}

/// The users in a database.
#[async_trait]
pub trait Users: Send + Sync {
    /// Asks whether the database answers and has its tables.
    async fn ping(&self) -> Result<(), Error>;

    /// The user of this name.
    async fn find(&self, username: &Username) -> Result<Option<User>, Error>;

    /// Adds a user. `false` if there is one of this name already, who stays as they are.
    async fn add(
        &self,
        username: &Username,
        password_hash: &str,
        admin: bool,
    ) -> Result<bool, Error>;

    /// Everyone, by name.
    async fn list(&self) -> Result<Vec<User>, Error>;

    /// Changes a password. `false` if there is no such user.
    async fn set_password(&self, username: &Username, password_hash: &str) -> Result<bool, Error>;

    /// Removes a user. `false` if there is no such user.
    async fn remove(&self, username: &Username) -> Result<bool, Error>;

    /// Moves somebody of the older system into our own table, with this hash of their password, and forgets the
    /// password itself. `false` if that isn't their password any more, or somebody else moved or removed them.
    async fn take_over(&self, user: &User, password_hash: &str) -> Result<bool, Error>;

    /// The older system's table, if there is one that may be read. Forgets those in it who are in our own.
    async fn older(&self) -> Result<Option<OlderUsers>, Error>;
}

/// One database: the users and the count of failed logins.
#[derive(Clone)]
pub struct Database {
    /// The users.
    pub users: Arc<dyn Users>,
    /// The count.
    pub throttle: Arc<dyn Throttle>,
}

/// Why the database didn't do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database can't be opened.
    #[error("{} can't be opened; `decant-auth migrate` makes a database", .0.display())]
    Unopenable(PathBuf, #[source] sqlx::Error),
    /// The file or its lock can't be made.
    #[error("{} can't be made", .0.display())]
    Unmakable(PathBuf, #[source] std::io::Error),
    /// The server can't be reached, or lets nobody in.
    #[error("no connection to {0}")]
    Unreachable(String, #[source] sqlx::Error),
    /// The server is there and says nothing.
    #[error("no answer from the database within {} seconds", .0.as_secs())]
    Silent(Duration),
    /// The tables are missing or not those of this version.
    #[error(
        "the database lacks tables, or these may not be read; `decant-auth migrate` makes them"
    )]
    NoTables(#[source] sqlx::Error),
    /// Somebody else migrates, and takes long.
    #[error("another migration is under way; try again when it has ended")]
    MigrationUnderWay,
    /// A migration failed.
    #[error("the database can't be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A query failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
