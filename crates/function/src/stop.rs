use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Ends at SIGTERM, at Ctrl-C, or when standard input ends, if that is the lifeline.
pub(crate) async fn asked_to_stop(stdin_is_lifeline: bool) {
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
