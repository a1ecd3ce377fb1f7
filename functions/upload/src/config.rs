use crate::{BasePath, CorsOrigins};
use anyhow::Context;
use bytesize::ByteSize;
use decant_events::LinkSecret;
use decant_function::{ServerConfig, TrustedProxies, duration, http_url, size};
use decant_store::{Retention, StoreConfig, TurnsConfig};
use std::{num::NonZeroU64, path::PathBuf, time::Duration};
use url::Url;

/// The public door. Every flag is an environment variable too.
#[derive(Debug, clap::Parser)]
#[command(name = "decant-upload", version)]
pub struct Config {
    /// Where the function listens.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Where payloads and jobs live.
    #[command(flatten)]
    pub store: StoreConfig,
    /// The broker's ingress, which events are sent to. Knative's SinkBinding sets it.
    #[arg(long, env = "K_SINK", value_name = "K_SINK", value_parser = http_url)]
    pub sink: Url,
    /// Where `auth` answers.
    #[arg(long, env = "DECANT_AUTH_URL", value_name = "DECANT_AUTH_URL", value_parser = http_url)]
    pub auth_url: Url,
    /// The file with auth's public keys, a JWKS. It is read again when it changes.
    #[arg(long, env = "DECANT_PUBLIC_KEYS", value_name = "DECANT_PUBLIC_KEYS")]
    pub public_keys: PathBuf,
    /// What signs the links in mails: at least 32 characters, the same as notify's.
    #[arg(
        long,
        env = "LINK_SECRET",
        value_name = "LINK_SECRET",
        hide_env_values = true
    )]
    pub link_secret: LinkSecret,
    /// How long a link works that somebody asks for, to give it away.
    #[arg(
        long,
        env = "DECANT_LINK_TTL",
        value_name = "DECANT_LINK_TTL",
        default_value = "7d",
        value_parser = duration
    )]
    pub link_ttl: Duration,
    /// The largest video that is taken, such as 500MB or 10GiB.
    #[arg(
        long,
        env = "DECANT_MAX_UPLOAD",
        value_name = "DECANT_MAX_UPLOAD",
        default_value = "10GiB",
        value_parser = size
    )]
    pub max_upload: ByteSize,
    /// How many unfinished jobs one person may have.
    #[arg(
        long,
        env = "DECANT_MAX_WAITING",
        value_name = "DECANT_MAX_WAITING",
        default_value = "100"
    )]
    pub max_waiting: NonZeroU64,
    /// How much may be stored for one person, videos and MP3s together, such as 500MB or 10GiB.
    #[arg(
        long,
        env = "DECANT_MAX_STORED",
        value_name = "DECANT_MAX_STORED",
        default_value = "100GiB",
        value_parser = size
    )]
    pub max_stored: ByteSize,
    /// How people's jobs take turns; `notify` has the same.
    #[command(flatten)]
    pub turns: TurnsConfig,
    /// How long a resumable upload is kept when nothing more comes of it.
    #[arg(
        long,
        env = "DECANT_KEEP_PARTIAL",
        value_name = "DECANT_KEEP_PARTIAL",
        default_value = "24h",
        value_parser = some_time
    )]
    pub keep_partial: Duration,
    /// How long a video is kept after its job has ended, such as 7d: it can be converted again until then. For good
    /// without it. `notify` has the same.
    #[arg(
        long,
        env = "DECANT_KEEP_VIDEO",
        value_name = "DECANT_KEEP_VIDEO",
        value_parser = duration
    )]
    pub keep_video: Option<Duration>,
    /// How long an MP3 is kept. For good without it. `notify` has the same.
    #[arg(
        long,
        env = "DECANT_KEEP_MP3",
        value_name = "DECANT_KEEP_MP3",
        value_parser = duration
    )]
    pub keep_mp3: Option<Duration>,
    /// The path that everything is below, such as /decant.
    #[arg(
        long,
        env = "DECANT_BASE_PATH",
        value_name = "DECANT_BASE_PATH",
        default_value = ""
    )]
    pub base_path: BasePath,
    /// The sites whose pages may call the door with a Bearer token: origins, separated by commas.
    #[arg(
        long,
        env = "DECANT_CORS_ORIGINS",
        value_name = "DECANT_CORS_ORIGINS",
        default_value = ""
    )]
    pub cors_origins: CorsOrigins,
    /// Whose `X-Forwarded-For` names the client, and whose `X-Forwarded-Proto` tells how it came: addresses and networks,
    /// separated by commas.
    #[arg(
        long,
        env = "DECANT_TRUSTED_PROXIES",
        value_name = "DECANT_TRUSTED_PROXIES",
        default_value = ""
    )]
    pub trusted_proxies: TrustedProxies,
}

impl Config {
    /// Fails where a setting can't ever be used. What is away for a while is no reason.
    pub fn check(&self) -> anyhow::Result<()> {
        self.store.check().context("DECANT_STORE can't be used")
    }

    /// How long what jobs leave is kept.
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            keep_video: self.keep_video,
            keep_mp3: self.keep_mp3,
        }
    }
}

/// A value parser for time that is never none.
fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected a second or more, such as 24h".into()),
        time => Ok(time),
    }
}
