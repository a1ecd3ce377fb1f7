//! Work that outlives its request: it sees to it that nothing is left half-done when the caller goes away.

use std::{future::Future, sync::LazyLock};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

static TASKS: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Runs `work` to its end, whatever becomes of who waits for it. The function doesn't end before it does, within the
/// grace.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    TASKS.spawn(work)
}

/// Waits until no work is left.
pub(crate) async fn ended() {
    TASKS.close();
    TASKS.wait().await;
}
