//! The only public door: login, uploads, the jobs API, downloads.
//!
//! - `login`, `session`, `upload`, `jobs`, `download`, `zip`, `waveform`, `dashboard`: the handlers.
//! - `person`: who is asking, from a token that `public_keys` verifies, sent as such or in the cookie of a session.
//! - `openapi`: what all of these say of themselves, for programs.
//! - `base_path`, `cors`: where the door is, and whose pages may call it.
//! - `form`: what comes with a video: options, a cover.
//! - `backlog`: what keeps the multipart parser from reading ahead without end.
//! - `incoming`: an upload on its way into the store, from the record to the announcement.
//! - `file_name`: a video's name as it comes in and as the MP3's goes out.

mod backlog;
mod base_path;
mod config;
mod cors;
mod dashboard;
mod download;
mod error;
mod file_name;
mod form;
mod incoming;
mod jobs;
mod login;
mod openapi;
mod person;
mod public_keys;
mod session;
mod upload;
mod waveform;
mod zip;

pub use base_path::BasePath;
pub use config::Config;
pub use cors::CorsOrigins;

use async_trait::async_trait;
use axum::{Extension, Router, extract::DefaultBodyLimit, middleware::from_fn_with_state};
use decant_events::LinkSecret;
use decant_function::{NotReady, Ready, Sink, TrustedProxies, chassis};
use decant_store::Store;
use public_keys::PublicKeys;
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;
use utoipa::OpenApi;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

/// What the handlers work with. Clones share it.
#[derive(Clone)]
pub struct App {
    store: Store,
    sink: Sink,
    public_keys: Arc<PublicKeys>,
    link_secret: LinkSecret,
    login_url: Url,
    client: reqwest::Client,
    trusted_proxies: TrustedProxies,
    base_path: BasePath,
    cors_origins: CorsOrigins,
    max_upload_bytes: u64,
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
            login_url: config.auth_url.join("login")?,
            client: decant_function::client(login::WITHIN)?,
            upload_slots: Arc::new(Semaphore::new(upload::AT_ONCE)),
            trusted_proxies: config.trusted_proxies.clone(),
            base_path: config.base_path.clone(),
            cors_origins: config.cors_origins.clone(),
            max_upload_bytes: config.max_upload.as_u64(),
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
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
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
