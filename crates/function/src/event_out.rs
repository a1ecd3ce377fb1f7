use crate::{client, telemetry};
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use cloudevents::{
    AttributesReader, Event, EventBuilder, EventBuilderV10,
    binding::http::builder::adapter::to_response,
};
use decant_events::EventData;
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time::sleep;
use tracing::Instrument;
use url::Url;

/// Wraps `data` in a CloudEvent from `function` about the job's `run`: id, type, subject and time are set.
pub fn event<T: EventData>(function: &str, data: &T, run: u32) -> Event {
    // Shapes of our own always turn into JSON, and every attribute below is set.
    let data_json = serde_json::to_value(data).unwrap_or_default();
    EventBuilderV10::new()
        .id(data.event_id(run))
        .ty(T::TYPE)
        .source(format!("/decant/{function}"))
        .subject(data.job_id().to_string())
        .time(chrono::Utc::now())
        .data("application/json", data_json)
        .build()
        .unwrap_or_default()
}

/// A function's answer to an event.
#[derive(Debug)]
pub enum Reply {
    /// Done, nothing to say.
    Done,
    /// Done, and this happened: the broker publishes it.
    Event(Box<Event>),
}

impl Reply {
    /// Answers with an event.
    pub fn event(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Done => StatusCode::OK.into_response(),
            Self::Event(event) => match to_response(*event) {
                Ok(response) => {
                    let mut response = response.map(Body::new);
                    telemetry::inject(response.headers_mut());
                    response
                }
                Err(error) => {
                    tracing::error!(%error, "the reply can't be written as an event");
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                }
            },
        }
    }
}

/// When to try once more what the broker didn't take: for a little longer than the ten seconds in which its ingress, or
/// RabbitMQ behind it, is started again. After that the sweep announces what got lost.
const TRY_AGAIN_AFTER: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Where a function sends its events: the broker's ingress (`K_SINK`).
#[derive(Debug, Clone)]
pub struct Sink {
    url: Url,
    client: reqwest::Client,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// The broker can't be reached or didn't answer.
    #[error("the broker can't be reached")]
    Unreachable(#[from] reqwest::Error),
    /// The broker answered, but didn't take it.
    #[error("the broker answered {0}")]
    Refused(StatusCode),
    /// The event can't be written as an HTTP request.
    #[error("the event can't be written")]
    Unwritable(#[from] cloudevents::message::Error),
}

impl Sink {
    /// A sink at `url`.
    pub fn new(url: Url) -> Self {
        // The broker answers when its queue has confirmed: seconds at worst. Whoever emits must not hang on it.
        let client = client(Duration::from_secs(10)).unwrap_or_default();
        Self { url, client }
    }

    /// Sends the event, with the current trace. `Ok` means that the broker has it.
    pub async fn emit(&self, event: Event) -> Result<(), EmitError> {
        let id = event.id().to_owned();
        let (parts, body) = to_response(event)?.into_parts();
        let body = body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let mut headers: HeaderMap = parts.headers;
        telemetry::inject(&mut headers);
        let response = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await?;
        if !response.status().is_success() {
            return Err(EmitError::Refused(response.status()));
        }
        tracing::debug!(event.id = id, "event emitted");
        Ok(())
    }

    /// Tries on beside whatever the caller does next, for half a minute. Nothing hangs on it, and it doesn't outlive the
    /// function.
    pub fn keep_trying(&self, event: Event) {
        let sink = self.clone();
        let trying = async move {
            for pause in TRY_AGAIN_AFTER {
                sleep(pause).await;
                if sink.emit(event.clone()).await.is_ok() {
                    tracing::info!(event.id = event.id(), "event emitted after all");
                    return;
                }
            }
        };
        tokio::spawn(trying.in_current_span());
    }
}
