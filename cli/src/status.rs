//! How a running `decant up` is, printed as on a cluster.

use crate::{
    failure::{EXIT_STATUS, Failure},
    remote::{Look, Table, since},
    up::report::{self, FunctionReport, Report, TriggerReport},
};
use chrono::{DateTime, Utc};
use std::{fs::File, path::PathBuf, process::ExitCode, time::Duration};
use tokio::{io::AsyncReadExt, time::timeout};

/// The functions are asked, too, which have five seconds.
const WITHIN: Duration = Duration::from_secs(15);

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    /// The data folder of the `decant up` that is meant
    #[arg(
        long,
        env = "DECANT_DATA",
        value_name = "DECANT_DATA",
        default_value = "./.decant"
    )]
    data: PathBuf,
    #[command(flatten)]
    look: Look,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let printed = match ask(&arguments.data).await {
        Ok(report) => {
            let names = report
                .functions
                .iter()
                .map(|function| function.name.clone());
            let names: Vec<_> = names.collect();
            arguments.look.print(&report, names, || {
                let now = Utc::now();
                vec![functions(&report, now), triggers(&report, now)]
            })
        }
        Err(failure) => Err(failure),
    };
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(false, &mut std::io::stdout()),
    }
}

async fn ask(data: &PathBuf) -> Result<Report, Failure> {
    let nobody = |_| {
        Failure::passing(
            "not-running",
            format!(
                "no `decant up` runs on {}: --data names its folder",
                data.display()
            ),
        )
    };
    let folder = File::open(data).map_err(nobody)?;
    let mut socket = report::connect(&folder).await.map_err(nobody)?;
    let mut text = Vec::new();
    let read = timeout(WITHIN, socket.read_to_end(&mut text)).await;
    let silent = || Failure::passing("stalled", "`decant up` doesn't answer");
    read.map_err(|_| silent())?.map_err(|_| silent())?;
    serde_json::from_slice(&text).map_err(|_| silent())
}

/// As `kn service list` has it.
fn functions(report: &Report, now: DateTime<Utc>) -> Table {
    let headers = &[
        "NAME",
        "URL",
        "AGE",
        "RESTARTS",
        "CONDITIONS",
        "READY",
        "REASON",
    ];
    let mut table = Table::new(headers, "");
    for function in &report.functions {
        table.row([
            function.name.clone(),
            function.url.to_string(),
            function
                .started_at
                .map_or_else(|| "-".into(), |then| since(then, now)),
            function.restarts.to_string(),
            conditions(function),
            word(function.ready),
            function.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn conditions(function: &FunctionReport) -> String {
    let conditions = [function.running, function.live, function.ready];
    let fulfilled = conditions.iter().filter(|&&fulfilled| fulfilled).count();
    format!("{fulfilled} OK / {}", conditions.len())
}

/// As `kubectl get triggers` has it, and what its queue knows.
fn triggers(report: &Report, now: DateTime<Utc>) -> Table {
    let headers = &[
        "NAME",
        "BROKER",
        "SUBSCRIBER_URI",
        "AGE",
        "READY",
        "QUEUED",
        "IN FLIGHT",
        "DELIVERED",
        "RETRIES",
        "REFUSED",
        "DEAD LETTERS",
    ];
    let mut table = Table::new(headers, "");
    for trigger in &report.triggers {
        table.row([
            trigger.name.clone(),
            trigger.broker.clone(),
            trigger.subscriber_uri.to_string(),
            since(report.started_at, now),
            word(trigger.ready),
            trigger
                .queued
                .map_or_else(|| "-".into(), |depth| depth.to_string()),
            trigger.in_flight.to_string(),
            trigger.delivered.to_string(),
            trigger.retries.to_string(),
            trigger.refused.to_string(),
            dead_letters(trigger),
        ]);
    }
    table
}

/// `2`, or `2 (1 waits)`.
fn dead_letters(trigger: &TriggerReport) -> String {
    match trigger.dead_letters_queued {
        Some(waiting @ 1..) => format!("{} ({waiting} waiting)", trigger.dead_letters),
        _ => trigger.dead_letters.to_string(),
    }
}

fn word(fulfilled: bool) -> String {
    if fulfilled { "True" } else { "False" }.to_owned()
}
