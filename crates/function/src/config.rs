use bytesize::ByteSize;
use clap::{
    ArgMatches, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue},
};
use std::{net::IpAddr, time::Duration};
use url::Url;

/// The settings of a function from its flags and environment. A wrong one ends the program, naming it and saying what it
/// expects; the value of a secret one (`hide_env_values`) is not shown. With `DECANT_CHECK_SETTINGS` set, right ones end
/// it too: so that whoever starts several functions can check all settings before the first one runs.
pub fn settings<T: CommandFactory + FromArgMatches>() -> T {
    let command = T::command();
    let settings = command
        .clone()
        .try_get_matches()
        .and_then(|matches: ArgMatches| T::from_arg_matches(&matches))
        .unwrap_or_else(|error| without_secrets(error, command).exit());
    if std::env::var_os("DECANT_CHECK_SETTINGS").is_some() {
        std::process::exit(0);
    }
    settings
}

/// clap repeats a wrong value, and that of a secret setting must not end up in a log.
fn without_secrets(mut error: clap::Error, mut command: clap::Command) -> clap::Error {
    command.build(); // arguments have no name before
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    if takes_secret(&command, wrong) {
        error.insert(
            ContextKind::InvalidValue,
            ContextValue::String("…".to_owned()),
        );
    }
    error
}

fn takes_secret(command: &clap::Command, name: &str) -> bool {
    let mut arguments = command.get_arguments();
    arguments.any(|argument| argument.is_hide_env_values_set() && argument.to_string() == name)
        || command
            .get_subcommands()
            .any(|command| takes_secret(command, name))
}

/// A value parser for time: a number with a unit, seconds without one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let (number, seconds) = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .unwrap_or((text, 1));
    number
        .parse::<u32>()
        .map(|number| Duration::from_secs(u64::from(number) * seconds))
        .map_err(|_| "expected a time such as 600, 10m, 12h or 7d".into())
}

/// A value parser for bytes: a number with a unit, and never none.
pub fn size(text: &str) -> Result<ByteSize, String> {
    match text.parse::<ByteSize>() {
        Ok(size) if size.as_u64() > 0 => Ok(size),
        _ => Err("expected a size such as 500MB or 10GiB".into()),
    }
}

/// A value parser for an address that this process calls. Plain HTTP: TLS between functions is the platform's.
pub fn http_url(text: &str) -> Result<Url, String> {
    match text.parse::<Url>() {
        Ok(url) if url.scheme() == "http" => Ok(url),
        _ => Err("expected an address such as http://localhost:8081".into()),
    }
}

/// A value parser for a port.
fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "expected a port from 0 to 65535".into())
}

/// Where a function listens and how long it drains. Every flag is an environment variable too.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerConfig {
    /// The port to listen on. Knative sets it.
    #[arg(
        long,
        env = "PORT",
        value_name = "PORT",
        default_value = "8080",
        value_parser = port
    )]
    pub port: u16,
    /// The address to listen on.
    #[arg(
        long,
        env = "DECANT_HOST",
        value_name = "DECANT_HOST",
        default_value = "0.0.0.0"
    )]
    pub host: IpAddr,
    /// How long requests in flight may go on after SIGTERM.
    #[arg(
        long,
        env = "SHUTDOWN_GRACE",
        value_name = "SHUTDOWN_GRACE",
        default_value = "10m",
        value_parser = duration
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("10m", 600),
            ("2h", 7200),
            ("7d", 604_800),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "m", "-1", "1.5h", "1w", "99999999999999999999"] {
            assert!(duration(text).is_err(), "{text} was taken");
        }
    }
}
