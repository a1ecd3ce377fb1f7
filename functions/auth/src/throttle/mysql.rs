use super::{
    Account, Admission, AttemptId, Clock, FAILURES_PER_ACCOUNT, FAILURES_PER_NETWORK, Network,
    Throttle,
    sql::{self, admission_over},
};
use crate::{
    mysql::{self, Connections},
    users::Error,
};
use async_trait::async_trait;
use sqlx::{MySqlConnection, mysql::MySqlQueryResult};

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
                Ok(admit(connection, account, network, now).await?)
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

admission_over!(MySqlConnection);

fn id_of(written: &MySqlQueryResult) -> AttemptId {
    AttemptId(written.last_insert_id().cast_signed())
}
