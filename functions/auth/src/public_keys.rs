use crate::App;
use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};

/// `GET /.well-known/jwks.json`: the keys that verify our tokens (RFC 7517).
pub(crate) async fn public_keys(State(app): State<App>) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "application/jwk-set+json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, app.tokens.public_keys().to_owned())
}
