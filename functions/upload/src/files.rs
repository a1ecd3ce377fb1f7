//! Uploads that go on after a break, by the tus protocol 1.0.0 (<https://tus.io/protocols/resumable-upload>): its core
//! and the extensions creation, creation-with-upload, termination, expiration and checksum.
//!
//! - `create`: an upload begins.
//! - `goes_on`: what becomes of one that has begun: how far it is, the next bytes, an end before its time.
//! - `piece`: one request's bytes on their way into the store.
//! - `metadata`, `checksum`, `headers`: what the protocol writes into headers.
//!
//! Invariants:
//! - An offset that was told to a client is durable, and never goes back.
//! - Nothing about an upload is in this process alone: any other goes on with it.
//! - Nobody who stopped sending keeps others from going on for longer than `piece::LEASE`.

mod checksum;
mod create;
mod goes_on;
mod headers;
mod metadata;
mod piece;

use crate::{App, error::Error, upload::linger};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{head, post},
};
use decant_function::tasks;
use std::panic::resume_unwind;
use tracing::Instrument;

/// The version of the protocol.
pub(crate) const VERSION: &str = "1.0.0";

const EXTENSIONS: &str = "creation,creation-with-upload,termination,expiration,checksum";

/// The protocol's routes, and what holds for each of them.
pub(crate) fn routes() -> Router<App> {
    let upload = head(goes_on::tell)
        .patch(goes_on::patch)
        .delete(goes_on::terminate)
        .post(goes_on::overridden)
        .options(options);
    Router::new()
        .route("/files", post(create::create).options(options))
        .route("/files/{id}", upload)
        // No limit of axum's: each piece is counted against the length that its upload announced.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(in_our_version))
}

/// Refuses other versions of the protocol, and says in every answer which one it is.
async fn in_our_version(request: Request, next: Next) -> Response {
    let version = request.headers().get("tus-resumable");
    let is_ours = version.is_some_and(|version| version == VERSION);
    let mut answer = if is_ours || request.method() == Method::OPTIONS {
        next.run(request).await
    } else {
        tasks::spawn(linger(request.into_body().into_data_stream()));
        Error::TusVersion.into_response()
    };
    let headers = answer.headers_mut();
    headers.insert("tus-resumable", HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What is understood here. Needs no token.
async fn options(State(app): State<App>) -> impl IntoResponse {
    let headers = [
        ("tus-version", VERSION.to_owned()),
        ("tus-extension", EXTENSIONS.to_owned()),
        ("tus-max-size", app.max_upload_bytes.to_string()),
        ("tus-checksum-algorithm", checksum::ALGORITHMS.to_owned()),
    ];
    (StatusCode::NO_CONTENT, headers)
}

/// In a task of its own: when the connection breaks, it still sees to it that what came is kept and others can go on.
async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    tasks::spawn(work.in_current_span())
        .await
        .unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
}
