use axum::{extract::FromRequestParts, http::request::Parts};
use std::convert::Infallible;
use tokio_util::sync::CancellationToken;

/// Tells an answer without an end that the function is asked to stop: draining would wait for it. A handler gets it by taking
/// it.
#[derive(Debug, Clone, Default)]
pub struct Draining(CancellationToken);

impl Draining {
    /// Ends when the function takes nothing new any more.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }

    pub(crate) fn begin(&self) {
        self.0.cancel();
    }
}

impl<S: Sync> FromRequestParts<S> for Draining {
    type Rejection = Infallible;

    /// Where nobody serves, as in tests of a router, nobody is asked to stop.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
