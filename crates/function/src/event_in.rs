use crate::ProblemDetails;
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use cloudevents::{AttributesReader, Data, Event, binding::http::to_event};
use decant_events::EventData;

/// The largest event that is read. The contract's own stay far below it.
const LARGEST_BYTES: usize = 64 * 1024;

/// A CloudEvent of any type, in binary or structured mode.
///
/// A malformed one gets 400, which brokers take as final: it is logged with its id and counted first.
#[derive(Debug, Clone)]
pub struct AnyEvent(pub Event);

/// The data of a CloudEvent of one type.
#[derive(Debug, Clone)]
pub struct CloudEvent<T>(pub T);

impl AnyEvent {
    /// The event's type.
    pub fn ty(&self) -> &str {
        self.0.ty()
    }

    /// The event's data, if it is an event of this type and its data has the type's shape.
    pub fn data<T: EventData>(&self) -> Result<T, String> {
        if self.0.ty() != T::TYPE {
            return Err(format!("expected an event of type {}", T::TYPE));
        }
        let data = match self.0.data() {
            Some(Data::Binary(bytes)) => serde_json::from_slice(bytes),
            Some(Data::String(text)) => serde_json::from_str(text),
            Some(Data::Json(value)) => serde_json::from_value(value.clone()),
            None => return Err("expected data".into()),
        };
        data.map_err(|error| format!("data of {}: {error}", T::TYPE))
    }
}

impl<S: Send + Sync> FromRequest<S> for AnyEvent {
    type Rejection = Response;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST_BYTES)
            .await
            .map_err(|error| reject(&parts.headers, &format!("body: {error}")))?;
        to_event(&parts.headers, body.to_vec())
            .map(Self)
            .map_err(|error| reject(&parts.headers, &error.to_string()))
    }
}

impl<S: Send + Sync, T: EventData> FromRequest<S> for CloudEvent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let headers = request.headers().clone();
        let event = AnyEvent::from_request(request, state).await?;
        event.data().map(Self).map_err(|why| reject(&headers, &why))
    }
}

fn reject(headers: &HeaderMap, why: &str) -> Response {
    let id = headers
        .get("ce-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or("unknown");
    tracing::warn!(event.id = id, error = why, "malformed event refused");
    metrics::counter!("decant_events_refused_total").increment(1);
    ProblemDetails::new(
        StatusCode::BAD_REQUEST,
        "malformed-event",
        format!("Not an event that is understood here: {why}"),
    )
    .into_response()
}
