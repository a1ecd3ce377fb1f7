//! A broker that writes down what it gets.

use axum::{
    Router,
    extract::State as Shared,
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What `K_SINK` leads to.
pub(crate) struct Broker {
    pub(crate) url: String,
    taken: Taken,
    server: tokio::task::JoinHandle<()>,
}

type Taken = Arc<Mutex<Vec<Emitted>>>;

/// An event as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Emitted {
    headers: HeaderMap,
    pub(crate) data: Value,
}

impl Emitted {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    /// The trace that it belongs to.
    pub(crate) fn trace(&self) -> &str {
        let traceparent = self.header("traceparent");
        traceparent.split('-').nth(1).unwrap_or_default()
    }
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let taken = Taken::default();
        let ingress = Router::new().fallback(take).with_state(Arc::clone(&taken));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            axum::serve(listener, ingress).await.expect("served");
        });
        Self { url, taken, server }
    }

    pub(crate) async fn go_away(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }

    pub(crate) fn taken(&self) -> Vec<Emitted> {
        self.taken.lock().expect("the events").clone()
    }
}

async fn take(Shared(taken): Shared<Taken>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let data = serde_json::from_slice(&body).expect("JSON");
    let mut taken = taken.lock().expect("the events");
    taken.push(Emitted { headers, data });
    StatusCode::ACCEPTED
}
