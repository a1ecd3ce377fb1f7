//! Functions, as the Broker sees them.

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response, Uri},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
};
use url::Url;

use super::soon;

/// One request that a subscriber got.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|v| v.to_str().unwrap())
            .unwrap_or_default()
    }
}

/// A function, as the Broker sees it.
pub(crate) struct Subscriber {
    pub(crate) url: Url,
    received: mpsc::UnboundedReceiver<Received>,
}

impl Subscriber {
    /// Answers with these statuses in turn, then with the last one for good.
    pub(crate) async fn answering(statuses: &[u16]) -> Self {
        let statuses = statuses.to_vec();
        Self::replying(move |n, _| {
            let status = statuses.get(n).or(statuses.last()).unwrap();
            Response::builder()
                .status(*status)
                .body(Body::empty())
                .unwrap()
        })
        .await
    }

    /// Answers as told, from the number of the request (0 first) and the request.
    pub(crate) async fn replying(
        reply: impl Fn(usize, &Received) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let reply = Arc::new(reply);
        Self::serving(move |n, received| {
            let reply = Arc::clone(&reply);
            async move { reply(n, &received) }
        })
        .await
    }

    /// Answers requests only as far as it is let; the rest hang.
    pub(crate) async fn gated(gate: Arc<Semaphore>) -> Self {
        Self::serving(move |_, _| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                Response::new(Body::empty())
            }
        })
        .await
    }

    pub(crate) async fn serving<F, A>(answer: F) -> Self
    where
        F: Fn(usize, Received) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send,
    {
        let (sender, received) = mpsc::unbounded_channel();
        let count = Arc::new(Mutex::new(0));
        let handler = move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let received = Received {
                path: uri.path().to_owned(),
                headers,
                body,
            };
            let n = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count - 1
            };
            sender.send(received.clone()).ok();
            answer(n, received)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
        Self { url, received }
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        soon(self.received.recv()).await.unwrap()
    }

    /// How many requests came that nobody asked for yet.
    pub(crate) fn pending(&self) -> usize {
        self.received.len()
    }
}
