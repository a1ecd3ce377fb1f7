//! Logs, traces and metrics.
//!
//! Traces follow a job from the upload to the mail: HTTP's `traceparent` comes in with every request and goes out with
//! every event and reply, whether spans are exported or not. They are exported by OTLP over HTTP where one of the
//! standard `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.

use axum::http::{HeaderMap, HeaderValue};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use std::{io::IsTerminal, sync::OnceLock, time::Duration};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

const METRICS_UPKEEP: Duration = Duration::from_secs(30);

static FUNCTION: OnceLock<&str> = OnceLock::new();

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Flushes what is not yet exported when dropped.
#[must_use = "dropping it ends the export"]
pub struct Telemetry(SdkTracerProvider);

impl Drop for Telemetry {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}

/// Why logs, traces or metrics can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("telemetry: {0}")]
pub struct TelemetryError(String);

/// Sets up the telemetry of the process. Logs go to standard error: as text on a terminal, as JSON lines elsewhere.
/// `RUST_LOG` filters them (default `info`, and `lapin=off`: what it says of a lost connection, the broker says too).
pub fn init(function: &'static str) -> Result<Telemetry, TelemetryError> {
    let _ = FUNCTION.set(function);
    let provider = tracer_provider(function)?;
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,lapin=off"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.with_target(false).boxed()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed()
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("decant")))
        .try_init()
        .map_err(|error| TelemetryError(error.to_string()))?;
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| TelemetryError(error.to_string()))?;
    let _ = METRICS.set(metrics);
    // Without upkeep, histograms keep every sample until somebody reads them.
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(METRICS_UPKEEP);
            METRICS.get().map(PrometheusHandle::run_upkeep);
        }
    });
    Ok(Telemetry(provider))
}

fn tracer_provider(function: &'static str) -> Result<SdkTracerProvider, TelemetryError> {
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(format!("decant-{function}"));
    }
    let provider = SdkTracerProvider::builder().with_resource(resource.build());
    let exports = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ];
    if exports.iter().all(|name| std::env::var_os(name).is_none()) {
        return Ok(provider.build());
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .build()
        .map_err(|error| TelemetryError(error.to_string()))?;
    Ok(provider.with_batch_exporter(exporter).build())
}

/// The function that this process is: for lines that every function writes.
pub(crate) fn function() -> &'static str {
    FUNCTION.get().copied().unwrap_or("unnamed")
}

/// The metrics so far, in Prometheus' text format.
pub(crate) async fn metrics() -> String {
    METRICS
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Makes `span` a child of the trace that the headers carry, if they carry one.
pub(crate) fn adopt(span: &Span, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if context.span().span_context().is_valid() {
        let _ = span.set_parent(context);
    }
}

/// Puts the current trace into the headers.
pub fn inject(headers: &mut HeaderMap) {
    TraceContextPropagator::new()
        .inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}

/// The current trace as a W3C `traceparent`, to be kept with a job.
pub fn traceparent() -> Option<String> {
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Makes `span` part of the trace that a job's `traceparent` names.
pub fn resume(span: &Span, traceparent: Option<&str>) {
    if let Some(value) = traceparent.and_then(|text| HeaderValue::from_str(text).ok()) {
        adopt(
            span,
            &HeaderMap::from_iter([(http::HeaderName::from_static("traceparent"), value)]),
        );
    }
}
