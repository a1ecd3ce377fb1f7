use crate::{Command, KeyPair, users::UsersSetting};
use anyhow::Context;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use decant_function::{ServerConfig, TrustedProxies};
use std::path::PathBuf;

/// Settings of `auth` as a server. Every flag is an environment variable too.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// PORT and its kin.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Where the users live.
    #[command(flatten)]
    pub users: UsersSetting,
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

impl Config {
    /// Fails where a setting can't ever be used. A server that is away for a while is no reason.
    pub fn check(&self) -> anyhow::Result<()> {
        self.users.check().context("DECANT_USERS can't be used")?;
        let key = KeyPair::read(&self.signing_key).map(drop);
        key.context("DECANT_SIGNING_KEY can't be used")
    }
}

/// What the program was called for.
#[derive(Debug)]
pub enum Invocation {
    /// No subcommand: serve.
    Serve(Config),
    /// A subcommand, which needs none of the server's settings.
    Command(Command),
}

impl CommandFactory for Invocation {
    fn command() -> clap::Command {
        let command = Config::augment_args(clap::Command::new("decant-auth"));
        Command::augment_subcommands(command)
            .version(env!("CARGO_PKG_VERSION"))
            .about("Signs people in. Without a subcommand it serves.")
            .subcommand_required(false)
            .arg_required_else_help(false)
            .subcommand_negates_reqs(true)
    }

    fn command_for_update() -> clap::Command {
        Self::command()
    }
}

impl FromArgMatches for Invocation {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some(_) => Command::from_arg_matches(matches).map(Self::Command),
            None => Config::from_arg_matches(matches).map(Self::Serve),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Parser for Invocation {}
