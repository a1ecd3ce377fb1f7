//! A message as RabbitMQ keeps it: the event's attributes are headers under their own names, as
//! `CloudEventToRabbitMQMessage` of `pkg/rabbit/message.go` writes them (eventing-rabbitmq v0.49.1). So filters are
//! plain bindings, and a real dispatcher could read what we write.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::declared::{short, text};
use crate::{BadEvent, Message, QueueError, Trace, message::binary};

/// The name of the attribute `datacontenttype` among the headers.
pub(super) const CONTENT_TYPE: &str = "content-type";

/// The most that an event's attributes may have, in bytes. Headers travel in one frame of at most 128 KiB: a larger one
/// would end the connection for everybody.
pub(super) const EVENT_HEADERS: usize = 96 * 1024;

/// For a dead letter, which says where and how it failed: every event that was taken in must fit as one.
pub(super) const LETTER_HEADERS: usize = 112 * 1024;

const PERSISTENT: u8 = 2;

/// Properties and payload.
pub(super) type Encoded = (BasicProperties, Vec<u8>);

/// As RabbitMQ takes it, with attributes of at most so many bytes. What can't be encoded is [`QueueError::Unfit`].
pub(super) fn encode(message: &Message, most: usize) -> Result<Encoded, QueueError> {
    let (attributes, body) =
        binary(message.event.clone()).map_err(|bad| QueueError::Unfit(bad.to_string()))?;
    let mut headers = FieldTable::default();
    let mut bytes = 0;
    let mut insert = |name: &str, value: &str| {
        bytes += name.len() + value.len() + 6; // and what they are and how long
        let Ok(name) = short(name) else {
            let why =
                format!("the attribute name `{name}` is too long; RabbitMQ carries 255 bytes");
            return Err(QueueError::Unfit(why));
        };
        headers.insert(name, text(value));
        Ok(())
    };
    for (name, value) in &attributes {
        let name = name.as_str();
        let name = name.strip_prefix("ce-").unwrap_or(name);
        insert(name, value.to_str().unwrap_or_default())?;
    }
    let Trace { parent, state } = &message.trace;
    for (name, value) in [("traceparent", parent), ("tracestate", state)] {
        if let Some(value) = value {
            insert(name, value)?;
        }
    }
    if bytes > most {
        return Err(QueueError::Unfit(format!(
            "the event's attributes have {bytes} bytes, more than the {most} that RabbitMQ can carry"
        )));
    }
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers);
    // For people's eyes in the management UI, where they fit.
    let attribute = |name: &str| {
        let value = attributes.get(name).and_then(|value| value.to_str().ok());
        value.and_then(|value| ShortString::try_new(value).ok())
    };
    if let Some(id) = attribute("ce-id") {
        properties = properties.with_message_id(id);
    }
    if let Some(content_type) = attribute(CONTENT_TYPE) {
        properties = properties.with_content_type(content_type);
    }
    Ok((properties, body))
}

/// Reads a message back. Headers that are not attributes, RabbitMQ's own among them, are passed over.
pub(super) fn decode(delivery: &Delivery) -> Result<Message, BadEvent> {
    let mut headers = HeaderMap::new();
    let mut trace = Trace::default();
    let table = delivery.properties.headers().as_ref();
    for (name, value) in table.into_iter().flatten() {
        let value = match value {
            AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
            AMQPValue::ShortString(text) => text.to_string(),
            AMQPValue::Boolean(truth) => truth.to_string(),
            AMQPValue::LongInt(number) => number.to_string(),
            AMQPValue::LongLongInt(number) => number.to_string(),
            _ => continue,
        };
        let name = match name.as_str() {
            "traceparent" => {
                trace.parent = Some(value);
                continue;
            }
            "tracestate" => {
                trace.state = Some(value);
                continue;
            }
            name if name.starts_with("x-") => continue,
            CONTENT_TYPE => header::CONTENT_TYPE,
            name => match HeaderName::try_from(format!("ce-{name}")) {
                Ok(name) => name,
                Err(_) => continue,
            },
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Message::from_http(&headers, delivery.data.clone().into(), trace)
}
