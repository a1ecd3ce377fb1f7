//! A CloudEvent and its trace, as they travel from the ingress through a queue to a subscriber.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use cloudevents::{
    AttributesReader as _, AttributesWriter as _, Event,
    binding::http::{Builder, Serializer, to_event},
    message::BinaryDeserializer,
};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};

/// The largest body of an event, in bytes. Payloads are not events: they stay in the store.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// An event on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The event itself. It has a specversion, an id, a source and a type, and fits HTTP headers.
    pub event: Event,
    /// What it is part of.
    pub trace: Trace,
}

/// HTTP's own trace headers (W3C Trace Context), carried from the producer to the subscriber and on with its reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// `traceparent`.
    pub parent: Option<String>,
    /// `tracestate`.
    pub state: Option<String>,
}

/// Why something is not an event that the broker carries.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    /// `application/cloudevents-batch+json`.
    #[error("a batch of events; send them one by one")]
    Batch,
    /// Neither binary nor structured mode, or an attribute is missing or wrong.
    #[error("not a CloudEvent in binary or structured mode: {0}")]
    Malformed(#[source] cloudevents::message::Error),
    /// A required attribute is there but empty.
    #[error("the attribute `{0}` is empty")]
    Empty(&'static str),
    /// An attribute that no HTTP header can hold.
    #[error("an attribute can't be carried in an HTTP header: {0}")]
    Header(String),
}

impl Trace {
    /// From the headers of a request.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
                .map(str::to_owned)
        };
        Self {
            parent: text("traceparent"),
            state: text("tracestate"),
        }
    }
}

impl Message {
    /// Reads an event in binary or structured mode.
    ///
    /// # Errors
    /// It is a batch, or no valid event.
    pub fn from_http(headers: &HeaderMap, body: Bytes, trace: Trace) -> Result<Self, BadEvent> {
        if media_type(headers).starts_with("application/cloudevents-batch") {
            return Err(BadEvent::Batch);
        }
        let event = to_event(headers, body.into()).map_err(BadEvent::Malformed)?;
        Self::new(event, trace)
    }

    /// Wraps an event.
    ///
    /// # Errors
    /// A required attribute is empty, or one does not fit an HTTP header.
    pub fn new(mut event: Event, trace: Trace) -> Result<Self, BadEvent> {
        let required = [
            ("id", event.id()),
            ("source", event.source()),
            ("type", event.ty()),
        ];
        if let Some((name, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
            return Err(BadEvent::Empty(name));
        }
        // The real ingress drops them: the trace that counts is HTTP's own.
        event.remove_extension("traceparent");
        event.remove_extension("tracestate");
        let message = Self { event, trace };
        message.to_http(DateTime::UNIX_EPOCH)?; // what is taken in can be delivered
        Ok(message)
    }

    /// The event in binary mode. One without a time gets the given one, so each of its deliveries has its own.
    ///
    /// # Errors
    /// An attribute does not fit an HTTP header.
    pub fn to_http(&self, now: DateTime<Utc>) -> Result<(HeaderMap, Vec<u8>), BadEvent> {
        let mut event = self.event.clone();
        if event.time().is_none() {
            event.set_time(Some(now));
        }
        let (mut headers, body) = binary(event)?;
        let trace = [
            ("traceparent", &self.trace.parent),
            ("tracestate", &self.trace.state),
        ];
        for (name, value) in trace {
            if let Some(value) = value.as_deref().and_then(|v| HeaderValue::from_str(v).ok()) {
                headers.insert(name, value);
            }
        }
        Ok((headers, body))
    }

    /// The same event, marked as one that could not be delivered. The reason is not carried: a code and a place are
    /// all.
    pub(crate) fn into_dead_letter(mut self, destination: &str, code: i64) -> Self {
        self.event.set_extension("knativeerrordest", destination);
        self.event.set_extension("knativeerrorcode", code);
        self
    }
}

/// The event in binary mode, as it is: without a time if it has none.
pub(crate) fn binary(event: Event) -> Result<(HeaderMap, Vec<u8>), BadEvent> {
    let parts = Serializer::new(Parts::default());
    BinaryDeserializer::deserialize_binary(event, parts)
        .map_err(|e| BadEvent::Header(e.to_string()))
}

/// Whether an answer is an event, in either mode.
pub(crate) fn is_event(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
        || media_type(headers).starts_with("application/cloudevents")
}

fn media_type(headers: &HeaderMap) -> &str {
    headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

/// Collects what the SDK serializes.
#[derive(Default)]
struct Parts {
    headers: HeaderMap,
    unfit: Option<String>,
}

impl Builder<(HeaderMap, Vec<u8>)> for Parts {
    fn header(&mut self, key: &str, value: HeaderValue) {
        match HeaderName::from_bytes(key.as_bytes()) {
            Ok(name) => {
                self.headers.insert(name, value);
            }
            Err(_) => self.unfit = Some(key.to_owned()),
        }
    }

    fn body(&mut self, bytes: Vec<u8>) -> cloudevents::message::Result<(HeaderMap, Vec<u8>)> {
        match self.unfit.take() {
            None => Ok((std::mem::take(&mut self.headers), bytes)),
            Some(name) => Err(cloudevents::message::Error::Other {
                source: format!("`{name}` is not a header name").into(),
            }),
        }
    }

    fn finish(&mut self) -> cloudevents::message::Result<(HeaderMap, Vec<u8>)> {
        self.body(Vec::new())
    }
}
