use super::{
    Accounts, Where,
    server::{Server, json},
};
use crate::failure::Failure;
use reqwest_tls::{Method, header};
use serde::Deserialize;
use std::io::{self, BufRead, IsTerminal, Write};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Your mail address; asked for if it is left out
    email: Option<String>,
    /// Read the password from standard input, for scripts
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    at: Where,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// Signs in and keeps the token.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut accounts = Accounts::load()?;
    let address = accounts.address(arguments.at.server.as_ref());
    let email = match arguments.email {
        Some(email) => email,
        None => ask("Mail address: ")?,
    };
    let password = password(arguments.password_stdin)?;
    let server = Server::new(address.clone(), None)?;
    let request = server
        .request(Method::POST, "login")?
        .basic_auth(&email, Some(password))
        .header(header::ACCEPT, "application/json");
    let Token { token } = json(server.call(request).await?).await?;
    accounts.keep(address.clone(), email.clone(), token)?;
    eprintln!("Signed in at {address} as {email}.");
    Ok(())
}

fn password(from_stdin: bool) -> Result<String, Failure> {
    if !from_stdin && io::stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").map_err(unread);
    }
    if !from_stdin {
        return Err(Failure::usage(
            "expected a terminal to ask for the password at, or --password-stdin",
        ));
    }
    line()
}

fn ask(what: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "expected a mail address: decant login EMAIL",
        ));
    }
    eprint!("{what}");
    let _shown = io::stderr().flush();
    line()
}

fn line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(unread)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn unread(error: io::Error) -> Failure {
    Failure::of_file("standard input".as_ref(), error)
}
