use crate::{Draining, ServerConfig, stop::asked_to_stop, tasks, telemetry};
use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use listenfd::ListenFd;
use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};

/// How many connections are open at once. More wait in the socket's backlog: without an end to them, idle ones would
/// use up the process's descriptors (1,024, usually) and with them the store's.
const CONNECTIONS: usize = 512;

/// What is read of a connection ahead of who wants it. hyper's own is 400 KiB, for each of many uploads.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long a caller may take to send a request's headers, or to send the next request.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// The pause after a connection can't be accepted, for want of descriptors mostly.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until SIGTERM or Ctrl-C, then drains. Listens on the socket that it was handed (`LISTEN_FDS`), else binds.
pub async fn serve(config: &ServerConfig, router: Router) -> io::Result<()> {
    let listener = listen(config).await?;
    tracing::info!(function = telemetry::function(), address = %listener.local_addr()?, "listening");
    run(
        listener,
        router,
        asked_to_stop(config.stdin_is_lifeline),
        config.shutdown_grace,
    )
    .await;
    Ok(())
}

/// Serves until `shutdown` ends; then takes nothing new and lets what runs, requests and [`tasks`], go on for `grace` at
/// most.
pub async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let connections = GracefulShutdown::new();
    let draining = Draining::default();
    let open = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, peer, permit) = accept(&listener, &open) => {
                let router = router
                    .clone()
                    .layer(Extension(ConnectInfo(peer)))
                    .layer(Extension(draining.clone()));
                tokio::spawn(answer(stream, router, connections.watcher(), permit));
            }
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    draining.begin();
    tracing::info!(function = telemetry::function(), "draining");
    let end = Instant::now() + grace;
    let drained = async {
        connections.shutdown().await;
        tasks::ended().await;
    };
    if timeout_at(end, drained).await.is_err() {
        tracing::warn!(
            grace_s = grace.as_secs(),
            "work went on when the grace was over"
        );
    }
}

async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(open).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Answers one connection's requests. A caller that goes away drops the request that is under way.
async fn answer(
    stream: TcpStream,
    router: Router,
    watcher: Watcher,
    _permit: Option<OwnedSemaphorePermit>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke");
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
