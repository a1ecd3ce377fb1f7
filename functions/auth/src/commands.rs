use crate::{
    KeyPair, Password, Passwords, import,
    throttle::Account,
    users::{Database, UsersSetting},
};
use anyhow::{Context, bail, ensure};
use decant_events::Username;
use std::{
    env,
    io::{self, IsTerminal, Read, Write},
    path::PathBuf,
};

/// What the program does besides serving.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Adds, lists and removes users and changes passwords.
    #[command(subcommand)]
    User(UserCommand),
    /// Makes the tables of the users' database, or brings them up to date. Two at once do no harm.
    Migrate(UsersSetting),
    /// Takes over everybody whom the older system's table `user` has, so that no password stays there in plain text.
    /// Who isn't taken over by it is at their next login. Safe to interrupt and to run again.
    Import(UsersSetting),
    /// Makes the signing key, unless it is there, and writes the public keys that belong to it.
    Keygen(KeygenFiles),
}

/// What can be done about users.
///
/// Passwords come from DECANT_PASSWORD, else from standard input, else from whoever sits at the terminal.
#[derive(Debug, clap::Subcommand)]
pub enum UserCommand {
    /// Adds a user. The password comes from DECANT_PASSWORD, standard input or the terminal.
    Add {
        /// Where the user goes.
        #[command(flatten)]
        users: UsersSetting,
        /// Their mail address.
        email: Username,
        /// Lets them see everybody's jobs.
        #[arg(long)]
        admin: bool,
        /// Leaves a user of this address as they are, and is content.
        #[arg(long)]
        if_absent: bool,
    },
    /// Lists address, role and when each user was added, separated by tabs. People of the older system who haven't been
    /// taken over are `not imported`.
    List(UsersSetting),
    /// Changes a password, which comes from DECANT_PASSWORD, standard input or the terminal.
    Passwd {
        /// Where the user is.
        #[command(flatten)]
        users: UsersSetting,
        /// Their mail address.
        email: Username,
    },
    /// Removes a user. Tokens that are out stay good for up to a day.
    Remove {
        /// Where the user is.
        #[command(flatten)]
        users: UsersSetting,
        /// Their mail address.
        email: Username,
    },
}

/// The files of the signing key.
#[derive(Debug, clap::Args)]
pub struct KeygenFiles {
    /// The signing key: PKCS#8 in PEM, mode 600. Never overwritten.
    #[arg(long, env = "DECANT_SIGNING_KEY", value_name = "DECANT_SIGNING_KEY")]
    signing_key: PathBuf,
    /// The public keys, for whoever checks tokens: a JWKS.
    #[arg(long, env = "DECANT_PUBLIC_KEYS", value_name = "DECANT_PUBLIC_KEYS")]
    public_keys: PathBuf,
}

impl Command {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::User(command) => command.run().await,
            Self::Migrate(users) => users.migrate().await.context("DECANT_USERS can't be used"),
            Self::Import(users) => import::run(&open(&users).await?).await,
            Self::Keygen(files) => {
                let keys = KeyPair::read_or_generate(&files.signing_key)
                    .context("DECANT_SIGNING_KEY can't be used")?;
                keys.write_public_keys(&files.public_keys)
                    .context("DECANT_PUBLIC_KEYS can't be used")
            }
        }
    }
}

impl UserCommand {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add {
                users,
                email,
                admin,
                if_absent,
            } => add(&open(&users).await?, &email, admin, if_absent).await,
            Self::List(users) => list(&open(&users).await?).await,
            Self::Passwd { users, email } => passwd(&open(&users).await?, &email).await,
            Self::Remove { users, email } => {
                let removed = open(&users).await?.users.remove(&email).await?;
                ensure!(removed, "there is no user {email}");
                Ok(())
            }
        }
    }
}

async fn open(users: &UsersSetting) -> anyhow::Result<Database> {
    let database = users.open_or_make().await;
    database.context("DECANT_USERS can't be used")
}

async fn add(
    database: &Database,
    email: &Username,
    admin: bool,
    if_absent: bool,
) -> anyhow::Result<()> {
    ensure!(
        !email.as_str().contains(':'),
        "an address with a colon can't sign in: HTTP Basic ends the name there"
    );
    let exists = || format!("there is a user {email} already; `user passwd` changes the password");
    if database.users.find(email).await?.is_some() {
        ensure!(if_absent, exists());
        return Ok(());
    }
    let hash = Passwords::default().hash(read_password()?).await?;
    let added = database.users.add(email, &hash, admin).await?;
    ensure!(added || if_absent, exists());
    Ok(())
}

async fn list(database: &Database) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for user in database.users.list().await? {
        let role = if user.admin { "admin" } else { "user" };
        let created_at = user.created_at.map(|time| time.to_rfc3339());
        let created_at = created_at.as_deref().unwrap_or("not imported");
        writeln!(out, "{}\t{role}\t{created_at}", user.username)?;
    }
    Ok(())
}

async fn passwd(database: &Database, email: &Username) -> anyhow::Result<()> {
    let user = database.users.find(email).await?;
    ensure!(user.is_some(), "there is no user {email}");
    let hash = Passwords::default().hash(read_password()?).await?;
    let changed = database.users.set_password(email, &hash).await?;
    ensure!(changed, "there is no user {email}");
    // Whoever forgot the old one has probably tried it often.
    let account = Account::named(email.as_str());
    database.throttle.clear(&account).await?;
    Ok(())
}

/// From DECANT_PASSWORD, else from standard input without its last line break, else from the terminal without echo.
fn read_password() -> anyhow::Result<Password> {
    let text = match env::var("DECANT_PASSWORD") {
        Ok(text) => text,
        Err(env::VarError::NotUnicode(_)) => bail!("DECANT_PASSWORD: expected UTF-8"),
        Err(env::VarError::NotPresent) if io::stdin().is_terminal() => prompt()?,
        Err(env::VarError::NotPresent) => {
            let mut text = String::new();
            // A little more than fits, so that too much is noticed.
            let read = io::stdin().take(4096).read_to_string(&mut text);
            read.context("the password on standard input: expected UTF-8")?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            line.strip_suffix('\r').unwrap_or(line).to_owned()
        }
    };
    text.parse::<Password>().context("the password")
}

fn prompt() -> anyhow::Result<String> {
    let password = rpassword::prompt_password("Password: ")?;
    let again = rpassword::prompt_password("Again: ")?;
    ensure!(password == again, "the two passwords differ");
    Ok(password)
}
