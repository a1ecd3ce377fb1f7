//! A mail server that says no word.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Takes connections and keeps them waiting, so that a mail stays in its sender's hands: neither sent nor refused.
pub(crate) struct SilentServer {
    taken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl SilentServer {
    pub(crate) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.expect("the port of the mail server that ended");
        let taken = Arc::<AtomicUsize>::default();
        let task = tokio::spawn({
            let taken = Arc::clone(&taken);
            async move {
                let mut connections = Vec::new();
                while let Ok((connection, _)) = listener.accept().await {
                    connections.push(connection);
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { taken, task }
    }

    /// How many connections it has taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Hangs up. Afterwards the port is free.
    pub(crate) async fn end(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for SilentServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
