//! What `decant status` asks a running system: one JSON object to whoever connects to a socket in the data folder.

use super::{data::DataFolder, process::Life};
use chrono::{DateTime, Utc};
use decant_broker::{Broker, Destination, Routes, Topology, TriggerStats};
use decant_function::client;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{UnixListener, UnixStream},
    time::timeout,
};
use url::Url;

/// How long a function may take to say whether it is ready, and whoever asked to read what it is told.
const WITHIN: Duration = Duration::from_secs(5);

/// The system, as its parts say it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) functions: Vec<FunctionReport>,
    pub(crate) triggers: Vec<TriggerReport>,
}

/// A function: what Knative would call a Service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FunctionReport {
    pub(crate) name: String,
    pub(crate) url: Url,
    /// Its process runs; it answers; it is ready.
    pub(crate) running: bool,
    pub(crate) live: bool,
    pub(crate) ready: bool,
    /// When its process started, the last time.
    pub(crate) started_at: Option<DateTime<Utc>>,
    /// How often it was started again.
    pub(crate) restarts: u32,
    /// Why it isn't ready.
    pub(crate) reason: Option<String>,
}

/// A Trigger, and how its events fare.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TriggerReport {
    pub(crate) name: String,
    pub(crate) broker: String,
    pub(crate) subscriber_uri: Url,
    /// Its queue can be reached.
    pub(crate) ready: bool,
    /// Events that wait, and those that are out for delivery.
    pub(crate) queued: Option<usize>,
    pub(crate) in_flight: u64,
    /// Since the system started.
    pub(crate) delivered: u64,
    pub(crate) retries: u64,
    pub(crate) refused: u64,
    pub(crate) dead_letters: u64,
    /// Dead letters that wait for their sink.
    pub(crate) dead_letters_queued: Option<usize>,
}

/// A Trigger's name, its subscriber here, and its Broker.
struct Arrow {
    name: String,
    subscriber: Url,
    broker: String,
}

/// Whoever can say how the system is.
pub(super) struct Reporter {
    started_at: DateTime<Utc>,
    functions: Vec<(&'static str, Url, Arc<Life>)>,
    arrows: Vec<Arrow>,
    broker: Broker,
    client: reqwest::Client,
}

impl Reporter {
    pub(super) fn new(
        started_at: DateTime<Utc>,
        functions: Vec<(&'static str, Url, Arc<Life>)>,
        topology: &Topology,
        routes: &Routes,
        broker: Broker,
    ) -> anyhow::Result<Self> {
        let arrow = |name: &str, to: &Destination| {
            Ok::<_, anyhow::Error>(Arrow {
                name: name.to_owned(),
                subscriber: routes.resolve(to)?,
                broker: topology.broker.clone(),
            })
        };
        let triggers = topology.triggers.iter();
        let arrows = triggers.map(|trigger| arrow(&trigger.name, &trigger.subscriber));
        Ok(Self {
            started_at,
            functions,
            arrows: arrows.collect::<Result<_, _>>()?,
            broker,
            client: client(WITHIN)?,
        })
    }

    /// Answers whoever asks, for as long as the system runs.
    pub(super) async fn serve(self, data: &DataFolder) -> anyhow::Result<()> {
        let listener = data.listen_for_status()?;
        loop {
            let (asks, _) = listener.accept().await?;
            let report = serde_json::to_vec(&self.report().await)?;
            let told = timeout(WITHIN, tell(asks, &report)).await;
            if !matches!(told, Ok(Ok(()))) {
                tracing::debug!("whoever asked for the status went away");
            }
        }
    }

    async fn report(&self) -> Report {
        let functions = self.functions.iter();
        let functions = functions.map(|(name, url, life)| self.function(name, url, life));
        let (functions, stats) =
            tokio::join!(futures::future::join_all(functions), self.broker.stats());
        let triggers = self.arrows.iter();
        Report {
            started_at: self.started_at,
            functions,
            triggers: triggers.map(|arrow| trigger(arrow, &stats)).collect(),
        }
    }

    async fn function(&self, name: &str, url: &Url, life: &Life) -> FunctionReport {
        let (live, ready) = tokio::join!(
            self.ask(url, "health/liveness"),
            self.ask(url, "health/readiness")
        );
        FunctionReport {
            name: name.to_owned(),
            url: url.clone(),
            running: life.started_at().is_some(),
            live: live.is_ok(),
            ready: ready.is_ok(),
            started_at: life.started_at(),
            restarts: life.restarts(),
            reason: ready.err(),
        }
    }

    async fn ask(&self, url: &Url, path: &str) -> Result<(), String> {
        let url = url.join(path).map_err(|error| error.to_string())?;
        let answer = self.client.get(url).send().await;
        let answer = answer.map_err(|error| decant_function::reasons(&error))?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status();
        let problem: serde_json::Value = answer.json().await.unwrap_or_default();
        let detail = problem["detail"].as_str().map(str::to_owned);
        Err(detail.unwrap_or_else(|| status.to_string()))
    }
}

fn trigger(arrow: &Arrow, stats: &[TriggerStats]) -> TriggerReport {
    let of = |dead_letters| {
        let mut stats = stats.iter();
        stats.find(|row| row.trigger == arrow.name && row.dead_letters == dead_letters)
    };
    let (own, dead) = (of(false), of(true));
    let count = |of: fn(&TriggerStats) -> u64| own.map_or(0, of);
    TriggerReport {
        name: arrow.name.clone(),
        broker: arrow.broker.clone(),
        subscriber_uri: arrow.subscriber.clone(),
        ready: own.is_some_and(|row| row.depth.is_some()),
        queued: own.and_then(|row| row.depth),
        in_flight: count(|row| row.in_flight),
        delivered: count(|row| row.delivered),
        retries: count(|row| row.retried),
        refused: count(|row| row.refused),
        dead_letters: count(|row| row.dead_lettered + row.dropped),
        dead_letters_queued: dead.and_then(|row| row.depth),
    }
}

async fn tell(mut asks: UnixStream, report: &[u8]) -> std::io::Result<()> {
    asks.write_all(report).await?;
    asks.shutdown().await
}

/// The socket in a data folder. Through the folder's descriptor, because a socket's path is short and a folder's may be
/// long.
pub(super) fn listen(folder: &std::fs::File) -> std::io::Result<UnixListener> {
    UnixListener::bind(through(folder))
}

/// Connects to whoever runs on this data folder.
pub(crate) async fn connect(folder: &std::fs::File) -> std::io::Result<UnixStream> {
    UnixStream::connect(through(folder)).await
}

fn through(folder: &std::fs::File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())
}

/// Its name in the data folder.
pub(super) const SOCKET: &str = "status.sock";
