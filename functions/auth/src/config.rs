use crate::{Command, users::UsersUrl};
use clap::{
    Args, FromArgMatches, Subcommand,
    error::{ContextKind, ContextValue},
};
use decant_function::{ServerConfig, TrustedProxies};
use std::{ffi::OsString, path::PathBuf};

/// Settings of `auth` as a server. Every flag is an environment variable too.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// PORT and its kin.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Where the users live: `sqlite:PATH`. `decant-auth migrate` makes it.
    #[arg(
        long,
        env = "DECANT_USERS",
        value_name = "DECANT_USERS",
        hide_env_values = true
    )]
    pub users: UsersUrl,
    /// The Ed25519 key that tokens are signed with: a PKCS#8 PEM file. `decant-auth keygen` makes it.
    #[arg(long, env = "DECANT_SIGNING_KEY", value_name = "DECANT_SIGNING_KEY")]
    pub signing_key: PathBuf,
    /// Whose `X-Forwarded-For` is believed: addresses and networks, separated by commas.
    #[arg(
        long,
        env = "DECANT_TRUSTED_PROXIES",
        value_name = "DECANT_TRUSTED_PROXIES",
        default_value = ""
    )]
    pub trusted_proxies: TrustedProxies,
}

/// What the program was called for.
#[derive(Debug)]
pub enum Invocation {
    /// No subcommand: serve.
    Serve(Config),
    /// A subcommand, which needs none of the server's settings.
    Command(Command),
}

impl Invocation {
    /// Reads the command line and the environment. Ends the program if they are wrong, naming the setting.
    pub fn parse() -> Self {
        Self::try_parse_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads `arguments` and the environment.
    pub fn try_parse_from(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let command = Config::augment_args(clap::Command::new("decant-auth"));
        let matches = Command::augment_subcommands(command)
            .version(env!("CARGO_PKG_VERSION"))
            .about("Signs people in. Without a subcommand it serves.")
            .subcommand_required(false)
            .arg_required_else_help(false)
            .subcommand_negates_reqs(true)
            .try_get_matches_from(arguments)
            .map_err(without_secrets)?;
        match matches.subcommand() {
            Some(_) => Command::from_arg_matches(&matches).map(Self::Command),
            None => Config::from_arg_matches(&matches).map(Self::Serve),
        }
    }
}

/// clap repeats a wrong value, and a database's URL can hold a password.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let about_users = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(argument)) if argument.contains("DECANT_USERS")
    );
    if about_users {
        error.insert(
            ContextKind::InvalidValue,
            ContextValue::String("…".to_owned()),
        );
    }
    error
}
