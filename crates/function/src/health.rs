use crate::{ProblemDetails, telemetry};
use async_trait::async_trait;
use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use std::sync::Arc;

/// Says whether a function could do its work now.
#[async_trait]
pub trait Ready: Send + Sync + 'static {
    /// Asks what the function needs: a store, a database, a key.
    async fn ready(&self) -> Result<(), NotReady>;
}

/// What a function lacks.
#[derive(Debug, thiserror::Error)]
#[error("not ready: {0}")]
pub struct NotReady(pub String);

pub(crate) fn routes(ready: impl Ready) -> Router {
    let ready = Arc::new(ready);
    alive().route(
        "/health/readiness",
        get(move || {
            let ready = Arc::clone(&ready);
            async move { ready.ready().await.map(|()| "ready\n").map_err(not_ready) }
        }),
    )
}

/// What needs nothing but the process.
pub(crate) fn alive() -> Router {
    Router::new().route("/health/liveness", get(|| async { "alive\n" }))
}

fn not_ready(lack: NotReady) -> ProblemDetails {
    tracing::warn!(function = telemetry::function(), error = %lack, "readiness failed");
    ProblemDetails::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not-ready",
        lack.to_string(),
    )
    .with_header(header::RETRY_AFTER, 5)
}
