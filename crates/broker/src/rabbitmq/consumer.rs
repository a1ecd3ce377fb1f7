//! Messages out of RabbitMQ, each acknowledged by hand.

use std::sync::Arc;

use futures::StreamExt as _;
use lapin::{
    Acker, Channel,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions,
        BasicQosOptions, BasicRejectOptions,
    },
    types::{FieldTable, ShortString},
};

use tokio::runtime::Handle;

use super::{
    declared::{Declared, short},
    link::{self, Link, away},
    message::decode,
    publisher::Publisher,
};
use crate::{Consumer, Delivery, Message, QueueError, QueueSpec, Settle};

/// Reads one queue, and goes on by itself when the connection or the channel was lost in between.
pub(super) struct RabbitConsumer {
    pub(super) reading: Arc<Link>,
    pub(super) declared: Arc<Declared>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) queue: QueueSpec,
    pub(super) prefetch: u16,
    /// The channel is its own: RabbitMQ closes it when something is wrong with one delivery.
    pub(super) open: Option<(Channel, lapin::Consumer)>,
}

impl RabbitConsumer {
    pub(super) async fn subscribe(&mut self) -> Result<(), QueueError> {
        let session = self.reading.session()?;
        // It may have been deleted: that ends consumers.
        self.declared
            .declare(&session.connection, &self.queue)
            .await?;
        let subscribed = async {
            let channel = session.connection.create_channel().await.map_err(away)?;
            let each = BasicQosOptions::default();
            channel.basic_qos(self.prefetch, each).await.map_err(away)?;
            let queue = short(&self.queue.name)?;
            let options = BasicConsumeOptions::default();
            let none = FieldTable::default();
            let consumer = channel.basic_consume(queue, ShortString::default(), options, none);
            let consumer = consumer.await.map_err(away)?;
            Ok((channel, consumer))
        };
        self.open = Some(link::within(link::ANSWER, subscribed).await?);
        Ok(())
    }

    /// Subscribes again, as often as it takes.
    async fn resume(&mut self) {
        let mut waits = link::backoff();
        loop {
            self.reading.up().await;
            match self.subscribe().await {
                Ok(()) => return,
                Err(error) => {
                    let why = link::reasons(&error);
                    tracing::warn!(
                        queue.name = self.queue.name,
                        error = why,
                        "the queue can't be read for now"
                    );
                }
            }
            tokio::time::sleep(waits.next().unwrap_or(link::ANSWER)).await;
        }
    }
}

#[async_trait::async_trait]
impl Consumer for RabbitConsumer {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        loop {
            let Some((channel, consumer)) = &mut self.open else {
                self.resume().await;
                continue;
            };
            let delivery = match consumer.next().await {
                Some(Ok(delivery)) => delivery,
                lost => {
                    let why = lost.and_then(Result::err);
                    let why = why.map_or_else(|| "it was cancelled".to_owned(), |e| e.to_string());
                    tracing::info!(
                        queue.name = self.queue.name,
                        error = why,
                        "reading the queue was interrupted"
                    );
                    self.open = None;
                    continue;
                }
            };
            if !delivery.acker.usable() {
                continue; // of a channel that is gone: it comes again
            }
            match decode(&delivery) {
                Ok(message) => {
                    let settle = RabbitSettle {
                        acker: Some(delivery.acker),
                        channel: channel.clone(),
                        publisher: Arc::clone(&self.publisher),
                        declared: Arc::clone(&self.declared),
                        letters: self.queue.dead_letter.clone(),
                    };
                    return Ok(Delivery::new(message, Box::new(settle)));
                }
                Err(bad) => {
                    tracing::error!(
                        queue.name = self.queue.name,
                        error = %bad,
                        "somebody put a message there that can't be delivered: it is rejected"
                    );
                    let _ = delivery.acker.reject(BasicRejectOptions::default()).await;
                }
            }
        }
    }
}

/// Gives back at once what was fetched ahead; what is out for delivery may still be settled.
impl Drop for RabbitConsumer {
    fn drop(&mut self) {
        let Some((channel, mut consumer)) = self.open.take() else {
            return;
        };
        // Without a runtime the process is ending, and the connection with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let cancelled = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
                let _ = cancelled.await;
                while let Some(Ok(delivery)) = consumer.next().await {
                    give_back(&delivery.acker).await;
                }
            });
        }
    }
}

async fn give_back(acker: &Acker) {
    // As a nack: RabbitMQ 4 counts a rejection as a failure of the message.
    let options = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    let _ = acker.nack(options).await; // without an answer; without a channel RabbitMQ has taken it back already
}

struct RabbitSettle {
    /// Taken when the message is settled.
    acker: Option<Acker>,
    /// Open as long as something on it may be settled.
    channel: Channel,
    publisher: Arc<Publisher>,
    declared: Arc<Declared>,
    letters: Option<String>,
}

#[async_trait::async_trait]
impl Settle for RabbitSettle {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        let Some(acker) = self.acker.take() else {
            return Ok(());
        };
        let acknowledged = async {
            match acker.ack(BasicAckOptions::default()).await.map_err(away)? {
                true => Ok(()),
                false => Err(QueueError::Away("its channel is gone".into())),
            }
        };
        link::within(link::ANSWER, acknowledged).await
    }

    async fn dead_letter(self: Box<Self>, message: Message) -> Result<(), QueueError> {
        if let Some(letters) = &self.letters {
            let letters = self.declared.find(letters)?;
            self.publisher.dead_letter(&letters.name, &message).await?;
        }
        self.ack().await
    }
}

impl Drop for RabbitSettle {
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take().filter(Acker::usable)
            && let Ok(runtime) = Handle::try_current()
        {
            let channel = self.channel.clone();
            runtime.spawn(async move {
                give_back(&acker).await;
                drop(channel);
            });
        }
    }
}
