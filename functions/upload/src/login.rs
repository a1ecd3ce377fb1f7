use crate::{App, error::Error};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use decant_function::{ClientAddress, reasons, telemetry};
use std::time::Duration;

/// What auth needs to know of the caller, and what the caller needs to know of auth's answer.
const TO_AUTH: [HeaderName; 2] = [header::AUTHORIZATION, header::ACCEPT];
const FROM_AUTH: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    header::RETRY_AFTER,
    header::VARY,
    header::WWW_AUTHENTICATE,
];

/// How long a login may take: hashes wait for each other, a person doesn't for long.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// Passes a login on to auth, with the client's address, which auth throttles by.
pub(crate) async fn login(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let client = app.trusted_proxies.client(peer, &headers);
    let mut request = app
        .client
        .post(app.login_url.clone())
        .header("x-forwarded-for", client.to_string())
        .headers(pick(&headers, &TO_AUTH));
    let mut trace = HeaderMap::new();
    telemetry::inject(&mut trace);
    request = request.headers(trace);
    let answer = request.send().await.map_err(|error| {
        tracing::error!(error = reasons(&error), "auth can't be reached");
        Error::AuthAway
    })?;
    let (status, headers) = (answer.status(), pick(answer.headers(), &FROM_AUTH));
    let body = answer.bytes().await.map_err(|_| Error::AuthAway)?;
    Ok((status, headers, Body::from(body)).into_response())
}

fn pick(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    names
        .iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
        .collect()
}
