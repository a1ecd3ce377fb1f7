use super::{
    Account, Admission, AttemptId, Clock, FAILURES_PER_ACCOUNT, FAILURES_PER_NETWORK, Network,
    Throttle,
    sql::{self, PENDING_MS, WINDOW_MS, seconds},
};
use crate::{
    mysql::{self, Connections},
    users::Error,
};
use async_trait::async_trait;
use sqlx::MySqlConnection;

/// The count of failed logins in MySQL.
pub(crate) struct MySqlThrottle {
    connections: Connections,
    clock: Clock,
}

impl MySqlThrottle {
    pub(crate) fn new(connections: Connections, clock: Clock) -> Self {
        Self { connections, clock }
    }

    /// Milliseconds since 1970.
    async fn now(&self, connection: &mut MySqlConnection) -> Result<i64, sqlx::Error> {
        match self.clock.told() {
            Some(now) => Ok(now),
            None => mysql::now(connection).await,
        }
    }
}

#[async_trait]
impl Throttle for MySqlThrottle {
    async fn begin(&self, account: &Account, network: &Network) -> Result<Admission, Error> {
        self.connections
            .alone(async |connection| {
                let now = self.now(connection).await?;
                prune(connection, now).await?;
                let until = throttled_until(connection, account, network, now).await?;
                if let Some(until) = until {
                    let retry_after_s = seconds(until - now);
                    return Ok(Admission::Throttled { retry_after_s });
                }
                if crowded(connection, account, network).await? {
                    return Ok(Admission::Crowded);
                }
                let attempt = write(connection, account, network, now).await?;
                Ok(Admission::Admitted(attempt))
            })
            .await
    }

    async fn failed(&self, attempt: AttemptId) -> Result<(), Error> {
        self.connections
            .run(async |connection| {
                let failed = sqlx::query(sql::FAILED).bind(attempt.0);
                failed.execute(connection).await?;
                Ok(())
            })
            .await
    }

    async fn succeeded(&self, attempt: AttemptId, account: &Account) -> Result<(), Error> {
        self.connections
            .alone(async |connection| {
                sqlx::query(sql::TAKE_BACK)
                    .bind(attempt.0)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query(sql::CLEAR_EARLIER)
                    .bind(&account.0[..])
                    .bind(attempt.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
            .await
    }

    async fn clear(&self, account: &Account) -> Result<(), Error> {
        self.connections
            .alone(async |connection| {
                let cleared = sqlx::query(sql::CLEAR).bind(&account.0[..]);
                cleared.execute(connection).await?;
                Ok(())
            })
            .await
    }
}

async fn prune(connection: &mut MySqlConnection, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query(sql::PRUNE)
        .bind(now - WINDOW_MS)
        .execute(connection)
        .await?;
    Ok(())
}

/// When the later of the two limits allows another attempt, if one is reached.
async fn throttled_until(
    connection: &mut MySqlConnection,
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
    connection: &mut MySqlConnection,
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
    connection: &mut MySqlConnection,
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
    Ok(AttemptId(written.last_insert_id() as i64))
}
