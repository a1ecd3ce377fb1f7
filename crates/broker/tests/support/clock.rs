//! A clock whose waits are recorded instead of waited.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use decant_broker::Clock;
use tokio::sync::Semaphore;

/// Time that passes as fast as it is asked for, or step by step.
pub(crate) struct TestClock {
    now: Mutex<DateTime<Utc>>,
    waits: Mutex<Vec<Duration>>,
    steps: Semaphore,
}

impl TestClock {
    pub(crate) fn fast() -> Arc<Self> {
        Self::starting("2026-01-01T00:00:00Z", Semaphore::MAX_PERMITS)
    }

    /// Every wait needs a step.
    pub(crate) fn stepped(now: &str) -> Arc<Self> {
        Self::starting(now, 0)
    }

    fn starting(now: &str, steps: usize) -> Arc<Self> {
        let now = Mutex::new(now.parse().unwrap());
        Arc::new(Self {
            now,
            waits: Mutex::default(),
            steps: Semaphore::new(steps),
        })
    }

    pub(crate) fn step(&self, waits: usize) {
        self.steps.add_permits(waits);
    }

    /// The waits so far, in seconds.
    pub(crate) fn waits(&self) -> Vec<f64> {
        self.waits
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_secs_f64)
            .collect()
    }
}

#[async_trait::async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        self.steps.acquire().await.unwrap().forget();
        self.waits.lock().unwrap().push(wait);
        *self.now.lock().unwrap() += wait;
        tokio::task::yield_now().await;
    }
}
