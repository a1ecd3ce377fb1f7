//! Messages into RabbitMQ, each confirmed.

use std::sync::Arc;

use cloudevents::AttributesReader as _;
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::sync::{Mutex, Semaphore};

use super::{
    declared::{Declared, short},
    link::{self, Link, Session, away},
    message::{EVENT_HEADERS, Encoded, LETTER_HEADERS, encode},
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
    channel: Mutex<Option<Arc<Channel>>>,
}

impl Lane {
    fn new(turns: usize) -> Self {
        Self {
            turns: Semaphore::new(turns),
            channel: Mutex::default(),
        }
    }

    /// Keeps this channel from the next message. The one that came after it stays: ids of channels say nothing here, as
    /// every connection begins to count again.
    async fn forget(&self, channel: &Arc<Channel>) {
        let mut kept = self.channel.lock().await;
        kept.take_if(|kept| Arc::ptr_eq(kept, channel));
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
        let encoded = encode(message, EVENT_HEADERS)?;
        self.send(&self.events, self.declared.exchange(), encoded, false)
            .await
    }

    /// Puts a message into a queue of dead letters, and nowhere is an error. One that no queue can hold is given up:
    /// it would fail here every time that it came back, in front of all others.
    pub(super) async fn dead_letter(
        &self,
        queue: &str,
        message: &Message,
    ) -> Result<(), QueueError> {
        let encoded = match encode(message, LETTER_HEADERS) {
            Ok(encoded) => encoded,
            Err(unfit) => {
                tracing::error!(
                    queue.name = queue,
                    event.id = message.event.id(),
                    event.type = message.event.ty(),
                    error = %unfit,
                    "an event can't be kept as a dead letter: it is gone"
                );
                return Ok(());
            }
        };
        let exchange = dead_letter_exchange(queue);
        self.send(&self.letters, &exchange, encoded, true).await
    }

    async fn send(
        &self,
        lane: &Lane,
        exchange: &str,
        (properties, body): Encoded,
        mandatory: bool,
    ) -> Result<(), QueueError> {
        let exchange = short(exchange)?;
        let session = self.link.session()?;
        let mut used = None;
        let sent = async {
            let _turn = lane.turns.acquire().await;
            let channel = used.insert(self.channel(lane, &session).await?);
            confirmed(channel, exchange, properties, &body, mandatory).await
        };
        let sent = link::within(link::ANSWER, sent);
        let confirmation = tokio::select! {
            biased;
            refusal = session.refusal() => return Err(refusal),
            sent = sent => sent,
        };
        let why = match confirmation {
            Ok(Confirmation::Ack(None)) => return Ok(()),
            Ok(Confirmation::Ack(Some(_))) if !mandatory => return Ok(()),
            // An answer, and the channel is as good as before.
            Ok(Confirmation::Nack(_)) => {
                return Err(QueueError::Away("RabbitMQ did not keep it".into()));
            }
            Ok(Confirmation::Ack(Some(_))) => QueueError::Away("the queue is not there".into()),
            Ok(Confirmation::NotRequested) => QueueError::Away("RabbitMQ confirms nothing".into()),
            Err(why) => why,
        };
        // Whatever is the matter, it is not carried over to the next message.
        if let Some(used) = used {
            lane.forget(&used).await;
        }
        Err(why)
    }

    async fn channel(&self, lane: &Lane, session: &Session) -> Result<Arc<Channel>, QueueError> {
        let mut kept = lane.channel.lock().await;
        if let Some(channel) = kept.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(Arc::clone(channel));
        }
        // The last one may have been closed because something is not there any more.
        self.declared.declare_all(&session.connection).await?;
        let channel = session.connection.create_channel().await.map_err(away)?;
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await.map_err(away)?;
        Ok(Arc::clone(kept.insert(Arc::new(channel))))
    }
}

async fn confirmed(
    channel: &Channel,
    exchange: ShortString,
    properties: BasicProperties,
    body: &[u8],
    mandatory: bool,
) -> Result<Confirmation, QueueError> {
    let options = BasicPublishOptions {
        mandatory,
        ..BasicPublishOptions::default()
    };
    let key = ShortString::default();
    let sent = channel.basic_publish(exchange, key, options, body, properties);
    sent.await.map_err(away)?.await.map_err(away)
}
