use decant_broker::AmqpUrl;
use decant_events::Username;
use secrecy::SecretString;
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Settings of `decant up`. Every flag is an environment variable too; what is left out, a function's own default
/// decides. The functions' other settings are taken from the environment as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    /// The port of the door.
    #[arg(
        long,
        env = "PORT",
        value_name = "PORT",
        default_value = "8080",
        value_parser = port
    )]
    pub(crate) port: u16,
    /// The folder of all data. Made if absent.
    #[arg(
        long,
        env = "DECANT_DATA",
        value_name = "DECANT_DATA",
        default_value = "./.decant"
    )]
    pub(crate) data: PathBuf,
    /// A first user, `email:password`, made if absent. Without it, one is made at the first start and its password
    /// printed once.
    #[arg(
        long,
        env = "DECANT_ADMIN",
        value_name = "DECANT_ADMIN",
        hide_env_values = true
    )]
    pub(crate) admin: Option<Admin>,
    /// Where payloads and jobs live: mongodb://… or a folder. By default in the data folder. MONGO_URI, as it was called
    /// before, is understood too.
    #[arg(
        long,
        env = "DECANT_STORE",
        value_name = "DECANT_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<String>,
    /// Where the users live: mysql://user:password@host:3306/auth, or sqlite:PATH. By default in the data folder.
    #[arg(
        long,
        env = "DECANT_USERS",
        value_name = "DECANT_USERS",
        hide_env_values = true
    )]
    pub(crate) users: Option<String>,
    /// Where the queues are: amqp://user:password@host:5672 or amqps://…. By default in memory.
    #[arg(
        long,
        env = "DECANT_AMQP",
        value_name = "DECANT_AMQP",
        hide_env_values = true
    )]
    pub(crate) amqp: Option<AmqpUrl>,
    /// How mail goes out: smtp://user:password@host:587 (STARTTLS), smtps://…, or file:FOLDER. By default into the data
    /// folder.
    #[arg(
        long,
        env = "DECANT_SMTP",
        value_name = "DECANT_SMTP",
        hide_env_values = true
    )]
    pub(crate) smtp: Option<String>,
    /// The address of the door as people reach it, for links in mail. By default http://localhost:PORT.
    #[arg(long, env = "DECANT_PUBLIC_URL", value_name = "DECANT_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// The path that everything is below, such as /decant.
    #[arg(
        long,
        env = "DECANT_BASE_PATH",
        value_name = "DECANT_BASE_PATH",
        default_value = ""
    )]
    pub(crate) base_path: String,
    /// The largest video that is taken, such as 500MB or 10GiB.
    #[arg(long, env = "DECANT_MAX_UPLOAD", value_name = "DECANT_MAX_UPLOAD")]
    pub(crate) max_upload: Option<String>,
    /// How long what runs may go on after Ctrl-C or SIGTERM. What is cut off goes on at the next start.
    #[arg(
        long,
        env = "SHUTDOWN_GRACE",
        value_name = "SHUTDOWN_GRACE",
        default_value = "30s",
        value_parser = decant_function::duration
    )]
    pub(crate) shutdown_grace: Duration,
}

impl Config {
    /// The address of the door on this machine.
    pub(crate) fn door(&self) -> String {
        let base_path = self.base_path.trim_end_matches('/');
        format!("http://localhost:{}{base_path}", self.port)
    }
}

/// The longest password that `auth` takes.
const LONGEST_PASSWORD_BYTES: usize = 1024;

/// A first user.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) username: Username,
    pub(crate) password: SecretString,
}

impl FromStr for Admin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || "expected email:password such as kevin@email.com:Qwerty123".to_owned();
        let (username, password) = text.split_once(':').ok_or_else(expected)?;
        if password.is_empty() || password.len() > LONGEST_PASSWORD_BYTES {
            return Err(expected());
        }
        Ok(Self {
            username: username.parse().map_err(|_| expected())?,
            password: password.into(),
        })
    }
}

/// Not any free one (0): people reach the door by it, and links in mail name it.
fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err("expected a port from 1 to 65535".into()),
    }
}
