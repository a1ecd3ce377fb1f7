//! The whole system on one machine: four functions as four processes, the broker in this one, one folder of data.

mod config;
mod data;
mod first_user;
mod process;
pub(crate) mod report;
mod wiring;

pub(crate) use config::Config;

use anyhow::Context;
use chrono::{DateTime, Utc};
use data::DataFolder;
use decant_broker::{
    AmqpUrl, Broker, MemoryQueues, Queues, RabbitQueues, RunError, Settings, Topology,
};
use decant_function::{client, reasons};
use process::Function;
use report::Reporter;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use url::Url;
use wiring::Wiring;

/// How long the functions may take until they are ready.
const START: Duration = Duration::from_secs(60);

/// The pause before a sweep at start that failed is tried again.
const SWEEP_AGAIN: Duration = Duration::from_secs(10);

/// Runs the system until Ctrl-C or SIGTERM.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let started = Utc::now();
    let _telemetry = decant_function::telemetry::init("broker")?;
    let data = DataFolder::open(&config.data)?;
    let wiring = Wiring::new(&config, &data).await?;
    first_user::ensure(&config, &data).await?;

    let asked_to_stop = asked_to_stop()?;
    let addresses = wiring.addresses.clone();
    let (topology, routes) = (wiring.topology.clone(), wiring.routes.clone());
    let lives = wiring.lives();
    let queues = queues(config.amqp.as_ref(), &wiring.topology).await?;
    let mut system = System::start(wiring, queues, config.shutdown_grace)?;
    let broker = system.broker.clone();
    let reporter = Reporter::new(started, lives, &topology, &routes, broker.clone())?;
    let runs = async {
        ready(&addresses).await?;
        println!("{}", welcome(&config.door()));
        // Queues in memory ended with whoever ran before.
        let queues_lost_before = config.amqp.is_none().then_some(started);
        sweep(broker, queues_lost_before).await;
        std::future::pending().await
    };
    let ended = tokio::select! {
        () = asked_to_stop => Ok(()),
        failed = runs => failed,
        failed = reporter.serve(&data) => failed.context("the socket for `decant status` failed"),
        failed = system.broker_ended() => Err(failed),
    };
    tracing::info!("stopping; a second Ctrl-C stops at once");
    tokio::select! {
        () = system.stop() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    ended
}

/// The queues: in memory, or where `DECANT_AMQP` says.
async fn queues(amqp: Option<&AmqpUrl>, topology: &Topology) -> anyhow::Result<Arc<dyn Queues>> {
    Ok(match amqp {
        None => Arc::new(MemoryQueues::default()),
        Some(url) => Arc::new(RabbitQueues::connect(url, &topology.exchange()).await?),
    })
}

/// What runs, in the order in which it stops: the door first, so that nothing new comes in; then the broker, when it has
/// ended what it delivers; then the rest.
struct System {
    door: Part,
    broker: Broker,
    broker_runs: JoinHandle<Result<(), RunError>>,
    stop_broker: CancellationToken,
    rest: Part,
}

impl System {
    fn start(wiring: Wiring, queues: Arc<dyn Queues>, grace: Duration) -> anyhow::Result<Self> {
        let settings = Settings {
            grace,
            // The cluster has a pod for each delivery to `convert`; here is one process.
            capacity: BTreeMap::from([("convert".to_owned(), wiring.slots)]),
            ..Settings::default()
        };
        let broker = Broker::new(&wiring.topology, &wiring.routes, queues, settings)?;
        let stop_broker = CancellationToken::new();
        let stopped = stop_broker.clone().cancelled_owned();
        Ok(Self {
            broker_runs: tokio::spawn(decant_broker::run(wiring.ingress, broker.clone(), stopped)),
            broker,
            stop_broker,
            door: Part::start([wiring.door], grace),
            rest: Part::start(wiring.functions, grace),
        })
    }

    /// The broker runs until it is told to stop: its end before that is a failure.
    async fn broker_ended(&mut self) -> anyhow::Error {
        match (&mut self.broker_runs).await {
            Ok(Err(error)) => anyhow::Error::new(error).context("the broker failed"),
            ended => anyhow::anyhow!("the broker ended: {ended:?}"),
        }
    }

    async fn stop(self) {
        self.door.stop().await;
        self.stop_broker.cancel();
        if !self.broker_runs.is_finished() {
            let _ = self.broker_runs.await;
        }
        self.rest.stop().await;
    }
}

/// Functions that start and stop together.
struct Part {
    functions: JoinSet<()>,
    stop: CancellationToken,
}

impl Part {
    fn start(functions: impl IntoIterator<Item = Function>, grace: Duration) -> Self {
        let stop = CancellationToken::new();
        let run = |function: Function| function.supervise(stop.clone(), grace);
        let functions = functions.into_iter().map(run).collect();
        Self { functions, stop }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while self.functions.join_next().await.is_some() {}
    }
}

/// Sweeps at start. Where the queues were lost, it has whatever was under way announced again.
async fn sweep(broker: Broker, queues_lost_before: Option<DateTime<Utc>>) {
    let ping = queues_lost_before
        .map(|time| format!(r#"{{"queues_lost_before":"{}"}}"#, time.to_rfc3339()));
    while let Err(error) = broker.ping("sweep", ping.clone()).await {
        tracing::warn!(error = reasons(&error), "the sweep at start comes again");
        sleep(SWEEP_AGAIN).await;
    }
}

/// Waits until every function is ready: a request through the door would succeed, and so would what follows from it.
async fn ready(functions: &[Url]) -> anyhow::Result<()> {
    let client = client(Duration::from_secs(5))?;
    let began = Instant::now();
    for function in functions {
        let readiness = function.join("health/readiness")?;
        loop {
            let answer = client.get(readiness.clone()).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            anyhow::ensure!(
                began.elapsed() < START,
                "{function} is not ready after {} s",
                START.as_secs()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

fn welcome(door: &str) -> String {
    format!(
        "Decant is ready at {door}\n\nOpen that address in a browser and sign in. Or try, in another terminal:\n  \
         TOKEN=$(curl -sX POST {door}/login -u EMAIL:PASSWORD)\n  \
         curl -X POST -F \"file=@./video.mp4\" -H \"Authorization: Bearer $TOKEN\" {door}/upload\n  \
         curl {door}/jobs -H \"Authorization: Bearer $TOKEN\"\n  \
         curl -OJ -H \"Authorization: Bearer $TOKEN\" \"{door}/download?id=MP3_FID\""
    )
}
