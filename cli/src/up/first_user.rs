use super::{
    config::{Admin, Config},
    data::{DataFolder, random_hex},
    process::binary,
    wiring::users,
};
use anyhow::{Context, ensure};
use secrecy::{ExposeSecret, SecretString};
use std::process::Stdio;
use tokio::process::Command;

/// The address of the user that is made when nobody named one.
const NAMELESS: &str = "admin@localhost";

/// Sees to it that the users' database is there and somebody can sign in.
pub(crate) async fn ensure(config: &Config, data: &DataFolder) -> anyhow::Result<()> {
    let users = users(config, data);
    auth(&users, &["migrate"], None).await?;
    if let Some(admin) = &config.admin {
        return add(&users, admin).await;
    }
    if !auth(&users, &["user", "list"], None)
        .await?
        .trim()
        .is_empty()
    {
        return Ok(());
    }
    let admin = Admin {
        username: NAMELESS.parse()?,
        password: random_hex(8).into(),
    };
    // Told before it is made: a password that nobody has seen must not be the only one.
    println!(
        "The first user is made now; this password is not shown again:\n  {}  {}\n",
        admin.username,
        admin.password.expose_secret()
    );
    add(&users, &admin).await
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

async fn add(users: &str, admin: &Admin) -> anyhow::Result<()> {
    let arguments = [
        "user",
        "add",
        admin.username.as_str(),
        "--admin",
        "--if-absent",
    ];
    auth(users, &arguments, Some(&admin.password))
        .await
        .map(drop)
}

/// Runs `decant-auth`, and gives what it printed.
async fn auth(
    users: &str,
    arguments: &[&str],
    password: Option<&SecretString>,
) -> anyhow::Result<String> {
    let mut command = Command::new(binary("auth")?);
    command
        .args(arguments)
        .env("DECANT_USERS", users)
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
