use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often is looked.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until `look` finds something, and gives it. Panics after `limit`, saying `what` was waited for.
pub async fn eventually<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            began.elapsed() < limit,
            "waited {} s in vain: {what}",
            limit.as_secs()
        );
    }
}
