use crate::{ProblemDetails, Ready, ServerConfig, health, telemetry};
use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use listenfd::ListenFd;
use std::{future::Future, io, net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tower_http::{
    catch_panic::CatchPanicLayer, sensitive_headers::SetSensitiveRequestHeadersLayer,
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
        .layer(SetSensitiveRequestHeadersLayer::new([
            header::AUTHORIZATION,
            header::COOKIE,
        ]));
    // Probes come every few seconds: outside the spans.
    traced
        .merge(health::routes(ready))
        .merge(Router::new().route("/metrics", get(telemetry::metrics)))
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
    tracing::info!(http.response.status_code = status, elapsed_ms, "answered");
}

/// Serves until SIGTERM or Ctrl-C, then drains. Listens on the socket that it was handed (`LISTEN_FDS`), else binds.
pub async fn serve(config: &ServerConfig, router: Router) -> io::Result<()> {
    let listener = listen(config).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    run(
        listener,
        router,
        asked_to_stop(config.stdin_is_lifeline),
        config.shutdown_grace,
    )
    .await
}

/// Serves until `shutdown` ends; then takes nothing new and lets what runs go on for `grace` at most.
pub async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let server = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async move {
        shutdown.await;
        tracing::info!("draining");
        let _ = stopping.send(());
    });
    let out_of_time = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(grace).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = server => ended,
        () = out_of_time => {
            tracing::warn!(grace_s = grace.as_secs(), "requests still ran when the grace was over");
            Ok(())
        }
    }
}

async fn listen(config: &ServerConfig) -> io::Result<TcpListener> {
    match ListenFd::from_env().take_tcp_listener(0)? {
        Some(handed) => {
            // Nothing that this process starts may inherit it.
            rustix::io::fcntl_setfd(&handed, rustix::io::FdFlags::CLOEXEC)?;
            handed.set_nonblocking(true)?;
            TcpListener::from_std(handed)
        }
        None => TcpListener::bind((config.host, config.port))
            .await
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!(
                        "PORT: can't listen on {}:{}: {error}",
                        config.host, config.port
                    ),
                )
            }),
    }
}

async fn asked_to_stop(stdin_is_lifeline: bool) {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    let lifeline_cut = async {
        if !stdin_is_lifeline {
            return std::future::pending().await;
        }
        // A thread of its own: tokio's stdin would keep the runtime from ending.
        let (cut, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            let _ = cut.send(());
        });
        let _ = end.await;
    };
    tokio::select! {
        _ = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
        () = lifeline_cut => {}
    }
}
