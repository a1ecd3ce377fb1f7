//! Time, injected: tests let hours of back-off pass at once.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells and passes the time of back-off and of cron.
#[async_trait::async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> DateTime<Utc>;

    /// Waits.
    async fn sleep(&self, wait: Duration);
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}
