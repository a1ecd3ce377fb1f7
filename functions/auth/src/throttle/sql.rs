//! What SQLite and MySQL understand alike.

use super::{PENDING, WINDOW};

pub(super) const WINDOW_MS: i64 = WINDOW.as_millis() as i64;
pub(super) const PENDING_MS: i64 = PENDING.as_millis() as i64;

/// Binds the attempt.
pub(super) const FAILED: &str = "UPDATE login_attempts SET pending_until = 0 WHERE id = ?";
/// Binds the attempt.
pub(super) const TAKE_BACK: &str = "DELETE FROM login_attempts WHERE id = ?";
/// Attempts that began later are others': they keep counting. Binds account and attempt.
pub(super) const CLEAR_EARLIER: &str =
    "UPDATE login_attempts SET account = NULL WHERE account = ? AND id < ?";
/// Binds the account.
pub(super) const CLEAR: &str = "UPDATE login_attempts SET account = NULL WHERE account = ?";

/// What is asked and done while an attempt is admitted, for one kind of connection.
macro_rules! admission_over {
    ($connection:ty) => {
        /// Admits an attempt if there is room. Nobody else may do so meanwhile.
        async fn admit(
            connection: &mut $connection,
            account: &Account,
            network: &Network,
            now: i64,
        ) -> Result<Admission, sqlx::Error> {
            prune(connection, now).await?;
            if let Some(until) = throttled_until(connection, account, network, now).await? {
                let retry_after_s = sql::seconds(until - now);
                return Ok(Admission::Throttled { retry_after_s });
            }
            if crowded(connection, account, network).await? {
                return Ok(Admission::Crowded);
            }
            let attempt = write(connection, account, network, now).await?;
            Ok(Admission::Admitted(attempt))
        }

        async fn prune(connection: &mut $connection, now: i64) -> Result<(), sqlx::Error> {
            sqlx::query("DELETE FROM login_attempts WHERE attempted_at <= ?")
                .bind(now - sql::WINDOW_MS)
                .execute(connection)
                .await?;
            Ok(())
        }

        /// When the later of the two limits allows another attempt, if one is reached. With a limit of five it is the
        /// fifth newest failure that has to leave the window.
        async fn throttled_until(
            connection: &mut $connection,
            account: &Account,
            network: &Network,
            now: i64,
        ) -> Result<Option<i64>, sqlx::Error> {
            let decisive: Option<i64> = sqlx::query_scalar(
                "SELECT max(attempted_at) FROM (
                     SELECT * FROM (
                         SELECT attempted_at FROM login_attempts
                         WHERE account = ? AND pending_until <= ?
                         ORDER BY attempted_at DESC LIMIT 1 OFFSET ?) AS of_account
                     UNION ALL
                     SELECT * FROM (
                         SELECT attempted_at FROM login_attempts
                         WHERE network = ? AND pending_until <= ?
                         ORDER BY attempted_at DESC LIMIT 1 OFFSET ?) AS of_network) AS decisive",
            )
            .bind(&account.0[..])
            .bind(now)
            .bind(FAILURES_PER_ACCOUNT - 1)
            .bind(&network.0)
            .bind(now)
            .bind(FAILURES_PER_NETWORK - 1)
            .fetch_one(connection)
            .await?;
            Ok(decisive.map(|attempted_at| attempted_at + sql::WINDOW_MS))
        }

        async fn crowded(
            connection: &mut $connection,
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
            connection: &mut $connection,
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
            .bind(now + sql::PENDING_MS)
            .execute(connection)
            .await?;
            Ok(id_of(&written))
        }
    };
}
pub(super) use admission_over;

/// Whole seconds, rounded up: whoever comes back then is let in.
pub(super) fn seconds(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds)
        .unwrap_or(0)
        .div_ceil(1000)
        .max(1)
}
