//! The people who may sign in.

mod sqlite;
mod url;

pub use url::{InvalidUsersUrl, UsersUrl};

use crate::throttle::Throttle;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_events::Username;
use std::{path::PathBuf, sync::Arc};

/// Somebody who may sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// Their mail address.
    pub username: Username,
    /// Their password's hash, as a PHC string.
    pub password_hash: String,
    /// Whether they see everybody's jobs.
    pub admin: bool,
    /// When they were added.
    pub created_at: DateTime<Utc>,
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
    /// A migration failed.
    #[error("the database can't be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A query failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
