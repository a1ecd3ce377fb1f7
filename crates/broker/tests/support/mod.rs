//! A Broker and subscribers on loopback.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "every test file takes what it needs"
)]

mod clock;
mod manifest;
mod queues;
mod subscriber;

use std::{future::Future, sync::Arc, time::Duration};

use axum::http::StatusCode;
use decant_broker::{
    Broker, MemoryQueues, Queues, Routes, RunError, Settings, Topology, TriggerStats,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use url::Url;

pub(crate) use self::{
    clock::TestClock,
    manifest::{broker, service_ref, trigger, with_sink},
    queues::Unconfirming,
    subscriber::Subscriber,
};

/// No test hangs: what does not happen soon does not happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it should happen soon")
}

/// A Broker that runs.
pub(crate) struct TestBroker {
    pub(crate) url: Url,
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) http: reqwest::Client,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), RunError>>,
}

impl TestBroker {
    pub(crate) async fn start(manifest: &str, services: &[(&str, &Subscriber)]) -> Self {
        let (queues, clock) = (MemoryQueues::default(), TestClock::fast());
        Self::with(manifest, services, queues, clock, Duration::from_secs(10)).await
    }

    pub(crate) async fn with(
        manifest: &str,
        services: &[(&str, &Subscriber)],
        queues: impl Queues,
        clock: Arc<TestClock>,
        grace: Duration,
    ) -> Self {
        let topology = Topology::from_yaml([("test.yaml", manifest)]).unwrap();
        let routes = services
            .iter()
            .map(|(name, subscriber)| (*name, subscriber.url.clone()));
        let settings = Settings {
            grace,
            clock: clock.clone(),
            capacity: [("narrow".to_owned(), 1)].into(),
        };
        let broker = Broker::new(&topology, &Routes::new(routes), queues, settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let ended = tokio::spawn(decant_broker::run(listener, broker.clone(), shutdown));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            url,
            broker,
            clock,
            http,
            stop,
            ended,
        }
    }

    /// Sends a binary-mode event with these headers over the usual ones.
    pub(crate) async fn send(
        &self,
        ty: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> StatusCode {
        let mut request = self.http.post(self.url.clone()).body(body);
        let usual = [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/test"),
        ];
        let usual = usual
            .iter()
            .filter(|(name, _)| headers.iter().all(|(other, _)| other != name));
        for (name, value) in usual.chain(headers) {
            request = request.header(*name, *value);
        }
        request.header("ce-type", ty).send().await.unwrap().status()
    }

    /// Waits until no event waits or is out for delivery, and says what happened.
    pub(crate) async fn idle(&self) -> Vec<TriggerStats> {
        soon(async {
            loop {
                let stats = self.broker.stats().await;
                if stats
                    .iter()
                    .all(|row| row.depth == Some(0) && row.in_flight == 0)
                {
                    return stats;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// Waits until so many events are out for delivery from the first Trigger's queue.
    pub(crate) async fn in_flight(&self, events: u64) -> TriggerStats {
        soon(async {
            loop {
                let row = self.broker.stats().await.remove(0);
                if row.in_flight == events {
                    return row;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub(crate) fn begin_stop(self) -> JoinHandle<Result<(), RunError>> {
        self.stop.send(()).unwrap();
        self.ended
    }
}

/// The row of one Trigger.
pub(crate) fn row<'a>(
    stats: &'a [TriggerStats],
    trigger: &str,
    dead_letters: bool,
) -> &'a TriggerStats {
    stats
        .iter()
        .find(|row| row.trigger == trigger && row.dead_letters == dead_letters)
        .unwrap()
}
