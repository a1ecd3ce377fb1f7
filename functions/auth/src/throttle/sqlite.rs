use super::{
    Account, Admission, AttemptId, Clock, FAILURES_PER_ACCOUNT, FAILURES_PER_NETWORK, Network,
    Throttle,
    sql::{self, PENDING_MS, WINDOW_MS, seconds},
};
use crate::users::Error;
use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};

/// The count of failed logins in SQLite.
pub(crate) struct SqliteThrottle {
    pool: SqlitePool,
    clock: Clock,
}

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
        sqlx::query(sql::FAILED)
            .bind(attempt.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn succeeded(&self, attempt: AttemptId, account: &Account) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(sql::TAKE_BACK)
            .bind(attempt.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sql::CLEAR_EARLIER)
            .bind(&account.0[..])
            .bind(attempt.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn clear(&self, account: &Account) -> Result<(), Error> {
        sqlx::query(sql::CLEAR)
            .bind(&account.0[..])
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

async fn prune(connection: &mut SqliteConnection, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query(sql::PRUNE)
        .bind(now - WINDOW_MS)
        .execute(connection)
        .await?;
    Ok(())
}

/// When the later of the two limits allows another attempt, if one is reached.
async fn throttled_until(
    connection: &mut SqliteConnection,
    account: &Account,
    network: &Network,
    now: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let decisive: Option<i64> = sqlx::query_scalar(sql::DECISIVE_FAILURE)
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
    sqlx::query_scalar(sql::CROWDED)
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
    let written = sqlx::query(sql::WRITE)
        .bind(&account.0[..])
        .bind(&network.0)
        .bind(now)
        .bind(now + PENDING_MS)
        .execute(connection)
        .await?;
    Ok(AttemptId(written.last_insert_rowid()))
}
