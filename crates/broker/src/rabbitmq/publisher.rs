//! Messages into RabbitMQ, each confirmed.

use std::sync::Arc;

use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::sync::{Mutex, Semaphore};

use super::{
    declared::{Declared, short},
    link::{self, Link, Session, away},
    message::encode,
};
use crate::{Message, QueueError, names::dead_letter_exchange};

/// So many messages may wait for their confirmation at once; more wait for their turn. With events of at most 64 KiB,
/// 16 MiB at worst.
const UNCONFIRMED: usize = 256;

/// Publishes to one Broker's exchange, and dead letters to theirs.
pub(super) struct Publisher {
    link: Link,
    declared: Arc<Declared>,
    events: Lane,
    letters: Lane,
}

/// A channel with confirmations.
struct Lane {
    turns: Semaphore,
    channel: Mutex<Option<Channel>>,
}

impl Lane {
    fn new(turns: usize) -> Self {
        Self {
            turns: Semaphore::new(turns),
            channel: Mutex::default(),
        }
    }
}

impl Publisher {
    pub(super) fn new(link: Link, declared: Arc<Declared>) -> Self {
        Self {
            link,
            declared,
            events: Lane::new(UNCONFIRMED),
            // RabbitMQ says whether a message had nowhere to go before it confirms it; lapin can tell which one that was
            // only while there is one.
            letters: Lane::new(1),
        }
    }

    /// Copies a message into every queue whose filter it passes.
    pub(super) async fn publish(&self, message: &Message) -> Result<(), QueueError> {
        self.send(&self.events, self.declared.exchange(), message, false)
            .await
    }

    /// Puts a message into a queue of dead letters, and nowhere is an error.
    pub(super) async fn dead_letter(
        &self,
        queue: &str,
        message: &Message,
    ) -> Result<(), QueueError> {
        let exchange = dead_letter_exchange(queue);
        self.send(&self.letters, &exchange, message, true).await
    }

    async fn send(
        &self,
        lane: &Lane,
        exchange: &str,
        message: &Message,
        mandatory: bool,
    ) -> Result<(), QueueError> {
        let (properties, body) = encode(message)?;
        let exchange = short(exchange)?;
        let session = self.link.session()?;
        let sent = async {
            let _turn = lane.turns.acquire().await;
            let channel = self.channel(lane, &session).await?;
            confirmed(&channel, exchange, properties, &body, mandatory).await
        };
        let sent = link::within(link::ANSWER, sent);
        tokio::select! {
            biased;
            refusal = session.refusal() => Err(refusal),
            sent = sent => match sent {
                Err(QueueError::Away(why)) => {
                    // Whatever is the matter, it is not carried over to the next message.
                    lane.channel.lock().await.take();
                    Err(QueueError::Away(why))
                }
                sent => sent,
            },
        }
    }

    async fn channel(&self, lane: &Lane, session: &Session) -> Result<Channel, QueueError> {
        let mut kept = lane.channel.lock().await;
        if let Some(channel) = kept.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        // The last one may have been closed because something is not there any more.
        self.declared.declare_all(&session.connection).await?;
        let channel = session.connection.create_channel().await.map_err(away)?;
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await.map_err(away)?;
        Ok(kept.insert(channel).clone())
    }
}

async fn confirmed(
    channel: &Channel,
    exchange: ShortString,
    properties: BasicProperties,
    body: &[u8],
    mandatory: bool,
) -> Result<(), QueueError> {
    let options = BasicPublishOptions {
        mandatory,
        ..BasicPublishOptions::default()
    };
    let key = ShortString::default();
    let sent = channel.basic_publish(exchange, key, options, body, properties);
    match sent.await.map_err(away)?.await.map_err(away)? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) if !mandatory => Ok(()),
        Confirmation::Ack(Some(_)) => Err(QueueError::Away("the queue is not there".into())),
        Confirmation::Nack(_) => Err(QueueError::Away("RabbitMQ did not keep it".into())),
        Confirmation::NotRequested => Err(QueueError::Away("RabbitMQ confirms nothing".into())),
    }
}
