//! The queues in memory do what the broker relies on.

mod queue_suite;

use decant_broker::MemoryQueues;

#[tokio::test]
async fn queues_in_memory_hold_the_suite() {
    queue_suite::holds(async || MemoryQueues::default()).await;
}
