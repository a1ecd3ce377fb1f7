//! Mail, dead letters and the sweep.
//!
//! Invariants:
//! - Events are hints: whom a mail goes to, what it says and which MP3 it links to come from the job record alone.
//! - A job's run has one mail. Whoever sends it holds the record's mail lease, and a mail that is sent again after a
//!   crash has the same `Message-ID` (and is the same file).
//! - What can't be sent now stays unsent in the record: the broker comes back, then the sweep. What can never be sent
//!   is given up, with an error in the log and a count.
//! - Whoever waits for a turn gets it before a mail about the job before is sent.
//! - No address, password or link in a log line.

mod advice;
mod config;
mod dead_letter;
mod error;
mod job_ended;
mod letter;
mod mail;
mod mailer;
mod outbox;
mod ping;
mod sweep;
mod turns;
mod words;

pub use config::{Config, PublicUrl};
pub use error::ConnectError;
pub use outbox::{Encryption, InvalidOutbox, Login, Outbox, SmtpServer};

use async_trait::async_trait;
use axum::{Router, routing::post};
use decant_function::{NotReady, Ready, Sink, chassis};
use decant_store::{Retention, Store, Turns};
use letter::Stationery;
use mailer::Mailer;
use std::{sync::Arc, time::Duration};

/// What the handlers share. Clones share it.
#[derive(Clone)]
pub struct App {
    store: Store,
    sink: Sink,
    mailer: Arc<Mailer>,
    stationery: Arc<Stationery>,
    sweep_grace: Duration,
    turns: Turns,
    retention: Retention,
}

impl App {
    /// Opens the store and makes the outbox ready. A mail server is not asked yet: it may be away for a while.
    pub async fn connect(config: &Config) -> Result<Self, ConnectError> {
        Ok(Self {
            store: Store::open(config.store.url())
                .await
                .map_err(ConnectError::Store)?,
            sink: Sink::new(config.sink.clone()),
            mailer: Arc::new(Mailer::new(config.outbox()?).await?),
            stationery: Arc::new(Stationery::new(config)),
            sweep_grace: config.sweep_grace,
            turns: config.turns.turns(),
            retention: config.retention(),
        })
    }
}

/// The routes of `notify`, with the chassis around them.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/mp3-ready", post(job_ended::on_mp3_ready))
        .route("/job-failed", post(job_ended::on_job_failed))
        .route("/dead-letter", post(dead_letter::on_dead_letter))
        .route("/ping", post(ping::on_ping))
        .with_state(app.clone());
    chassis(routes, app)
}

#[async_trait]
impl Ready for App {
    async fn ready(&self) -> Result<(), NotReady> {
        let answer = self.store.jobs.now().await;
        answer
            .map(drop)
            .map_err(|error| NotReady(error.to_string()))
    }
}
