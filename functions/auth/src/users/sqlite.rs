use super::{Database, Error, OlderUsers, User, Users, row::UserRow};
use crate::throttle::{Clock, SqliteThrottle};
use async_trait::async_trait;
use decant_events::Username;
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a query waits for another's write, in this process or elsewhere.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn open(path: &Path, clock: Clock) -> Result<Database, Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options(path))
        .await
        .map_err(|error| Error::Unopenable(path.into(), error))?;
    Ok(Database {
        users: Arc::new(SqliteUsers(pool.clone())),
        throttle: Arc::new(SqliteThrottle::new(pool, clock)),
    })
}

/// SQLite has no lock that spans all migrations, and the switch to WAL doesn't wait for one: a file is the lock.
pub(super) async fn migrate(path: &Path) -> Result<(), Error> {
    let unmakable = |error| Error::Unmakable(path.into(), error);
    let _lock = lock(path).await.map_err(unmakable)?;
    make_private(path).map_err(unmakable)?;
    let mut connection = options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .map_err(|error| Error::Unopenable(path.into(), error))?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
}

/// Waits for the lock beside the database. It ends with the file handle, so with the process at the latest.
async fn lock(path: &Path) -> io::Result<File> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let locked = tokio::task::spawn_blocking(move || {
        let file = open_private(&lock_path)?;
        file.lock()?;
        Ok(file)
    });
    locked.await.map_err(io::Error::other)?
}

/// The hashes are nobody else's business: SQLite gives its other files the mode of the first.
fn make_private(path: &Path) -> io::Result<()> {
    open_private(path).map(drop)
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

struct SqliteUsers(SqlitePool);

const SELECT_ALL: &str = "SELECT username, password_hash, admin, created_at * 1000 AS created_at
     FROM users ORDER BY username";
const SELECT_ONE: &str = "SELECT username, password_hash, admin, created_at * 1000 AS created_at
     FROM users WHERE username = ?";

#[async_trait]
impl Users for SqliteUsers {
    async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT EXISTS (SELECT 1 FROM users), EXISTS (SELECT 1 FROM login_attempts)")
            .fetch_optional(&self.0)
            .await?;
        Ok(())
    }

    async fn find(&self, username: &Username) -> Result<Option<User>, Error> {
        let row: Option<UserRow> = sqlx::query_as(SELECT_ONE)
            .bind(username.as_str())
            .fetch_optional(&self.0)
            .await?;
        row.map(User::try_from).transpose()
    }

    async fn add(
        &self,
        username: &Username,
        password_hash: &str,
        admin: bool,
    ) -> Result<bool, Error> {
        let added = sqlx::query(
            "INSERT INTO users (username, password_hash, admin) VALUES (?, ?, ?)
             ON CONFLICT (username) DO NOTHING",
        )
        .bind(username.as_str())
        .bind(password_hash)
        .bind(admin)
        .execute(&self.0)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    async fn list(&self) -> Result<Vec<User>, Error> {
        let rows: Vec<UserRow> = sqlx::query_as(SELECT_ALL).fetch_all(&self.0).await?;
        rows.into_iter().map(User::try_from).collect()
    }

    async fn set_password(&self, username: &Username, password_hash: &str) -> Result<bool, Error> {
        let changed = sqlx::query("UPDATE users SET password_hash = ? WHERE username = ?")
            .bind(password_hash)
            .bind(username.as_str())
            .execute(&self.0)
            .await?;
        Ok(changed.rows_affected() == 1)
    }

    async fn remove(&self, username: &Username) -> Result<bool, Error> {
        let removed = sqlx::query("DELETE FROM users WHERE username = ?")
            .bind(username.as_str())
            .execute(&self.0)
            .await?;
        Ok(removed.rows_affected() == 1)
    }
    async fn take_over(&self, _: &User, _: &str) -> Result<bool, Error> {
        Ok(false) // the older system never was in SQLite
    }

    async fn older(&self) -> Result<Option<OlderUsers>, Error> {
        Ok(None)
    }
}
