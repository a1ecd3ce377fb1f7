use crate::error::Error;
use axum::http::{HeaderMap, header};
use decant_events::LinkSecret;

/// The cookie's name.
pub(crate) const NAME: &str = "decant_session";

/// How long a session lives without being used, in seconds.
pub(crate) const IDLE_S: u64 = 15 * 60;

/// How old the cookie is when it is renewed, in seconds: not at each request, of which a page makes many at once.
const RENEW_AFTER_S: u64 = 60;

/// A browser's session: a token of auth's and when it was last used, sealed with `LINK_SECRET`. The cookie holds all of it,
/// so that every replica knows every session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) token: String,
    /// In seconds since 1970.
    renewed: u64,
}

impl Session {
    /// A session of this token's owner that begins, or goes on, `now` (seconds since 1970).
    pub(crate) fn at(now: u64, token: String) -> Self {
        Self {
            token,
            renewed: now,
        }
    }

    /// The session whose cookie came with a request, if one did. It may be over ([`Error::ExpiredToken`]), or not ours.
    pub(crate) fn of(
        headers: &HeaderMap,
        secret: &LinkSecret,
        now: u64,
    ) -> Result<Option<Self>, Error> {
        let Some(cookie) = cookie(headers) else {
            return Ok(None);
        };
        let mut parts = cookie.splitn(3, '.');
        let (Some(renewed), Some(seal), Some(token)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::InvalidToken);
        };
        let renewed = renewed.parse().map_err(|_| Error::InvalidToken)?;
        let session = Self::at(renewed, token.to_owned());
        if !secret.verify(&session.sealed_text(), seal) {
            return Err(Error::InvalidToken);
        }
        if session.age_s(now) >= IDLE_S {
            return Err(Error::ExpiredToken);
        }
        Ok(Some(session))
    }

    /// Whether the cookie is old enough to be renewed.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.age_s(now) > RENEW_AFTER_S
    }

    /// What a page proves with that it may read this session's answers, which another site's page can't. The same as long
    /// as the token is.
    pub(crate) fn csrf_token(&self, secret: &LinkSecret) -> String {
        secret.sign(&self.csrf_text())
    }

    /// Whether it is this session's, compared in constant time.
    pub(crate) fn is_csrf_token(&self, given: &str, secret: &LinkSecret) -> bool {
        secret.verify(&self.csrf_text(), given)
    }

    /// The cookie's value: `renewed.seal.token`.
    pub(crate) fn seal(&self, secret: &LinkSecret) -> String {
        let seal = secret.sign(&self.sealed_text());
        format!("{}.{seal}.{}", self.renewed, self.token)
    }

    fn age_s(&self, now: u64) -> u64 {
        now.saturating_sub(self.renewed) // another replica's clock may be ahead
    }

    fn sealed_text(&self) -> String {
        format!("decant session {} {}", self.renewed, self.token)
    }

    fn csrf_text(&self) -> String {
        format!("decant csrf {}", self.token)
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == NAME).then_some(value))
}
