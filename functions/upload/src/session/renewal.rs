use super::{SignedIn, cookie::Session, now, set_cookie};
use crate::App;
use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::Response,
};
use decant_function::ClientAddress;
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// How long an answer may have taken to renew a session: a later one could bring back a session that was ended meanwhile.
const PROMPT: Duration = Duration::from_secs(10);

/// The session that a request was answered for, if it is due to be renewed.
#[derive(Clone, Default)]
pub(super) struct Renewal(Arc<OnceLock<SignedIn>>);

impl Renewal {
    pub(super) fn note(&self, signed_in: &SignedIn) {
        let _ = self.0.set(signed_in.clone()); // one request has one session
    }
}

/// The layer that renews sessions: the answer to who uses one brings its next cookie.
pub(crate) async fn renew(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let https = app.trusted_proxies.https(peer, request.headers());
    let renewal = Renewal::default();
    request.extensions_mut().insert(renewal.clone());
    let mut response = next.run(request).await;
    let Some(signed_in) = renewal.0.get() else {
        return response;
    };
    // Signing in and out set their own.
    if began.elapsed() < PROMPT && !response.headers().contains_key(header::SET_COOKIE) {
        let session = Session::at(now(), signed_in.session.token.clone());
        let cookie = set_cookie(&app, &session, signed_in.person.until, https);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
