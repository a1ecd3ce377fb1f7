use crate::{App, accept, error::Error, sign_in::Credentials};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use axum_extra::{
    TypedHeader,
    headers::{Authorization, authorization::Basic},
    typed_header::TypedHeaderRejection,
};
use decant_function::ClientAddress;
use serde_json::json;

/// `POST /login`: HTTP Basic in, a token out. The bare token, as the older system gives it, or JSON where the caller
/// prefers it: `{"token", "token_type": "Bearer", "expires_in"}` (seconds).
pub(crate) async fn login(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    headers: HeaderMap,
    basic: Result<TypedHeader<Authorization<Basic>>, TypedHeaderRejection>,
) -> Result<Response, Error> {
    let TypedHeader(Authorization(basic)) = basic.map_err(|_| Error::MissingCredentials)?;
    let client = app.trusted_proxies.client(peer, &headers);
    let credentials = Credentials::new(basic.username(), basic.password());
    let user = app.sign_in(credentials, client).await?;
    let token = app.tokens.issue(&user)?;

    let body = if accept::prefers_json(&headers) {
        Json(json!({
            "token": token.text,
            "token_type": "Bearer",
            "expires_in": token.lifetime.as_secs(),
        }))
        .into_response()
    } else {
        token.text.into_response()
    };
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept"),
    ];
    Ok((headers, body).into_response())
}
