use crate::{
    Password, Passwords,
    users::{Database, StoredPassword},
};
use anyhow::Context;
use secrecy::ExposeSecret;
use std::io::{self, Write};

/// Takes over whoever is in the older system's table, one at a time: what was done stays done when it is interrupted.
/// Says how many, and names nobody.
pub(crate) async fn run(database: &Database) -> anyhow::Result<()> {
    let older = database.users.older().await?;
    let older = older
        .context("there is no table user (id, email, password), or this account may not read it")?;
    let passwords = Passwords::default();
    let (mut imported, mut here_already) = (0, older.here_already);
    let (mut without_password, mut changed) = (0, 0);
    for user in &older.to_import {
        let StoredPassword::PlainText(plain_text) = &user.password else {
            continue;
        };
        let Ok(password) = plain_text.expose_secret().parse::<Password>() else {
            without_password += 1;
            continue;
        };
        let hash = passwords.hash(password).await?;
        if database.users.take_over(user, &hash).await? {
            imported += 1;
            continue;
        }
        let now = database.users.find(&user.username).await?;
        match now.map(|user| user.password) {
            Some(StoredPassword::Hash(_)) => here_already += 1, // by a login in between
            Some(StoredPassword::PlainText(_)) => changed += 1,
            None => {} // removed in between
        }
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{imported} imported, {here_already} here already")?;
    let left = older.without_address + without_password;
    if left > 0 {
        writeln!(
            out,
            "{left} left: {} without a mail address, {without_password} without a password",
            older.without_address
        )?;
    }
    if changed > 0 {
        writeln!(out, "{changed} changed meanwhile: import again")?;
    }
    Ok(())
}
