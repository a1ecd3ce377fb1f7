//! The whole system on one machine: four functions as four processes, the broker in this one, one folder of data.

mod config;
mod data;
mod first_user;
mod process;
mod wiring;

pub(crate) use config::Config;

use data::DataFolder;
use decant_broker::{Broker, MemoryQueues, Settings};
use std::time::Duration;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use wiring::Wiring;

/// How long the functions may take until they are ready.
const START: Duration = Duration::from_secs(60);

/// The pause before a sweep at start that failed is tried again.
const SWEEP_AGAIN: Duration = Duration::from_secs(10);

/// Runs the system until Ctrl-C or SIGTERM.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let _telemetry = decant_function::telemetry::init("broker")?;
    let data = DataFolder::open(&config.data)?;
    let wiring = Wiring::new(&config, &data).await?;
    let user = first_user::ensure(&config, &data).await?;

    let settings = Settings {
        grace: config.shutdown_grace,
        ..Settings::default()
    };
    let broker = Broker::new(
        &wiring.topology,
        &wiring.routes,
        MemoryQueues::default(),
        settings,
    )?;
    let stop_broker = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn({
        let stopped = stop_broker.clone().cancelled_owned();
        let broker = decant_broker::run(wiring.ingress, broker.clone(), stopped);
        async move {
            if let Err(error) = broker.await {
                tracing::error!(%error, "the broker failed");
            }
        }
    });
    // The door closes first, so that nothing new comes in; then the broker ends what it delivers; then the rest.
    let stop_door = CancellationToken::new();
    let stop_rest = CancellationToken::new();
    let mut rest = JoinSet::new();
    for function in wiring.functions {
        rest.spawn(function.supervise(stop_rest.clone(), config.shutdown_grace));
    }
    let mut door = JoinSet::new();
    door.spawn(
        wiring
            .door
            .supervise(stop_door.clone(), config.shutdown_grace),
    );

    let asked_to_stop = asked_to_stop()?;
    tokio::pin!(asked_to_stop);
    let ended = tokio::select! {
        () = &mut asked_to_stop => Ok(()),
        started = ready(&wiring.door_url, &wiring.auth_url) => match started {
            Ok(()) => {
                println!("{}", welcome(config.port, &user));
                running.spawn(sweep(broker, stop_broker.clone()));
                (&mut asked_to_stop).await;
                Ok(())
            }
            not_ready => not_ready,
        },
    };
    tracing::info!("stopping; a second Ctrl-C stops at once");
    let in_order = async {
        stop_door.cancel();
        while door.join_next().await.is_some() {}
        stop_broker.cancel();
        while running.join_next().await.is_some() {}
        stop_rest.cancel();
        while rest.join_next().await.is_some() {}
    };
    tokio::select! {
        () = in_order => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    ended
}

/// Has whatever was under way when the system last ended announced again: the queues were in memory.
async fn sweep(broker: Broker, stopped: CancellationToken) {
    let swept = async {
        while let Err(error) = broker
            .ping("sweep", Some(r#"{"queues_lost":true}"#.into()))
            .await
        {
            tracing::warn!(%error, "the sweep at start comes again");
            sleep(SWEEP_AGAIN).await;
        }
    };
    tokio::select! {
        () = swept => {}
        () = stopped.cancelled() => {}
    }
}

/// Waits until a request through the door would succeed.
async fn ready(door: &url::Url, auth: &url::Url) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()?;
    let began = Instant::now();
    for function in [auth, door] {
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

fn welcome(port: u16, user: &first_user::FirstUser) -> String {
    let door = format!("http://localhost:{port}");
    let sign_in = match user {
        first_user::FirstUser::Made { username, password } => {
            format!(
                "A first user was made; this password is not shown again:\n  {username}  {password}\n\n"
            )
        }
        first_user::FirstUser::Known => String::new(),
    };
    format!(
        "{sign_in}Decant is ready at {door}\n\nTry next:\n  \
         TOKEN=$(curl -sX POST {door}/login -u EMAIL:PASSWORD)\n  \
         curl -X POST -F \"file=@./video.mp4\" -H \"Authorization: Bearer $TOKEN\" {door}/upload\n  \
         curl {door}/jobs -H \"Authorization: Bearer $TOKEN\"\n  \
         curl -OJ -H \"Authorization: Bearer $TOKEN\" \"{door}/download?id=MP3_FID\""
    )
}
