use decant_function::{ServerConfig, duration};
use decant_store::StoreConfig;
use std::{num::NonZeroUsize, time::Duration};

/// Turns uploaded videos into MP3s. Every flag is an environment variable too.
#[derive(Debug, clap::Parser)]
#[command(name = "decant-convert", version)]
pub struct Config {
    /// Where the function listens.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Where payloads and jobs live.
    #[command(flatten)]
    pub store: StoreConfig,
    /// How long a conversion may take. Above it the job fails as `too-long`: keep it below what the platform
    /// lets a request take.
    #[arg(
        long,
        env = "DECANT_CONVERT_TIMEOUT",
        value_name = "DECANT_CONVERT_TIMEOUT",
        default_value = "570s",
        value_parser = duration
    )]
    pub timeout: Duration,
    /// How many conversions run at once; by default as many as the machine has cores.
    #[arg(
        long,
        env = "DECANT_CONVERT_PARALLEL",
        value_name = "DECANT_CONVERT_PARALLEL",
        default_value_t = cores()
    )]
    pub parallel: NonZeroUsize,
    /// Make a job of an event that has none: another producer's, whose video is in the store already.
    #[arg(
        long,
        env = "DECANT_FOREIGN_EVENTS",
        value_name = "DECANT_FOREIGN_EVENTS"
    )]
    pub foreign_events: bool,
}

fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
