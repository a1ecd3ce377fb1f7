use std::{net::IpAddr, time::Duration};

/// The settings of a function from its flags and environment. A wrong one ends the program, naming it and saying what it
/// expects. With `DECANT_CHECK_SETTINGS` set, right ones end it too: so that whoever starts several functions can check
/// all settings before the first one runs.
pub fn settings<T: clap::Parser>() -> T {
    let settings = T::parse();
    if std::env::var_os("DECANT_CHECK_SETTINGS").is_some() {
        std::process::exit(0);
    }
    settings
}

/// Where a function listens and how long it drains. Every flag is an environment variable too.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerConfig {
    /// The port to listen on. Knative sets it.
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// The address to listen on.
    #[arg(
        long,
        env = "DECANT_HOST",
        value_name = "DECANT_HOST",
        default_value = "0.0.0.0"
    )]
    pub host: IpAddr,
    /// How many seconds requests in flight may go on after SIGTERM.
    #[arg(
        long,
        env = "SHUTDOWN_GRACE",
        value_name = "SHUTDOWN_GRACE",
        default_value = "600",
        value_parser = seconds
    )]
    pub shutdown_grace: Duration,
    /// Drain when standard input ends too. Whoever starts the function holds the other end, so that the function never
    /// outlives it, however that ended.
    #[arg(
        long,
        env = "DECANT_STDIN_IS_LIFELINE",
        value_name = "DECANT_STDIN_IS_LIFELINE"
    )]
    pub stdin_is_lifeline: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_secs)
        .map_err(|_| "expected whole seconds such as 600".into())
}
