use super::{
    Account, Admission, AttemptId, Clock, FAILURES_PER_ACCOUNT, FAILURES_PER_NETWORK, Network,
    Throttle,
    sql::{self, admission_over},
};
use crate::users::Error;
use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool, sqlite::SqliteQueryResult};

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
        let admission = admit(&mut transaction, account, network, now).await?;
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

admission_over!(SqliteConnection);

fn id_of(written: &SqliteQueryResult) -> AttemptId {
    AttemptId(written.last_insert_rowid())
}
