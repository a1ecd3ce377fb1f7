//! What the broker asks of its queues: in memory ([`MemoryQueues`](crate::MemoryQueues)) or in RabbitMQ
//! ([`RabbitQueues`](crate::RabbitQueues)).

use std::sync::Arc;

use crate::{Filter, Message};

/// A queue to be there.
#[derive(Debug, Clone)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// Which published messages are copied into it. `None`: none, only dead letters get there.
    pub filter: Option<Filter>,
    /// The queue for what this one's consumer gives up on.
    pub dead_letter: Option<String>,
}

/// The queues of one Broker.
#[async_trait::async_trait]
pub trait Queues: Send + Sync + 'static {
    /// Makes a queue if it is not there yet. Its dead-letter queue is declared first.
    async fn declare(&self, queue: QueueSpec) -> Result<(), QueueError>;

    /// Copies a message into every queue whose filter it passes; none is fine too. `Ok` is a confirmation: from here
    /// on the message is kept, in all of these queues or, with an error, in none that the caller may rely on.
    async fn publish(&self, message: Message) -> Result<(), QueueError>;

    /// Takes messages out of a queue, at most `prefetch` of them unsettled at once.
    async fn consume(&self, queue: &str, prefetch: usize) -> Result<Box<dyn Consumer>, QueueError>;

    /// Messages in the queue that no consumer has.
    async fn depth(&self, queue: &str) -> Result<usize, QueueError>;
}

/// Queues whose kind is chosen when the program runs.
#[async_trait::async_trait]
impl<Q: Queues + ?Sized> Queues for Arc<Q> {
    async fn declare(&self, queue: QueueSpec) -> Result<(), QueueError> {
        (**self).declare(queue).await
    }

    async fn publish(&self, message: Message) -> Result<(), QueueError> {
        (**self).publish(message).await
    }

    async fn consume(&self, queue: &str, prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        (**self).consume(queue, prefetch).await
    }

    async fn depth(&self, queue: &str) -> Result<usize, QueueError> {
        (**self).depth(queue).await
    }
}

/// One reader of a queue. What it has not settled when it is dropped goes back.
#[async_trait::async_trait]
pub trait Consumer: Send {
    /// The next message, when there is one. Cancel-safe: no message is lost when the future is dropped.
    async fn next(&mut self) -> Result<Delivery, QueueError>;
}

/// A message that is out for delivery. Dropped without being settled, it goes back to where it was in its queue.
pub struct Delivery {
    /// What is to be delivered.
    pub message: Message,
    settle: Box<dyn Settle>,
}

/// How a back end settles one delivery.
#[async_trait::async_trait]
pub trait Settle: Send + Sync {
    /// The message is done with.
    async fn ack(self: Box<Self>) -> Result<(), QueueError>;

    /// Puts a message into the dead-letter queue and, only when that is confirmed, acknowledges this one. Without a
    /// dead-letter queue it is only acknowledged.
    async fn dead_letter(self: Box<Self>, message: Message) -> Result<(), QueueError>;
}

impl Delivery {
    /// For back ends.
    pub fn new(message: Message, settle: Box<dyn Settle>) -> Self {
        Self { message, settle }
    }

    /// The message is done with.
    ///
    /// # Errors
    /// The queue is away; the message will come again.
    pub async fn ack(self) -> Result<(), QueueError> {
        self.settle.ack().await
    }

    /// Moves a message, this one or what was made of it, to the dead-letter queue.
    ///
    /// # Errors
    /// The queue is away; the message will come again.
    pub async fn dead_letter(self, message: Message) -> Result<(), QueueError> {
        self.settle.dead_letter(message).await
    }
}

/// Why a queue did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It holds as much as it may.
    #[error("queue `{0}` is full; wait until its messages are delivered")]
    Full(String),
    /// It was never declared.
    #[error("there is no queue `{0}`; declare it first")]
    Unknown(String),
    /// It takes no messages for now.
    #[error("the queues take nothing in for now ({0}); try again when that is over")]
    Blocked(String),
    /// It is not as it was declared.
    #[error("{0}")]
    Refused(String),
    /// The message is none that it can hold, now or later.
    #[error("{0}")]
    Unfit(String),
    /// The back end can't be reached.
    #[error("the queues are away; try again when they are back")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
}
