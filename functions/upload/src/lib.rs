//! The only public door: login, uploads, the jobs API, downloads.
//!
//! - `login`, `upload`, `jobs`, `cancel`, `retry`, `rename`, `download`, `link`, `waveform`: the handlers.
//! - `person`: who is asking, from a verified token.
//! - `files`: uploads that go on after a break (tus).
//! - `form`: what comes with a video: options, a cover.
//! - `backlog`: what keeps the multipart parser from reading ahead without end.
//! - `allowance`: how much one person may take up.
//! - `incoming`: an upload on its way into the store, from the record to the announcement.
//! - `announce`: whose job is announced, and when.
//! - `file_name`: a video's name as it comes in and as the MP3's goes out.

mod allowance;
mod announce;
mod backlog;
mod cancel;
mod config;
mod download;
mod error;
mod file_name;
mod files;
mod form;
mod incoming;
mod jobs;
mod link;
mod login;
mod person;
mod rename;
mod retry;
mod upload;
mod waveform;

pub use config::Config;

use async_trait::async_trait;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use decant_events::LinkSecret;
use decant_function::{NotReady, Ready, Sink, TrustedProxies, chassis};
use decant_store::{Store, Turns};
use person::PublicKeys;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use url::Url;

/// What the handlers work with. Clones share it.
#[derive(Clone)]
pub struct App {
    store: Store,
    sink: Sink,
    public_keys: Arc<PublicKeys>,
    link_secret: LinkSecret,
    link_ttl: Duration,
    login_url: Url,
    client: reqwest::Client,
    trusted_proxies: TrustedProxies,
    max_upload_bytes: u64,
    max_waiting: u64,
    max_stored_bytes: u64,
    turns: Turns,
    keep_partial: Duration,
    upload_slots: Arc<Semaphore>,
}

impl App {
    /// Opens the store.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        Self::new(Store::open(config.store.url()).await?, config)
    }

    /// Works on this store.
    pub fn new(store: Store, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            store,
            sink: Sink::new(config.sink.clone()),
            public_keys: Arc::new(PublicKeys::at(&config.public_keys)),
            link_secret: config.link_secret.clone(),
            link_ttl: config.link_ttl,
            login_url: config.auth_url.join("login")?,
            client: decant_function::client(login::WITHIN)?,
            upload_slots: Arc::new(Semaphore::new(upload::AT_ONCE)),
            trusted_proxies: config.trusted_proxies.clone(),
            max_upload_bytes: config.max_upload.as_u64(),
            max_waiting: config.max_waiting.get(),
            max_stored_bytes: config.max_stored.as_u64(),
            turns: config.turns.turns(),
            keep_partial: config.keep_partial,
        })
    }
}

#[async_trait]
impl Ready for App {
    async fn ready(&self) -> Result<(), NotReady> {
        self.public_keys
            .load()
            .map_err(|error| NotReady(error.to_string()))?;
        let lack = |error: decant_store::Error| NotReady(error.to_string());
        self.store.jobs.now().await.map_err(lack)?;
        self.store.payloads.room().await.map_err(lack)
    }
}

/// The routes of `upload`.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/", get(welcome))
        .route("/login", post(login::login))
        // No limit of axum's: the size is counted as the bytes pass.
        .route(
            "/upload",
            post(upload::upload).layer(DefaultBodyLimit::disable()),
        )
        .merge(files::routes())
        .route("/jobs", get(jobs::list))
        .route(
            "/jobs/{id}",
            get(jobs::show).patch(rename::rename).delete(cancel::cancel),
        )
        .route("/jobs/{id}/retry", post(retry::retry))
        .route("/jobs/{id}/link", get(link::link))
        .route("/jobs/{id}/waveform", get(waveform::waveform))
        .route("/download", get(download::download))
        .with_state(app.clone());
    chassis(routes, app)
}

async fn welcome() -> &'static str {
    "Decant turns a video into an MP3.\n\n\
     POST   /login              Basic auth: gives a token\n\
     POST   /upload             multipart `file`, or the video itself as the body: gives a job\n\
     POST   /files              an upload that goes on after a break, by the tus protocol\n\
     GET    /jobs               your jobs, newest first\n\
     GET    /jobs/{id}          one job\n\
     PATCH  /jobs/{id}          calls it by another title: {\"title\": \"…\"}\n\
     DELETE /jobs/{id}          cancels it, and deletes what is stored\n\
     POST   /jobs/{id}/retry    converts its video again, with other options if you name some\n\
     GET    /jobs/{id}/link     a link that downloads its MP3 without a token\n\
     GET    /jobs/{id}/waveform how loud its MP3 is, to be drawn\n\
     GET    /download?id={id}   the MP3 of a job's mp3_fid\n"
}
