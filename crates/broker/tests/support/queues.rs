//! Queues that are not always there.

use decant_broker::{Consumer, MemoryQueues, Message, QueueError, QueueSpec, Queues};

/// Queues in memory that do not confirm the messages that this picks.
pub(crate) struct Unconfirming(fn(&Message) -> bool, MemoryQueues);

impl Unconfirming {
    pub(crate) fn when(picks: fn(&Message) -> bool) -> Self {
        Self(picks, MemoryQueues::default())
    }
}

#[async_trait::async_trait]
impl Queues for Unconfirming {
    async fn declare(&self, queue: QueueSpec) -> Result<(), QueueError> {
        self.1.declare(queue).await
    }

    async fn publish(&self, message: Message) -> Result<(), QueueError> {
        if self.0(&message) {
            return Err(QueueError::Away("no confirm".into()));
        }
        self.1.publish(message).await
    }

    async fn consume(&self, queue: &str, prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        self.1.consume(queue, prefetch).await
    }

    async fn depth(&self, queue: &str) -> Result<usize, QueueError> {
        self.1.depth(queue).await
    }
}
