//! Queues in RabbitMQ: a headers exchange per Broker, a quorum queue per Trigger bound by its filter, and a dead-letter
//! exchange and queue beside it, laid out and named as the Knative RabbitMQ broker does it.
//!
//! Two connections: RabbitMQ stops reading one that publishes while it is short of memory or disk, and acknowledgements
//! must get through even then.

mod consumer;
mod declared;
mod link;
mod message;
mod publisher;
mod url;

use std::sync::Arc;

use lapin::options::QueueDeclareOptions;

use self::{consumer::RabbitConsumer, declared::Declared, link::Link, publisher::Publisher};
use crate::{Consumer, Message, QueueError, QueueSpec, Queues};

pub use self::{
    link::RabbitError,
    url::{AmqpUrl, InvalidAmqpUrl},
};

/// [`Queues`] in RabbitMQ. Lost connections are made again, with what was declared, by themselves; until then everything
/// is [`QueueError::Away`] at once. Clones share their connections, which end with the last one.
#[derive(Clone)]
pub struct RabbitQueues {
    declared: Arc<Declared>,
    publisher: Arc<Publisher>,
    reading: Arc<Link>,
}

impl RabbitQueues {
    /// Connects. `exchange` is the Broker's ([`Topology::exchange`](crate::Topology::exchange)).
    ///
    /// # Errors
    /// RabbitMQ can't be reached, or does not let this user in.
    pub async fn connect(url: &AmqpUrl, exchange: &str) -> Result<Self, RabbitError> {
        let declared = Arc::new(Declared::new(exchange));
        let writing = Link::open(url, "decant up: publishes", Arc::clone(&declared)).await?;
        let reading = Link::open(url, "decant up: delivers", Arc::clone(&declared)).await?;
        Ok(Self {
            publisher: Arc::new(Publisher::new(writing, Arc::clone(&declared))),
            reading: Arc::new(reading),
            declared,
        })
    }
}

#[async_trait::async_trait]
impl Queues for RabbitQueues {
    async fn declare(&self, queue: QueueSpec) -> Result<(), QueueError> {
        let session = self.reading.session()?;
        self.declared.declare(&session.connection, &queue).await?;
        self.declared.remember(queue); // to be declared again on the next connection
        Ok(())
    }

    async fn publish(&self, message: Message) -> Result<(), QueueError> {
        self.publisher.publish(&message).await
    }

    async fn consume(&self, queue: &str, prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        let mut consumer = RabbitConsumer {
            reading: Arc::clone(&self.reading),
            declared: Arc::clone(&self.declared),
            publisher: Arc::clone(&self.publisher),
            queue: self.declared.find(queue)?,
            prefetch: u16::try_from(prefetch).unwrap_or(u16::MAX),
            open: None,
        };
        consumer.subscribe().await?;
        Ok(Box::new(consumer))
    }

    async fn depth(&self, queue: &str) -> Result<usize, QueueError> {
        let queue = self.declared.find(queue)?;
        let session = self.reading.session()?;
        let depth = async {
            let channel = self.reading.channel(&session).await?;
            let passive = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let found = channel
                .queue_declare(declared::short(&queue.name)?, passive, Default::default())
                .await;
            Ok(found.map_err(link::away)?.message_count() as usize)
        };
        link::within(link::ANSWER, depth).await
    }
}
