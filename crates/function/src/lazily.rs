use crate::{ProblemDetails, health, reasons, telemetry};
use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    error::Error,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tower::ServiceExt;

/// How long a try that failed stands for all who ask.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long a try may take. What it connects to has limits of its own, which are shorter.
const TRY: Duration = Duration::from_secs(60);

type Connected = Pin<Box<dyn Future<Output = Result<Router, Box<dyn Error + Send + Sync>>> + Send>>;

/// A function that is alive before it has what it works with. The first request that needs it has `connect` make the
/// router; until that has gone well, requests get 503 `not-ready`, and the next one after a second tries again. Health's
/// liveness and metrics need nothing.
pub fn lazily<T, F>(
    settings: Arc<T>,
    connect: impl Fn(Arc<T>) -> F + Send + Sync + 'static,
) -> Router
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<Router, Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let lazy = Arc::new(Lazy {
        connect: Box::new(move || Box::pin(connect(Arc::clone(&settings)))),
        router: OnceLock::new(),
        failed: Mutex::new(None),
    });
    health::alive()
        .route("/metrics", get(telemetry::metrics))
        .method_not_allowed_fallback(ProblemDetails::no_such_method)
        .fallback(move |request| answer(Arc::clone(&lazy), request))
}

async fn answer(lazy: Arc<Lazy>, request: Request) -> Response {
    match lazy.router().await {
        Some(router) => router.oneshot(request).await.into_response(),
        None => ProblemDetails::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            "not ready: what this function works with can't be reached; its log says why",
        )
        .with_header(header::RETRY_AFTER, 5)
        .into_response(),
    }
}

struct Lazy {
    connect: Box<dyn Fn() -> Connected + Send + Sync>,
    router: OnceLock<Router>,
    /// When the last try failed. Held while one is under way.
    failed: Mutex<Option<Instant>>,
}

impl Lazy {
    async fn router(self: Arc<Self>) -> Option<Router> {
        if let Some(router) = self.router.get() {
            return Some(router.clone());
        }
        // A task of its own: a caller that goes away doesn't take the try of all others with it.
        let connecting = tokio::spawn(async move { self.connected().await });
        connecting.await.ok().flatten()
    }

    /// One try at a time. Those who waited for it share what came of it.
    async fn connected(&self) -> Option<Router> {
        let asked = Instant::now();
        let mut failed = self.failed.lock().await;
        if let Some(router) = self.router.get() {
            return Some(router.clone());
        }
        if failed.is_some_and(|failed| asked < failed + AGAIN_AFTER) {
            return None;
        }
        *failed = Some(asked); // as after an error, should it panic
        let connecting = timeout(TRY, (self.connect)()).await;
        match connecting.unwrap_or_else(|late| Err(late.into())) {
            Ok(router) => Some(self.router.get_or_init(|| router).clone()),
            Err(error) => {
                let error = reasons(error.as_ref());
                tracing::warn!(function = telemetry::function(), error, "can't connect yet");
                *failed = Some(Instant::now());
                None
            }
        }
    }
}
