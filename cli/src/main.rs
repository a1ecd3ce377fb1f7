//! The `decant` command.

mod clock;
mod convert;
mod failure;
mod probe;
mod source;
mod up;

use clap::Parser;
use std::process::ExitCode;

/// Decant turns videos into MP3s.
#[derive(Debug, Parser)]
#[command(name = "decant", version)]
enum Command {
    /// Run the whole system on this machine: four functions, the broker, one folder of data.
    Up(up::Config),
    /// Turn a local video or sound file into an MP3.
    Convert(convert::Arguments),
    /// Print what a file says of itself: its tracks, its tags, its chapters.
    Probe(probe::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    Ok(match decant_function::settings() {
        Command::Up(config) => {
            up::run(config).await?;
            ExitCode::SUCCESS
        }
        Command::Convert(arguments) => convert::run(arguments).await,
        Command::Probe(arguments) => probe::run(arguments).await,
    })
}
