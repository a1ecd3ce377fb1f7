use crate::{ConnectError, InvalidOutbox, Outbox, SmtpServer};
use decant_events::{DownloadLink, LinkSecret};
use decant_function::{ServerConfig, duration, http_url};
use decant_store::{Retention, StoreConfig, TurnsConfig};
use lettre::{Address, message::Mailbox};
use secrecy::SecretString;
use std::{str::FromStr, time::Duration};
use url::Url;

/// Settings of `notify`. Every flag is an environment variable too.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "decant-notify", version, about)]
pub struct Config {
    /// Where to listen, how long to drain.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Where payloads and jobs live.
    #[command(flatten)]
    pub store: StoreConfig,
    /// How people's jobs take turns; `upload` has the same.
    #[command(flatten)]
    pub turns: TurnsConfig,
    /// How mail leaves: smtp://user:password@host:587 (STARTTLS, always), smtps://user:password@host:465 (TLS),
    /// smtp://host:25?tls=none (a relay of your own, without password), or file:FOLDER for .eml files. Special
    /// characters in user and password are percent-encoded. Certificates are checked against the system's, or against
    /// the file that SSL_CERT_FILE names.
    #[arg(
        long,
        env = "DECANT_SMTP",
        value_name = "DECANT_SMTP",
        hide_env_values = true,
        required_unless_present = "gmail_address"
    )]
    pub smtp: Option<Outbox>,
    /// Short for a DECANT_SMTP at smtp.gmail.com, and the sender of every mail.
    #[arg(
        long,
        env = "GMAIL_ADDRESS",
        value_name = "GMAIL_ADDRESS",
        value_parser = address,
        requires = "gmail_password"
    )]
    pub gmail_address: Option<Address>,
    /// The app password that goes with it.
    #[arg(
        long,
        env = "GMAIL_PASSWORD",
        value_name = "GMAIL_PASSWORD",
        hide_env_values = true,
        requires = "gmail_address"
    )]
    pub gmail_password: Option<SecretString>,
    /// Who mails come from. GMAIL_ADDRESS if unset, else Decant <decant@localhost>.
    #[arg(
        long,
        env = "DECANT_MAIL_FROM",
        value_name = "DECANT_MAIL_FROM",
        value_parser = mailbox
    )]
    pub mail_from: Option<Mailbox>,
    /// Where people reach Decant: what links in mails begin with.
    #[arg(long, env = "DECANT_PUBLIC_URL", value_name = "DECANT_PUBLIC_URL")]
    pub public_url: PublicUrl,
    /// What links are signed with; `upload` has the same. At least 32 characters.
    #[arg(
        long,
        env = "LINK_SECRET",
        value_name = "LINK_SECRET",
        hide_env_values = true
    )]
    pub link_secret: LinkSecret,
    /// How long a link in a mail works.
    #[arg(
        long,
        env = "DECANT_LINK_TTL",
        value_name = "DECANT_LINK_TTL",
        default_value = "7d",
        value_parser = duration
    )]
    pub link_ttl: Duration,
    /// The broker's ingress. Knative sets it.
    #[arg(long, env = "K_SINK", value_name = "K_SINK", value_parser = http_url)]
    pub sink: Url,
    /// How long something half-written or unmailed is left alone before the sweep takes it: as long as a request may
    /// run, at least.
    #[arg(
        long,
        env = "DECANT_SWEEP_GRACE",
        value_name = "DECANT_SWEEP_GRACE",
        default_value = "10m",
        value_parser = duration
    )]
    pub sweep_grace: Duration,
    /// How long a video is kept after its job has ended, such as 7d: it can be converted again until then. For good
    /// without it. `upload` has the same.
    #[arg(
        long,
        env = "DECANT_KEEP_VIDEO",
        value_name = "DECANT_KEEP_VIDEO",
        value_parser = duration
    )]
    pub keep_video: Option<Duration>,
    /// How long an MP3 is kept. For good without it. `upload` has the same.
    #[arg(
        long,
        env = "DECANT_KEEP_MP3",
        value_name = "DECANT_KEEP_MP3",
        value_parser = duration
    )]
    pub keep_mp3: Option<Duration>,
}

impl Config {
    /// Fails where a setting can't ever be used. What is away for a while is no reason.
    pub fn check(&self) -> Result<(), ConnectError> {
        self.store.check().map_err(ConnectError::Store)?;
        match self.outbox()? {
            Outbox::Smtp(_) => Ok(()),
            Outbox::Folder(folder) => std::fs::create_dir_all(folder).map_err(ConnectError::Folder),
        }
    }

    /// How long what jobs leave is kept.
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            keep_video: self.keep_video,
            keep_mp3: self.keep_mp3,
        }
    }

    /// How mail leaves: `DECANT_SMTP`, or Gmail's server for the short form.
    pub fn outbox(&self) -> Result<Outbox, InvalidOutbox> {
        match (&self.smtp, &self.gmail_address, &self.gmail_password) {
            (Some(outbox), ..) => Ok(outbox.clone()),
            (None, Some(address), Some(password)) => {
                Ok(Outbox::Smtp(SmtpServer::gmail(address, password)))
            }
            (None, ..) => Err(InvalidOutbox),
        }
    }

    /// Who mails come from.
    pub fn sender(&self) -> Mailbox {
        let at_home = || Address::new_dangerous("decant", "localhost");
        self.mail_from.clone().unwrap_or_else(|| {
            Mailbox::new(
                Some("Decant".into()),
                self.gmail_address.clone().unwrap_or_else(at_home),
            )
        })
    }
}

/// The base of links: http or https, with or without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where `link` leads.
    pub fn download(&self, link: &DownloadLink) -> String {
        format!("{}/download?{}", self.0, link.query())
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match web_address(text) {
            Ok(url) if url.query().is_none() && url.fragment().is_none() => {
                Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
            }
            _ => Err("expected an address such as https://decant.example.com".into()),
        }
    }
}

fn web_address(text: &str) -> Result<Url, String> {
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.username().is_empty() => Ok(url),
        _ => Err("expected an address that begins with http:// or https://".into()),
    }
}

fn address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|_| "expected a mail address such as kevin@email.com".into())
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse()
        .map_err(|_| "expected a mail address such as Decant <decant@example.com>".into())
}
