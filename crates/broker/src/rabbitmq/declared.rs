//! What has been declared, to be declared again whenever a connection is new: the server may have come back empty.

use std::sync::{Mutex, PoisonError};

use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use super::link;
use crate::{Filter, QueueError, QueueSpec, names::dead_letter_exchange};

/// Where the real binding has the Trigger's name. A binding never compares arguments that begin with `x-`.
const TRIGGER: &str = "x-knative-trigger";

/// How often a message may come back before its quorum queue gives up on it: in effect, never. RabbitMQ 4 would drop it
/// after 20 times; RabbitMQ 3 counts nothing without a limit, but then puts what comes back at the end of the queue.
const DELIVERY_LIMIT: i32 = i32::MAX;

/// The queues of one Broker and its exchange.
pub(super) struct Declared {
    exchange: String,
    queues: Mutex<Vec<QueueSpec>>,
    /// Two connections must not make the same queue at the same time.
    turn: tokio::sync::Mutex<()>,
}

impl Declared {
    pub(super) fn new(exchange: &str) -> Self {
        Self {
            exchange: exchange.to_owned(),
            queues: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn exchange(&self) -> &str {
        &self.exchange
    }

    pub(super) fn remember(&self, queue: QueueSpec) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.iter().all(|known| known.name != queue.name) {
            queues.push(queue);
        }
    }

    pub(super) fn find(&self, queue: &str) -> Result<QueueSpec, QueueError> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let found = queues.iter().find(|known| known.name == queue);
        found
            .cloned()
            .ok_or_else(|| QueueError::Unknown(queue.to_owned()))
    }

    /// Declares all that was declared before, and the exchange in any case.
    pub(super) async fn declare_all(&self, connection: &Connection) -> Result<(), QueueError> {
        let _turn = self.turn.lock().await;
        let queues = self.queues.lock();
        let queues = queues.unwrap_or_else(PoisonError::into_inner).clone();
        link::within(link::ANSWER, async {
            let channel = connection.create_channel().await.map_err(link::away)?;
            exchange(&channel, &self.exchange).await
        })
        .await?;
        for queue in &queues {
            self.make(connection, queue).await?;
        }
        Ok(())
    }

    /// Declares one queue with its bindings.
    pub(super) async fn declare(
        &self,
        connection: &Connection,
        queue: &QueueSpec,
    ) -> Result<(), QueueError> {
        let _turn = self.turn.lock().await;
        self.make(connection, queue).await
    }

    async fn make(&self, connection: &Connection, queue: &QueueSpec) -> Result<(), QueueError> {
        link::within(link::ANSWER, async {
            // RabbitMQ closes the channel of a declaration that it refuses: no other work may be on it.
            let channel = connection.create_channel().await.map_err(link::away)?;
            let made = self.make_on(&channel, queue).await;
            if made.is_ok() {
                let _ = channel.close(200, "done".into()).await;
            }
            made
        })
        .await
    }

    async fn make_on(&self, channel: &Channel, queue: &QueueSpec) -> Result<(), QueueError> {
        let refused = |error: lapin::Error| match error.is_amqp_soft_error() {
            true => QueueError::Refused(format!(
                "RabbitMQ has another idea of queue `{}` ({error}); delete it there when nothing in it is needed",
                queue.name
            )),
            false => link::away(error),
        };
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert(
            "x-delivery-limit".into(),
            AMQPValue::LongInt(DELIVERY_LIMIT),
        );
        // Nothing of ours is rejected, but a policy of the server's may bound ages or lengths. The letters themselves
        // end there, as the queue that they would go to is their own.
        if let Some(letters) = queue.dead_letter.as_ref().filter(|to| **to != queue.name) {
            let exchange = dead_letter_exchange(letters);
            arguments.insert("x-dead-letter-exchange".into(), text(&exchange));
        }
        let name = short(&queue.name)?;
        channel
            .queue_declare(name.clone(), durable, arguments)
            .await
            .map_err(refused)?;
        let (from, arguments) = match &queue.filter {
            Some(filter) => (self.exchange.clone(), binding(&queue.name, filter)?),
            None => (dead_letter_exchange(&queue.name), any()),
        };
        exchange(channel, &from).await?;
        let options = QueueBindOptions::default();
        let bound = channel.queue_bind(
            name,
            short(&from)?,
            ShortString::default(),
            options,
            arguments,
        );
        bound.await.map_err(refused)
    }
}

/// As `pkg/rabbit/exchange.go` has it.
async fn exchange(channel: &Channel, name: &str) -> Result<(), QueueError> {
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(
            short(name)?,
            ExchangeKind::Headers,
            durable,
            FieldTable::default(),
        )
        .await
        .map_err(link::away)
}

/// As `pkg/rabbit/binding.go` has it: every attribute of the filter, as text.
fn binding(queue: &str, filter: &Filter) -> Result<FieldTable, QueueError> {
    let mut arguments = any();
    arguments.insert(TRIGGER.into(), text(queue));
    for (name, value) in &filter.0 {
        // This one attribute has another name among the headers.
        let name = match name.as_str() {
            "datacontenttype" => super::message::CONTENT_TYPE,
            name => name,
        };
        arguments.insert(short(name)?, text(value));
    }
    Ok(arguments)
}

fn any() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-match".into(), text("all"));
    arguments
}

pub(super) fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// AMQP's short texts, names among them, have at most 255 bytes.
pub(super) fn short(text: &str) -> Result<ShortString, QueueError> {
    ShortString::try_new(text)
        .map_err(|_| QueueError::Refused(format!("`{text}` is too long a name for RabbitMQ")))
}
