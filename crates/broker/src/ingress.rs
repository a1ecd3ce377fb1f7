//! The Broker's door: events come in over HTTP.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::post,
};
use cloudevents::AttributesReader as _;
use http::{HeaderMap, StatusCode};

use crate::{BadEvent, Broker, MAX_EVENT_BYTES, Message, QueueError, Trace};

/// `POST /`. GET is 405 and any other path 404, as at the real ingress.
pub(crate) fn router(broker: Broker) -> Router {
    Router::new()
        .route("/", post(accept))
        .layer(DefaultBodyLimit::max(MAX_EVENT_BYTES))
        .with_state(broker)
}

/// 202 when the queues have confirmed the event; also when no Trigger wants it.
async fn accept(
    State(broker): State<Broker>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let message = Message::from_http(&headers, body, Trace::from_headers(&headers))?;
    tracing::debug!(event.id = message.event.id(), event.type = message.event.ty(), "event taken in");
    broker.queues().publish(message).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// Sending it again is of no use.
    #[error(transparent)]
    Bad(#[from] BadEvent),
    /// Sending it again is, but for [`QueueError::Unfit`].
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Bad(_) | Self::Queue(QueueError::Unfit(_)) => StatusCode::BAD_REQUEST,
            Self::Queue(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        tracing::warn!(http.status = status.as_u16(), error = %self, "event not taken in");
        (status, self.to_string()).into_response()
    }
}
