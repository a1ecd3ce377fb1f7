//! One event in, one event out: claims a job, runs the audio engine, stores the MP3.
//!
//! - `video_uploaded`: the handler.
//! - `attempt`: one attempt at a job, under its lease, from claim to end.
//! - `options`: what people ask for, as the audio engine takes it.
//! - `engine`: the audio engine on a thread of its own, reading from and writing to the store.
//! - `input`: the stored video as the engine reads it, ahead of what it asks for.
//! - `decoder`: the program that decodes in a box, and whether the box holds.

mod attempt;
mod config;
mod decoder;
mod engine;
mod error;
mod input;
mod options;
mod video_uploaded;

pub use config::Config;
pub use options::engine_options;

use async_trait::async_trait;
use axum::{Router, routing::post};
use decant_function::{NotReady, Ready, chassis};
use decant_store::Store;
use decoder::CheckedDecoder;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// What the handler works with. Clones share it.
#[derive(Clone)]
pub struct App {
    store: Store,
    /// One permit for each conversion that may run at once. Whoever waits for one holds no lease yet.
    slots: Arc<Semaphore>,
    timeout: Duration,
    decoder: CheckedDecoder,
    adopts_foreign_events: bool,
}

impl App {
    /// Opens the store, and tries the decoder's box: until it holds, the function isn't ready.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let app = Self::new(Store::open(config.store.url()).await?, config);
        if let Err(lack) = app.decoder.ready().await {
            tracing::error!(error = %lack, "the decoder can't be used");
        }
        Ok(app)
    }

    /// Works on this store.
    pub fn new(store: Store, config: &Config) -> Self {
        Self {
            store,
            slots: Arc::new(Semaphore::new(config.parallel.get())),
            timeout: config.timeout,
            decoder: CheckedDecoder::new(config.decoder()),
            adopts_foreign_events: config.foreign_events,
        }
    }
}

#[async_trait]
impl Ready for App {
    async fn ready(&self) -> Result<(), NotReady> {
        let lack = |error: decant_store::Error| NotReady(error.to_string());
        self.decoder.ready().await?;
        self.store.jobs.now().await.map_err(lack)?;
        self.store.payloads.room().await.map_err(lack)
    }
}

/// The routes of `convert`.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/", post(video_uploaded::on_video_uploaded))
        .with_state(app.clone());
    chassis(routes, app)
}
