use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{Next, from_fn},
};
use std::{str::FromStr, time::Duration};
use tower::ServiceExt;
use tower_http::cors::CorsLayer;
use url::Url;

/// How long a browser may remember what it was allowed. Chromium forgets after two hours whatever we say.
const REMEMBERED: Duration = Duration::from_secs(2 * 60 * 60);

const METHODS: [Method; 5] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
];

/// What another site's page may send. Never `X-CSRF-Token`: sessions are for our own pages.
const TAKEN: [&str; 17] = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "last-event-id",
    "range",
    "tus-resumable",
    "upload-checksum",
    "upload-concat",
    "upload-defer-length",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "x-http-method-override",
];

/// What another site's page may read.
const SHOWN: [&str; 15] = [
    "accept-ranges",
    "content-disposition",
    "content-range",
    "etag",
    "link",
    "location",
    "retry-after",
    "tus-checksum-algorithm",
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-expires",
    "upload-length",
    "upload-offset",
];

/// The sites whose pages may call the door with a Bearer token: origins, separated by commas. None, if empty.
#[derive(Debug, Clone, Default)]
pub struct CorsOrigins(Vec<HeaderValue>);

impl CorsOrigins {
    /// The routes, with these sites' pages let in. A session's cookie is never asked for, so that it never counts.
    pub(crate) fn let_in(self, routes: Router) -> Router {
        if self.0.is_empty() {
            return routes;
        }
        let layer = CorsLayer::new()
            .allow_origin(self.0)
            .allow_methods(METHODS)
            .allow_headers(TAKEN.map(HeaderName::from_static))
            .expose_headers(SHOWN.map(HeaderName::from_static))
            .max_age(REMEMBERED);
        let plain = routes.clone();
        // The layer takes every OPTIONS for a browser's question, and there are others: tus asks what a server can do.
        let others = move |request: Request, next: Next| {
            let plain = plain.clone();
            async move {
                let asks = request
                    .headers()
                    .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
                match request.method() == Method::OPTIONS && !asks {
                    true => plain
                        .oneshot(request)
                        .await
                        .unwrap_or_else(|never| match never {}),
                    false => next.run(request).await,
                }
            }
        };
        routes.layer(layer).layer(from_fn(others))
    }
}

impl FromStr for CorsOrigins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|text| {
                origin(text).ok_or_else(|| {
                    format!("expected origins such as https://app.example.com, got {text}")
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// An origin as browsers write it: scheme, host, and a port where it isn't the scheme's own.
fn origin(text: &str) -> Option<HeaderValue> {
    let url: Url = text.parse().ok()?;
    let web = matches!(url.scheme(), "http" | "https");
    let origin = url.origin().ascii_serialization();
    // As it is compared: anything that would never fit is refused now.
    (web && origin == text).then(|| origin.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for text in [
            "",
            "https://app.example.com",
            "http://localhost:5173, https://[::1]:8443",
        ] {
            assert!(text.parse::<CorsOrigins>().is_ok(), "{text} was refused");
        }
        for text in [
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://a:443",
            "HTTPS://a",
            "ftp://a",
        ] {
            assert!(text.parse::<CorsOrigins>().is_err(), "{text} was taken");
        }
    }
}
