use super::{
    config::{Admin, Config},
    data::{DataFolder, random_hex},
    process::binary,
};
use anyhow::{Context, ensure};
use decant_events::Username;
use secrecy::{ExposeSecret, SecretString};
use std::process::Stdio;
use tokio::process::Command;

/// The address of the user that is made when nobody named one.
const NAMELESS: &str = "admin@localhost";

/// What there is to tell about the first user.
pub(crate) enum FirstUser {
    /// It was made just now, with a password that nobody knows yet.
    Made {
        username: Username,
        password: String,
    },
    /// The person named it, or it was there before.
    Known,
}

/// Makes the keys and the users' database, and sees to it that somebody can sign in.
pub(crate) async fn ensure(config: &Config, data: &DataFolder) -> anyhow::Result<FirstUser> {
    auth(data, &["migrate"], None).await?;
    if let Some(admin) = &config.admin {
        add(data, admin).await?;
        return Ok(FirstUser::Known);
    }
    if !auth(data, &["user", "list"], None).await?.trim().is_empty() {
        return Ok(FirstUser::Known);
    }
    let username: Username = NAMELESS.parse()?;
    let password = random_hex(8);
    add(
        data,
        &Admin {
            username: username.clone(),
            password: password.clone().into(),
        },
    )
    .await?;
    Ok(FirstUser::Made { username, password })
}

/// Makes the key that signs tokens and the file of public keys, if absent.
pub(crate) async fn ensure_keys(data: &DataFolder) -> anyhow::Result<()> {
    let status = Command::new(binary("auth")?)
        .arg("keygen")
        .arg("--signing-key")
        .arg(data.signing_key())
        .arg("--public-keys")
        .arg(data.public_keys())
        .stdout(Stdio::null())
        .status()
        .await?;
    ensure!(status.success(), "the keys can't be made");
    Ok(())
}

async fn add(data: &DataFolder, admin: &Admin) -> anyhow::Result<()> {
    let arguments = [
        "user",
        "add",
        admin.username.as_str(),
        "--admin",
        "--if-absent",
    ];
    auth(data, &arguments, Some(&admin.password))
        .await
        .map(drop)
}

/// Runs `decant-auth`, and gives what it printed.
async fn auth(
    data: &DataFolder,
    arguments: &[&str],
    password: Option<&SecretString>,
) -> anyhow::Result<String> {
    let mut command = Command::new(binary("auth")?);
    command
        .args(arguments)
        .env("DECANT_USERS", data.users())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if let Some(password) = password {
        command.env("DECANT_PASSWORD", password.expose_secret());
    }
    let output = command.output().await.context("decant-auth")?;
    ensure!(
        output.status.success(),
        "decant-auth {} failed",
        arguments.join(" ")
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
