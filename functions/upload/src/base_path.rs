use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use std::{fmt, str::FromStr, sync::Arc};

/// What stays at the root too: whoever probes a pod or reads its metrics needn't know where its door is.
const AT_THE_ROOT: [&str; 2] = ["/health/", "/metrics"];

/// The path that everything is below: empty, or such as `/decant`. Handlers know nothing of it: it is taken off what
/// comes in, and put before the paths in `Location` and `Link` of what goes out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(Arc<str>);

impl BasePath {
    /// The path of what is below, with no slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of a cookie that only what is below gets.
    pub(crate) fn root(&self) -> &str {
        match self.as_str() {
            "" => "/",
            path => path,
        }
    }

    /// The routes, below this path.
    pub(crate) fn lay_below(self, routes: Router) -> Router {
        if self.0.is_empty() {
            return routes;
        }
        // Around the router, not within: a layer of its own sees a request after its route is found.
        Router::new()
            .fallback_service(routes)
            .layer(from_fn_with_state(self, below))
    }

    /// The path and query that a handler gets, if they are below this path.
    fn take_off(&self, uri: &Uri) -> Option<PathAndQuery> {
        let rest = uri.path_and_query()?.as_str().strip_prefix(&*self.0)?;
        rest.starts_with('/').then(|| rest.parse().ok()).flatten()
    }

    /// `/jobs/…` in a `Location`, `</jobs?…>` in a `Link`.
    fn put_before(&self, value: &HeaderValue) -> Option<HeaderValue> {
        let text = value.to_str().ok()?;
        let (open, path) = match text.strip_prefix('<') {
            Some(path) => ("<", path),
            None => ("", text),
        };
        let ours = path.starts_with('/') && !path.starts_with("//");
        ours.then(|| HeaderValue::from_str(&format!("{open}{}{path}", self.0)).ok())?
    }
}

async fn below(
    axum::extract::State(base): axum::extract::State<BasePath>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if path == base.as_str() {
        // What a page says relatively to its own address is below only with the slash.
        let location = [(header::LOCATION, format!("{path}/"))];
        return (StatusCode::PERMANENT_REDIRECT, location).into_response();
    }
    match base.take_off(request.uri()) {
        Some(rest) => *request.uri_mut() = Uri::from(rest),
        None if AT_THE_ROOT.iter().any(|root| path.starts_with(root)) => {}
        None => *request.uri_mut() = Uri::from_static("/-"), // leads nowhere, which the routes answer as always
    }
    let mut response = next.run(request).await;
    for name in [header::LOCATION, header::LINK] {
        let longer = response
            .headers()
            .get(&name)
            .and_then(|value| base.put_before(value));
        if let Some(longer) = longer {
            response.headers_mut().insert(name, longer);
        }
    }
    response
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.trim_end_matches('/');
        let plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        };
        match path.strip_prefix('/') {
            None if path.is_empty() => Ok(Self::default()),
            Some(rest) if rest.split('/').all(plain) => Ok(Self(path.into())),
            _ => Err(
                "expected a path such as /decant, of letters, digits, `-`, `.`, `_`, `~`".into(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_plain_segments_or_nothing() {
        for (text, path) in [
            ("", ""),
            ("/", ""),
            ("/decant", "/decant"),
            ("/a/b-1/", "/a/b-1"),
        ] {
            assert_eq!(
                text.parse::<BasePath>().map(|base| base.to_string()),
                Ok(path.to_owned())
            );
        }
        for text in [
            "decant",
            "/a b",
            "/a//b",
            "/..",
            "/a;Path=/",
            "/a?b",
            "//host",
        ] {
            assert!(text.parse::<BasePath>().is_err(), "{text} was taken");
        }
    }

    #[test]
    fn only_our_own_paths_get_longer() {
        let base: BasePath = "/decant".parse().expect("a path");
        let longer = |text: &'static str| {
            let longer = base.put_before(&HeaderValue::from_static(text));
            longer.map(|value| value.to_str().expect("text").to_owned())
        };
        assert_eq!(longer("/jobs/1").as_deref(), Some("/decant/jobs/1"));
        assert_eq!(
            longer("</jobs?cursor=1>; rel=\"next\"").as_deref(),
            Some("</decant/jobs?cursor=1>; rel=\"next\"")
        );
        assert_eq!(longer("//elsewhere/"), None);
        assert_eq!(longer("https://elsewhere/"), None);
    }
}
