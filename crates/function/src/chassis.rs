use crate::{ProblemDetails, Ready, health, telemetry};
use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderName, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::time::Duration;
use tower_http::{
    catch_panic::CatchPanicLayer,
    sensitive_headers::{SetSensitiveRequestHeadersLayer, SetSensitiveResponseHeadersLayer},
    trace::TraceLayer,
};
use tracing::{Span, field};

/// What every function answers besides its own routes, and the layers around them: health, metrics, a span for each
/// request that continues the caller's trace, problem+json for lost paths and panics.
pub fn chassis(routes: Router, ready: impl Ready) -> Router {
    let traced = routes
        .fallback(ProblemDetails::no_such_path)
        .method_not_allowed_fallback(ProblemDetails::no_such_method)
        .layer(CatchPanicLayer::custom(|_| {
            ProblemDetails::panicked().into_response()
        }))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_response(answered),
        )
        .layer(SetSensitiveResponseHeadersLayer::new([header::SET_COOKIE]))
        .layer(SetSensitiveRequestHeadersLayer::new([
            header::AUTHORIZATION,
            header::COOKIE,
            HeaderName::from_static("x-csrf-token"),
        ]));
    // Probes come every few seconds: outside the spans.
    let probed = health::routes(ready).route("/metrics", get(telemetry::metrics));
    traced.merge(probed.method_not_allowed_fallback(ProblemDetails::no_such_method))
}

fn span(request: &Request) -> Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = field::Empty,
    );
    telemetry::adopt(&span, request.headers());
    span
}

fn answered(response: &Response, elapsed: Duration, span: &Span) {
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        http.response.status_code = status,
        elapsed_ms,
        function = telemetry::function(),
        "answered"
    );
}
