//! What SQLite and MySQL understand alike.

use super::{PENDING, WINDOW};

pub(super) const WINDOW_MS: i64 = WINDOW.as_millis() as i64;
pub(super) const PENDING_MS: i64 = PENDING.as_millis() as i64;

/// Binds the time before which failures don't count any more.
pub(super) const PRUNE: &str = "DELETE FROM login_attempts WHERE attempted_at <= ?";

/// When the later of the failures was that have to leave the window, if a limit is reached: with a limit of five the
/// fifth newest. Binds account, now, how many are newer; network, now, how many are newer.
pub(super) const DECISIVE_FAILURE: &str = "SELECT max(attempted_at) FROM (
         SELECT * FROM (
             SELECT attempted_at FROM login_attempts WHERE account = ? AND pending_until <= ?
             ORDER BY attempted_at DESC LIMIT 1 OFFSET ?) AS of_account
         UNION ALL
         SELECT * FROM (
             SELECT attempted_at FROM login_attempts WHERE network = ? AND pending_until <= ?
             ORDER BY attempted_at DESC LIMIT 1 OFFSET ?) AS of_network) AS decisive";

/// Whether a limit is reached if all pending attempts fail. Binds account, its limit, network, its limit.
pub(super) const CROWDED: &str =
    "SELECT (SELECT count(*) FROM login_attempts WHERE account = ?) >= ?
         OR (SELECT count(*) FROM login_attempts WHERE network = ?) >= ?";

/// Binds account, network, now, until when it is pending.
pub(super) const WRITE: &str =
    "INSERT INTO login_attempts (account, network, attempted_at, pending_until)
     VALUES (?, ?, ?, ?)";

/// Binds the attempt.
pub(super) const FAILED: &str = "UPDATE login_attempts SET pending_until = 0 WHERE id = ?";
/// Binds the attempt.
pub(super) const TAKE_BACK: &str = "DELETE FROM login_attempts WHERE id = ?";
/// Attempts that began later are others': they keep counting. Binds account and attempt.
pub(super) const CLEAR_EARLIER: &str =
    "UPDATE login_attempts SET account = NULL WHERE account = ? AND id < ?";
/// Binds the account.
pub(super) const CLEAR: &str = "UPDATE login_attempts SET account = NULL WHERE account = ?";

/// Whole seconds, rounded up: whoever comes back then is let in.
pub(super) fn seconds(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds)
        .unwrap_or(0)
        .div_ceil(1000)
        .max(1)
}
