//! The only public door: login, uploads, the jobs API, downloads.
//!
//! - `login`, `session`, `upload`, `jobs`, `events`, `cancel`, `retry`, `rename`, `download`, `link`, `zip`, `waveform`,
//!   `dashboard`: the handlers.
//! - `files`: uploads that go on after a break (tus).
//! - `person`: who is asking, from a token that `public_keys` verifies, sent as such or in the cookie of a session.
//! - `openapi`: what all of these say of themselves, for programs.
//! - `base_path`, `cors`: where the door is, and whose pages may call it.
//! - `form`: what comes with a video: options, a cover.
//! - `backlog`: what keeps the multipart parser from reading ahead without end.
//! - `allowance`: how much one person may take up.
//! - `incoming`: an upload on its way into the store, from the record to the announcement.
//! - `announce`: whose job is announced, and when.
//! - `idempotency`: what an uploader calls an upload.
//! - `watch`: what has changed, for all streams of events at once.
//! - `file_name`: a video's name as it comes in and as the MP3's goes out.

mod allowance;
mod announce;
mod backlog;
mod base_path;
mod cancel;
mod config;
mod cors;
mod dashboard;
mod download;
mod error;
mod events;
mod file_name;
mod files;
mod form;
mod idempotency;
mod incoming;
mod jobs;
mod link;
mod login;
mod openapi;
mod person;
mod public_keys;
mod rename;
mod retry;
mod session;
mod upload;
mod watch;
mod waveform;
mod zip;

pub use base_path::BasePath;
pub use config::Config;
pub use cors::CorsOrigins;

use async_trait::async_trait;
use axum::{Extension, Router, extract::DefaultBodyLimit, middleware::from_fn_with_state};
use decant_events::LinkSecret;
use decant_function::{NotReady, Ready, Sink, TrustedProxies, chassis};
use decant_store::{Retention, Store, Turns};
use public_keys::PublicKeys;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use url::Url;
use utoipa::OpenApi;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};
use watch::Watch;

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
    base_path: BasePath,
    cors_origins: CorsOrigins,
    max_upload_bytes: u64,
    max_waiting: u64,
    max_stored_bytes: u64,
    turns: Turns,
    keep_partial: Duration,
    upload_slots: Arc<Semaphore>,
    retention: Retention,
    watch: Arc<Watch>,
    stream_slots: Arc<Semaphore>,
}

impl App {
    /// Opens the store.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        Self::new(Store::open(config.store.url()).await?, config)
    }

    /// Works on this store.
    pub fn new(store: Store, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            watch: Watch::new(store.clone()),
            stream_slots: Arc::new(Semaphore::new(events::AT_ONCE)),
            retention: config.retention(),
            store,
            sink: Sink::new(config.sink.clone()),
            public_keys: Arc::new(PublicKeys::at(&config.public_keys)),
            link_secret: config.link_secret.clone(),
            link_ttl: config.link_ttl,
            login_url: config.auth_url.join("login")?,
            client: decant_function::client(login::WITHIN)?,
            upload_slots: Arc::new(Semaphore::new(upload::AT_ONCE)),
            trusted_proxies: config.trusted_proxies.clone(),
            base_path: config.base_path.clone(),
            cors_origins: config.cors_origins.clone(),
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

/// The routes of `upload`. Each handler says in `#[utoipa::path]` where it is.
pub fn router(app: App) -> Router {
    // No limit of axum's: the size is counted as the bytes pass.
    let unlimited = DefaultBodyLimit::disable();
    let (routes, described) = OpenApiRouter::with_openapi(openapi::Begun::openapi())
        .routes(routes!(login::login))
        .routes(routes!(session::show, session::sign_in, session::sign_out))
        .routes(routes!(upload::upload).layer(unlimited))
        .merge(files::routes())
        .routes(routes!(jobs::list))
        .routes(routes!(events::of_all))
        .routes(routes!(jobs::show, rename::rename, cancel::cancel))
        .routes(routes!(events::of_job))
        .routes(routes!(retry::retry))
        .routes(routes!(link::link))
        .routes(routes!(waveform::waveform))
        .routes(routes!(zip::zip))
        .routes(routes!(download::download))
        // What comes after this is everybody's, and may be kept by caches: no session is renewed there.
        .route_layer(from_fn_with_state(app.clone(), session::renew))
        .routes(routes!(dashboard::home))
        .routes(routes!(dashboard::asset))
        .routes(routes!(openapi::openapi))
        .split_for_parts();
    let description = openapi::Description::of(&described, &app.base_path);
    let routes = routes.layer(Extension(description)).with_state(app.clone());
    let (base_path, cors_origins) = (app.base_path.clone(), app.cors_origins.clone());
    base_path.lay_below(cors_origins.let_in(chassis(routes, app)))
}
