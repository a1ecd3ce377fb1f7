use super::{
    Account, Admission, AttemptId, Clock, FAILURES_PER_ACCOUNT, FAILURES_PER_NETWORK, Network,
    PENDING, Throttle, WINDOW,
};
use crate::users::Error;
use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};

/// The count of failed logins in SQLite.
pub(crate) struct SqliteThrottle {
    pool: SqlitePool,
    clock: Clock,
}

const WINDOW_MS: i64 = WINDOW.as_millis() as i64;
const PENDING_MS: i64 = PENDING.as_millis() as i64;

impl SqliteThrottle {
    pub(crate) fn new(pool: SqlitePool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// Milliseconds since 1970.
    async fn now(&self, connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT coalesce(?, CAST(unixepoch('subsec') * 1000 AS INTEGER))")
            .bind(self.clock.told())
            .fetch_one(connection)
            .await
    }
}

#[async_trait]
impl Throttle for SqliteThrottle {
    async fn begin(&self, account: &Account, network: &Network) -> Result<Admission, Error> {
        // The only writer from here to the commit: what is counted is still true when the attempt is written.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let now = self.now(&mut transaction).await?;
        prune(&mut transaction, now).await?;
        let admission = match throttled_until(&mut transaction, account, network, now).await? {
            Some(until) => Admission::Throttled {
                retry_after_s: seconds(until - now),
            },
            None if crowded(&mut transaction, account, network).await? => Admission::Crowded,
            None => Admission::Admitted(write(&mut transaction, account, network, now).await?),
        };
        transaction.commit().await?;
        Ok(admission)
    }

    async fn failed(&self, attempt: AttemptId) -> Result<(), Error> {
        sqlx::query("UPDATE login_attempts SET pending_until = 0 WHERE id = ?")
            .bind(attempt.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn succeeded(&self, attempt: AttemptId, account: &Account) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM login_attempts WHERE id = ?")
            .bind(attempt.0)
            .execute(&mut *transaction)
            .await?;
        // Attempts that began later are others': they keep counting.
        sqlx::query("UPDATE login_attempts SET account = NULL WHERE account = ? AND id < ?")
            .bind(&account.0[..])
            .bind(attempt.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn clear(&self, account: &Account) -> Result<(), Error> {
        sqlx::query("UPDATE login_attempts SET account = NULL WHERE account = ?")
            .bind(&account.0[..])
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

async fn prune(connection: &mut SqliteConnection, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM login_attempts WHERE attempted_at <= ?")
        .bind(now - WINDOW_MS)
        .execute(connection)
        .await?;
    Ok(())
}

/// When the later of the two limits allows another attempt, if one is reached. With a limit of five it is the fifth
/// newest failure that has to leave the window.
async fn throttled_until(
    connection: &mut SqliteConnection,
    account: &Account,
    network: &Network,
    now: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let decisive: Option<i64> = sqlx::query_scalar(
        "SELECT max(attempted_at) FROM (
             SELECT * FROM (
                 SELECT attempted_at FROM login_attempts WHERE account = ? AND pending_until <= ?
                 ORDER BY attempted_at DESC LIMIT 1 OFFSET ?)
             UNION ALL
             SELECT * FROM (
                 SELECT attempted_at FROM login_attempts WHERE network = ? AND pending_until <= ?
                 ORDER BY attempted_at DESC LIMIT 1 OFFSET ?))",
    )
    .bind(&account.0[..])
    .bind(now)
    .bind(FAILURES_PER_ACCOUNT - 1)
    .bind(&network.0)
    .bind(now)
    .bind(FAILURES_PER_NETWORK - 1)
    .fetch_one(connection)
    .await?;
    Ok(decisive.map(|attempted_at| attempted_at + WINDOW_MS))
}

async fn crowded(
    connection: &mut SqliteConnection,
    account: &Account,
    network: &Network,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM login_attempts WHERE account = ?) >= ?
             OR (SELECT count(*) FROM login_attempts WHERE network = ?) >= ?",
    )
    .bind(&account.0[..])
    .bind(FAILURES_PER_ACCOUNT)
    .bind(&network.0)
    .bind(FAILURES_PER_NETWORK)
    .fetch_one(connection)
    .await
}

async fn write(
    connection: &mut SqliteConnection,
    account: &Account,
    network: &Network,
    now: i64,
) -> Result<AttemptId, sqlx::Error> {
    let written = sqlx::query(
        "INSERT INTO login_attempts (account, network, attempted_at, pending_until)
         VALUES (?, ?, ?, ?)",
    )
    .bind(&account.0[..])
    .bind(&network.0)
    .bind(now)
    .bind(now + PENDING_MS)
    .execute(connection)
    .await?;
    Ok(AttemptId(written.last_insert_rowid()))
}

/// Whole seconds, rounded up: whoever comes back then is let in.
fn seconds(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds)
        .unwrap_or(0)
        .div_ceil(1000)
        .max(1)
}
