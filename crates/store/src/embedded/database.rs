use super::{blocking, folder, record};
use crate::{Error, Job};
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
        SqliteSynchronous,
    },
};
use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

pub(super) const DATABASE: &str = "jobs.db";
pub(super) const LOCK: &str = "jobs.lock";

/// How long a statement waits for those of other connections and processes. They hold the lock through an fsync, and on
/// a disk that compiles something else too single ones of 4 s were measured, queues of them of over 15 s.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Job records in SQLite.
pub(super) struct Database {
    pool: SqlitePool,
}

impl Database {
    pub(super) async fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(DATABASE);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            // With a write-ahead log, NORMAL may lose the last commits when the power goes.
            .synchronous(SqliteSynchronous::Full);
        migrate(folder, options.clone()).await?;

        // Open connections would not notice that the folder was renamed or replaced: they follow the file.
        let opened = identity(&path);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(2 * BUSY_TIMEOUT)
            .before_acquire(move |_, _| {
                let in_place = identity(&path) == opened;
                Box::pin(async move { Ok(in_place) })
            })
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Every row that the statement gives.
    ///
    /// Statements run to their end (`fetch_all`): sqlx's `fetch_one` and `fetch_optional` stop at the first row, and then
    /// SQLite commits while the statement is reset, where sqlx drops the error of a commit that fails.
    pub(super) async fn rows(&self, query: Sql<'_>) -> Result<Vec<SqliteRow>, Error> {
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// The job that the statement gives (`SELECT *`, `RETURNING *`), if it gives one.
    pub(super) async fn job(&self, query: Sql<'_>) -> Result<Option<Job>, Error> {
        let rows = self.rows(query).await?;
        rows.first().map(record::job).transpose()
    }

    /// Begins what is kept as a whole when it is committed, or not at all. It waits for other writers here, and only here.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// How many rows the statement changed.
    pub(super) async fn change(&self, query: Sql<'_>) -> Result<u64, Error> {
        Ok(query.execute(&self.pool).await?.rows_affected())
    }

    /// Runs a change that compares a lease.
    pub(super) async fn change_leased(&self, query: Sql<'_>) -> Result<(), Error> {
        match self.change(query).await? {
            0 => Err(Error::LeaseLost),
            _ => Ok(()),
        }
    }
}

/// A statement with its values.
pub(super) type Sql<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A duration as SQLite gets it: whole milliseconds, at most a century, so that sums with it fit.
pub(super) fn millis(duration: Duration) -> i64 {
    const CENTURY: i64 = 100 * 365 * 24 * 3600 * 1000;
    i64::try_from(duration.as_millis()).map_or(CENTURY, |ms| ms.min(CENTURY))
}

/// Under a lock file, because sqlx takes no lock on SQLite and two processes would run the same migration, and because
/// the change to a write-ahead log doesn't wait for other connections.
async fn migrate(folder: &Path, options: SqliteConnectOptions) -> Result<(), Error> {
    let folder = folder.to_owned();
    let _lock = blocking(move || folder::lock(&folder)).await?;
    // A pool, because the future of `run` on a connection isn't Send.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.journal_mode(SqliteJournalMode::Wal))
        .await?;
    let migrated = MIGRATIONS.run(&pool).await;
    pool.close().await;
    Ok(migrated?)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) => match primary_code(cause.as_ref()) {
                Some(SQLITE_FULL) => Self::Full(error.into()),
                Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Self::Corrupt(error.to_string()),
                _ => Self::Unavailable(error.into()),
            },
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => cause.into(),
            // Such as a database that a newer Decant has migrated.
            other => Self::Corrupt(other.to_string()),
        }
    }
}

// https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_NOTADB: u32 = 26;

/// SQLite's result code without its extension, which is in the higher bytes.
fn primary_code(cause: &dyn sqlx::error::DatabaseError) -> Option<u32> {
    let code: u32 = cause.code()?.parse().ok()?;
    Some(code & 0xff)
}
