use crate::{App, error::Error, openapi::Token};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use decant_function::{ClientAddress, reasons, telemetry};
use std::{net::IpAddr, time::Duration};

/// What the caller needs to know of auth's answer.
const FROM_AUTH: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    header::RETRY_AFTER,
    header::VARY,
    header::WWW_AUTHENTICATE,
];

/// How long a login may take: hashes wait for each other, a person doesn't for long.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// Gives a token.
///
/// As plain text, or as JSON where `Accept` prefers it.
// It passes the login on to auth.
#[utoipa::path(
    post,
    path = "/login",
    tag = "signing in",
    security(("basic" = [])),
    responses((status = 200, description = "A token", content((String = "text/plain"), (Token = "application/json")))),
    extensions(("x-errors" = json!([
        "missing-credentials", "wrong-credentials", "too-many-failures", "busy", "users-unavailable", "auth-unavailable"
    ])))
)]
pub(crate) async fn login(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let accept = headers.get(header::ACCEPT).cloned();
    let answer = Answer::of_auth(&app, peer, &headers, accept).await?;
    Ok(answer.into_response())
}

/// What auth answers to somebody's credentials.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Asks auth with the caller's `Authorization`, and tells it the client's address, which it throttles by.
    pub(crate) async fn of_auth(
        app: &App,
        peer: IpAddr,
        headers: &HeaderMap,
        accept: Option<HeaderValue>,
    ) -> Result<Self, Error> {
        let client = app.trusted_proxies.client(peer, headers);
        let mut to_auth = pick(headers, &[header::AUTHORIZATION]);
        to_auth.extend(accept.map(|accept| (header::ACCEPT, accept)));
        telemetry::inject(&mut to_auth);
        let request = app
            .client
            .post(app.login_url.clone())
            .header("x-forwarded-for", client.to_string())
            .headers(to_auth);
        let answer = request.send().await.map_err(|error| {
            tracing::error!(error = reasons(&error), "auth can't be reached");
            Error::AuthAway
        })?;
        Ok(Self {
            status: answer.status(),
            headers: pick(answer.headers(), &FROM_AUTH),
            body: answer.bytes().await.map_err(|_| Error::AuthAway)?,
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, Body::from(self.body)).into_response()
    }
}

fn pick(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    names
        .iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
        .collect()
}
