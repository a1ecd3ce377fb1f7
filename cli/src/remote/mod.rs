//! The commands that talk to a Decant, here or on a cluster, as a browser does.

mod account;
mod change;
mod download;
mod follow;
mod job;
mod jobs;
mod login;
mod print;
mod server;
mod upload;

pub(crate) use print::{Format, Look, Table, bytes, since};

use crate::failure::{EXIT_STATUS, Failure};
use account::Accounts;
use server::Server;
use std::process::ExitCode;
use url::Url;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Sign in to a Decant, and stay signed in until the token runs out.
    #[command(after_help = EXIT_STATUS)]
    Login(login::Arguments),
    /// Upload videos. Said again after an interruption, it goes on where it was.
    #[command(after_help = EXIT_STATUS)]
    Upload(upload::Arguments),
    /// List your jobs, newest first.
    #[command(after_help = EXIT_STATUS)]
    Jobs(jobs::List),
    /// Show one job, or follow it to its end.
    #[command(after_help = EXIT_STATUS)]
    Job(jobs::Show),
    /// Download the MP3s of jobs.
    #[command(after_help = EXIT_STATUS)]
    Download(download::Arguments),
    /// Stop jobs that haven't ended, and delete what is stored of them.
    #[command(after_help = EXIT_STATUS)]
    Cancel(change::Cancel),
    /// Delete jobs, with their videos and MP3s, whatever they are at.
    #[command(after_help = EXIT_STATUS)]
    Delete(change::Delete),
    /// Convert again what was uploaded, with other options if there are any.
    #[command(after_help = EXIT_STATUS)]
    Retry(change::Retry),
    /// Give a job another title.
    #[command(after_help = EXIT_STATUS)]
    Rename(change::Rename),
}

/// Which Decant is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    /// The address of the Decant; by default the one of the last login, else http://localhost:8080
    #[arg(long, env = "DECANT_SERVER", value_name = "URL", value_parser = server::address)]
    server: Option<Url>,
    /// A token instead of a login
    #[arg(
        long,
        env = "DECANT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
}

impl Where {
    /// The server, signed in.
    fn signed_in(&self) -> Result<Server, Failure> {
        let accounts = Accounts::load()?;
        let address = accounts.address(self.server.as_ref());
        let token = match &self.token {
            Some(token) => token.clone(),
            None => accounts.token(&address)?,
        };
        Server::new(address, Some(token))
    }
}

pub(crate) async fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Login(arguments) => login::run(arguments).await,
        Command::Upload(arguments) => upload::run(arguments).await,
        Command::Jobs(arguments) => jobs::list(arguments).await,
        Command::Job(arguments) => jobs::show(arguments).await,
        Command::Download(arguments) => download::run(arguments).await,
        Command::Cancel(arguments) => change::cancel(arguments).await,
        Command::Delete(arguments) => change::delete(arguments).await,
        Command::Retry(arguments) => change::retry(arguments).await,
        Command::Rename(arguments) => change::rename(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("decant: {failure}");
            failure.status().into()
        }
    }
}
