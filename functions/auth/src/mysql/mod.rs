//! What users and throttle need of MySQL and MariaDB: where it is, connections, and one writer at a time.
//!
//! Only what both servers know is used. Names are compared byte by byte, times are milliseconds since 1970 by the
//! server's clock.

mod migrate;
mod url;

pub(crate) use migrate::migrate;
pub use url::MySqlUrl;

use crate::users::Error;
use sqlx::{
    Connection, Executor, MySql, MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    pool::PoolConnection,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a connection is waited for, and then again how long its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Each statement sees what is committed when it begins, so that one after the lock sees what the lock's last holder
/// wrote. A lock is waited for shorter than an answer. A session whose client is gone without a word ends after a
/// minute, and its locks with it.
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
     SET SESSION innodb_lock_wait_timeout = 4, wait_timeout = 60";

/// Connections to the server. One that was lost is made anew by whoever needs one.
#[derive(Clone)]
pub(crate) struct Connections(MySqlPool);

impl Connections {
    /// Makes the first one: who can't, knows why.
    pub(crate) async fn open(url: &MySqlUrl) -> Result<Self, Error> {
        connect(url).await?.close().await?;
        let pool = MySqlPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(PATIENCE)
            .idle_timeout(Duration::from_secs(50)) // sooner than the server ends it
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION).await.map(drop) })
            })
            .connect_lazy_with(url.options());
        Ok(Self(pool))
    }

    /// Does something with a connection. One that doesn't answer in time is given up.
    pub(crate) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut borrowed = Borrowed {
            connection: self.0.acquire().await?,
            finished: false,
        };
        let result = timeout(PATIENCE, work(&mut borrowed.connection))
            .await
            .map_err(|_| Error::Silent(PATIENCE))?;
        borrowed.finished = true;
        result
    }

    /// Does something in a transaction, as the only one in the whole system that does so: what was read is still true
    /// when it is written. Since nobody holds one lock and waits for another, there are no deadlocks. An error takes
    /// everything back.
    pub(crate) async fn alone<T>(
        &self,
        work: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.run(async |connection| {
            let mut transaction = connection.begin().await?;
            sqlx::query("SELECT id FROM write_lock WHERE id = 1 FOR UPDATE")
                .fetch_one(&mut *transaction)
                .await?;
            let result = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(result)
        })
        .await
    }
}

/// A connection of the pool, which is closed where its work is broken off: sqlx knows of a transaction only from BEGIN's
/// answer on, and would leave one that nobody waited for to whoever comes next.
struct Borrowed {
    connection: PoolConnection<MySql>,
    finished: bool,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if !self.finished {
            self.connection.close_on_drop();
        }
    }
}

/// A connection of one's own.
async fn connect(url: &MySqlUrl) -> Result<MySqlConnection, Error> {
    let options: MySqlConnectOptions = url.options();
    let connected = timeout(PATIENCE, MySqlConnection::connect_with(&options)).await;
    connected
        .map_err(|_| Error::Silent(PATIENCE))?
        .map_err(|error| Error::Unreachable(url.to_string(), error))
}

/// Fails unless our tables are there and may be read.
pub(crate) async fn has_tables(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let tables = "SELECT EXISTS (SELECT 1 FROM users), EXISTS (SELECT 1 FROM login_attempts),
         EXISTS (SELECT 1 FROM write_lock)";
    sqlx::query(tables).execute(connection).await.map(drop)
}

/// The server's time in milliseconds since 1970.
pub(crate) async fn now(connection: &mut MySqlConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000")
        .fetch_one(connection)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use decant_test_servers::MySqlServer;
    use std::{future::poll_fn, pin::pin, task::Poll};

    /// Polls it so often, or to its end.
    async fn poll_times(times: usize, future: impl Future) {
        let (mut future, mut polled) = (pin!(future), 0);
        poll_fn(|context| {
            polled += 1;
            if polled > times || future.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn work_that_is_broken_off_leaves_no_transaction_open() {
        let server = tokio::task::spawn_blocking(MySqlServer::shared).await;
        let server = server.expect("a server");
        let root = server.url("mysql").parse().expect("a place");
        let mut root = connect(&root).await.expect("a connection");
        let made = root.execute("CREATE DATABASE broken_off").await;
        made.expect("a database");
        let url = server.url("broken_off").parse().expect("a place");
        migrate(&url).await.expect("tables");
        // One connection, so that the next one to ask gets that which was broken off.
        let pool = MySqlPoolOptions::new().max_connections(1);
        let connections = Connections(pool.connect_lazy_with(url.options()));
        let connected = connections.run(async |_| Ok(())).await;
        connected.expect("a connection");
        for times in 0..12_usize {
            poll_times(times, connections.alone(async |_| Ok(()))).await;
            let written = connections.run(async |connection| {
                let written =
                    connection.execute("INSERT INTO write_lock SELECT max(id) + 1 FROM write_lock");
                Ok(written.await.map(drop)?)
            });
            written.await.expect("a write");
            let committed = "SELECT CAST(max(id) AS SIGNED) - 2 FROM broken_off.write_lock";
            let committed: i64 = sqlx::query_scalar(committed)
                .fetch_one(&mut root)
                .await
                .expect("a number");
            assert_eq!(committed, times as i64, "after {times} polls");
        }
    }
}
