//! The `decant` command.

mod up;

use clap::Parser;

/// Decant turns videos into MP3s.
#[derive(Debug, Parser)]
#[command(name = "decant", version)]
enum Command {
    /// Run the whole system on this machine: four functions, the broker, one folder of data.
    Up(up::Config),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match decant_function::settings() {
        Command::Up(config) => up::run(config).await,
    }
}
