//! How often a login may fail. The count stands in the database, so that every replica counts alike.
//!
//! An attempt is counted before its password is checked and taken back if it succeeds: however many come at once, no
//! more are checked than may fail. One that never ends (its process was killed) counts as failed after a minute.

mod mysql;
mod sql;
mod sqlite;

pub(crate) use mysql::MySqlThrottle;
pub(crate) use sqlite::SqliteThrottle;

use crate::users::Error;
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// How long a failure counts.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many failures an account may have in the window.
pub const FAILURES_PER_ACCOUNT: u32 = 5;
/// How many failures a client's network may have in the window.
pub const FAILURES_PER_NETWORK: u32 = 50;
/// How long an attempt may take before it counts as failed.
const PENDING: Duration = Duration::from_secs(60);

/// The account that somebody wants to sign in to, whether it exists or not: the SHA-256 of its name, which has one
/// length whatever was sent, and keeps no addresses of people who aren't users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account([u8; 32]);

/// Where a client is counted: its IPv4 address, or the /64 of its IPv6 address, since that is what one customer gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network(String);

/// Names an attempt until it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptId(i64);

/// Whether a password may be checked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may. The attempt is counted.
    Admitted(AttemptId),
    /// So many attempts are being checked that all of them may fail and fill the limit. Ask again soon.
    Crowded,
    /// Too many have failed, until the oldest failure leaves the window.
    Throttled {
        /// Seconds until then, at least 1.
        retry_after_s: u64,
    },
}

/// Counts failed logins by account and by network.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Counts an attempt, if neither its account nor its network has reached its limit.
    async fn begin(&self, account: &Account, network: &Network) -> Result<Admission, Error>;

    /// The password was wrong.
    async fn failed(&self, attempt: AttemptId) -> Result<(), Error>;

    /// The password was right: takes the attempt back and clears the account's earlier failures, not the network's.
    async fn succeeded(&self, attempt: AttemptId, account: &Account) -> Result<(), Error>;

    /// Clears the account's failures, for one whose password was changed.
    async fn clear(&self, account: &Account) -> Result<(), Error>;
}

/// Whose clock the throttle goes by.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The database's, which all replicas share.
    #[default]
    Database,
    /// A test's: milliseconds since 1970.
    Test(Arc<AtomicI64>),
}

impl Clock {
    /// The time in milliseconds since 1970, if it isn't the database that tells it.
    fn told(&self) -> Option<i64> {
        match self {
            Self::Database => None,
            Self::Test(now) => Some(now.load(Ordering::SeqCst)),
        }
    }
}

impl Account {
    /// The account that a caller named, in any case.
    pub fn named(name: &str) -> Self {
        Self(Sha256::digest(name.trim().to_lowercase()).into())
    }
}

impl Network {
    /// The network that a client is counted with.
    pub fn of(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => Self(address.to_string()),
            IpAddr::V6(address) => {
                let prefix = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
                Self(format!("{prefix}/64"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> String {
        Network::of(address.parse().expect("an address")).0
    }

    #[test]
    fn an_ipv4_client_is_counted_alone_and_an_ipv6_client_by_its_64() {
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:3::1"), "2001:db8:1:3::/64");
    }

    #[test]
    fn an_account_is_one_in_any_case() {
        assert_eq!(
            Account::named("Kevin@Email.com "),
            Account::named("kevin@email.com")
        );
        assert_ne!(
            Account::named("kevin@email.com"),
            Account::named("keven@email.com")
        );
    }
}
