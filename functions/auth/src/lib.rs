//! Users, passwords and tokens.
//!
//! Invariants:
//! - The signing key never leaves this function. Whoever checks tokens has the public keys alone.
//! - What a caller can see is the same for an unknown user and for a wrong password: status, words, time, throttle.
//! - No password is hashed for a throttled login, and never more than a few at a time.
//! - Only `users`, `throttle` and `mysql` know SQL. SQLite and MySQL are two files beside each other in the first two.

mod accept;
mod commands;
mod config;
mod error;
mod import;
mod keys;
mod login;
mod mysql;
mod passwords;
mod public_keys;
mod sign_in;
pub mod throttle;
mod tokens;
pub mod users;
mod validate;

pub use commands::{Command, KeygenFiles, UserCommand};
pub use config::{Config, Invocation};
pub use keys::{KeyError, KeyPair};
pub use mysql::MySqlUrl;
pub use passwords::{InvalidPassword, Password, Passwords};
pub use tokens::Claims;

use anyhow::Context;
use async_trait::async_trait;
use axum::{
    Router,
    routing::{get, post},
};
use decant_function::{NotReady, Ready, TrustedProxies, chassis, reasons};
use std::{path::PathBuf, sync::Arc};
use throttle::Clock;
use tokens::Tokens;
use tokio::sync::Semaphore;
use users::Database;

/// How many logins may wait for their turn at the hash. Further ones get 503.
const LOGINS_AT_ONCE: usize = 64;

/// What every handler shares.
#[derive(Clone)]
pub struct App {
    database: Database,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
    signing_key: Arc<PathBuf>,
    trusted_proxies: Arc<TrustedProxies>,
    login_slots: Arc<Semaphore>,
}

impl App {
    /// Opens what the settings name. An error names the setting that is wrong.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let database = config.users.open(Clock::Database).await;
        Self::new(
            config,
            database.context("DECANT_USERS can't be used")?,
            Passwords::default(),
        )
    }

    /// An app over a database that is open already and with a hash of the caller's choice.
    pub fn new(config: &Config, database: Database, passwords: Passwords) -> anyhow::Result<Self> {
        let keys =
            KeyPair::read(&config.signing_key).context("DECANT_SIGNING_KEY can't be used")?;
        Ok(Self {
            database,
            passwords: Arc::new(passwords),
            tokens: Arc::new(Tokens::new(&keys).context("DECANT_SIGNING_KEY can't be used")?),
            signing_key: Arc::new(config.signing_key.clone()),
            trusted_proxies: Arc::new(config.trusted_proxies.clone()),
            login_slots: Arc::new(Semaphore::new(LOGINS_AT_ONCE)),
        })
    }
}

/// Every route of the function.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/login", post(login::login))
        .route("/validate", post(validate::validate))
        .route("/.well-known/jwks.json", get(public_keys::public_keys))
        .with_state(app.clone());
    chassis(routes, app)
}

#[async_trait]
impl Ready for App {
    async fn ready(&self) -> Result<(), NotReady> {
        self.database.users.ping().await.map_err(|error| {
            tracing::warn!(error = %reasons(&error), "the users' database can't be used");
            NotReady("the users' database can't be used".into())
        })?;
        let signing_key = Arc::clone(&self.signing_key);
        let read = tokio::task::spawn_blocking(move || KeyPair::read(&signing_key)).await;
        match read {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(error = %reasons(&error), "the signing key can't be used");
                Err(NotReady("the signing key can't be used".into()))
            }
            Err(_) => Err(NotReady("the signing key can't be read".into())),
        }
    }
}
