//! The `decant` command.

mod clock;
mod convert;
mod failure;
mod probe;
mod remote;
mod shell;
mod source;
mod status;
mod up;
mod wishes;

use clap::Parser;
use std::process::ExitCode;

/// Decant turns videos into MP3s.
#[derive(Debug, Parser)]
#[command(name = "decant", version)]
enum Command {
    /// Run the whole system on this machine: four functions, the broker, one folder of data.
    Up(up::Config),
    /// Print the functions and Triggers of a running `decant up`, as `kn service list` and `kubectl get triggers` would.
    Status(status::Arguments),
    /// Turn a local video or sound file into an MP3.
    Convert(convert::Arguments),
    /// Print what a file says of itself: its tracks, its tags, its chapters.
    Probe(probe::Arguments),
    #[command(flatten)]
    Remote(remote::Command),
    #[command(flatten)]
    Shell(shell::Command),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    Ok(match decant_function::settings() {
        Command::Up(config) => {
            up::run(config).await?;
            ExitCode::SUCCESS
        }
        Command::Status(arguments) => status::run(arguments).await,
        Command::Convert(arguments) => convert::run(arguments).await,
        Command::Probe(arguments) => probe::run(arguments).await,
        Command::Remote(command) => remote::run(command).await,
        Command::Shell(command) => shell::run(&command),
    })
}
