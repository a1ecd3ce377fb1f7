use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// An error as people and programs get it over HTTP: `application/problem+json` (RFC 9457) with a stable `code`.
#[derive(Debug)]
pub struct ProblemDetails {
    status: StatusCode,
    code: &'static str,
    detail: String,
    headers: HeaderMap,
}

impl ProblemDetails {
    /// `code` is a stable word in kebab-case; `detail` says what happened and what to do next.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            headers: HeaderMap::new(),
        }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// The answer to a path that leads nowhere.
    pub(crate) async fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing at this address.",
        )
    }

    /// The answer to a method that a path doesn't know.
    pub(crate) async fn no_such_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This address doesn't know that method; the Allow header says which it knows.",
        )
    }

    /// The answer of a handler that panicked: our fault, never the caller's.
    pub(crate) fn panicked() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something broke on our side. Please try again later.",
        )
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            // A status that HTTP itself doesn't know has no phrase.
            "title": self.status.canonical_reason().unwrap_or(self.code),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, self.headers, content_type, Json(body)).into_response()
    }
}
