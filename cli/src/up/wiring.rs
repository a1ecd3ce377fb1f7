use super::{
    config::Config,
    data::DataFolder,
    first_user,
    process::{Function, Life, Variables, check_settings},
};
use anyhow::Context;
use decant_broker::{Routes, Topology};
use include_dir::{Dir, include_dir};
use std::{env, ffi::OsString, net::TcpListener, sync::Arc};
use url::Url;

/// The manifests that the cluster gets.
static KNATIVE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../knative/base");
static EVENTING: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../rabbitmq-eventing");

/// Who listens where, and who is told about whom.
pub(crate) struct Wiring {
    pub(crate) topology: Topology,
    /// How many conversions run at once.
    pub(crate) slots: usize,
    pub(crate) routes: Routes,
    pub(crate) ingress: tokio::net::TcpListener,
    pub(crate) door: Function,
    /// Where the functions answer, the door last.
    pub(crate) addresses: Vec<Url>,
    pub(crate) functions: Vec<Function>,
}

impl Wiring {
    /// Checks every setting, then binds every socket: the door's where people expect it, the others' on loopback.
    pub(crate) async fn new(config: &Config, data: &DataFolder) -> anyhow::Result<Self> {
        let topology = Topology::from_yaml([&KNATIVE, &EVENTING].into_iter().flat_map(manifests))?;
        let slots = slots()?;
        first_user::ensure_keys(data).await?;
        let ingress = loopback()?;
        let [auth, convert, notify] = [loopback()?, loopback()?, loopback()?];
        let auth_url = Function::url(&auth)?;
        let (convert_url, notify_url) = (Function::url(&convert)?, Function::url(&notify)?);
        let routes = Routes::new([
            ("auth", auth_url.clone()),
            ("convert", convert_url.clone()),
            ("notify", notify_url.clone()),
        ]);
        let sink = Function::url(&ingress)?;
        let environment = Environment {
            config,
            data,
            sink,
            auth_url: auth_url.clone(),
            link_secret: data.link_secret()?,
            slots,
        };
        let variables = [
            ("auth", environment.auth()),
            ("convert", environment.convert()),
            ("notify", environment.notify()),
            ("upload", environment.upload()),
        ];
        for (function, variables) in &variables {
            check_settings(function, variables).await?;
        }
        let door = TcpListener::bind(("0.0.0.0", config.port)).with_context(|| {
            format!(
                "PORT: expected a free port, {} can't be listened on",
                config.port
            )
        })?;
        let door_url = Function::url(&door)?;
        ingress.set_nonblocking(true)?;
        Ok(Self {
            topology,
            slots,
            routes,
            ingress: tokio::net::TcpListener::from_std(ingress)?,
            door: Function::new("upload", door, environment.upload()),
            addresses: vec![auth_url, convert_url, notify_url, door_url],
            functions: vec![
                Function::new("auth", auth, environment.auth()),
                Function::new("convert", convert, environment.convert()),
                Function::new("notify", notify, environment.notify()),
            ],
        })
    }
}

impl Wiring {
    /// What `decant status` tells of: each function, where it answers, and its process.
    pub(crate) fn lives(&self) -> Vec<(&'static str, Url, Arc<Life>)> {
        let functions = self.functions.iter().chain([&self.door]);
        let functions = functions.zip(&self.addresses);
        functions
            .map(|(function, url)| (function.name(), url.clone(), function.life()))
            .collect()
    }
}

/// Two conversions, which share the cores, or one where there is one core, unless somebody knows better.
fn slots() -> anyhow::Result<usize> {
    match env::var("DECANT_CONVERT_PARALLEL") {
        Ok(slots) => slots.parse().with_context(|| {
            format!("DECANT_CONVERT_PARALLEL: expected a number such as 2, got {slots}")
        }),
        Err(_) => Ok(std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2))),
    }
}

fn loopback() -> anyhow::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).context("no free port on loopback")
}

fn manifests(folder: &'static Dir<'static>) -> impl Iterator<Item = (String, &'static str)> {
    folder
        .files()
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .filter_map(|file| Some((file.path().display().to_string(), file.contents_utf8()?)))
}

/// Where the users live.
pub(super) fn users(config: &Config, data: &DataFolder) -> String {
    config.users.clone().unwrap_or_else(|| data.users())
}

/// What each function is told, by the names that the cluster's manifests use too.
struct Environment<'a> {
    config: &'a Config,
    data: &'a DataFolder,
    sink: Url,
    auth_url: Url,
    link_secret: String,
    slots: usize,
}

impl Environment<'_> {
    /// Also when this process is gone: what a function ends later, the next start's sweep doesn't see.
    fn grace(&self) -> (&'static str, OsString) {
        let seconds = self.config.shutdown_grace.as_secs();
        ("SHUTDOWN_GRACE", seconds.to_string().into())
    }

    fn auth(&self) -> Variables {
        vec![
            self.grace(),
            ("DECANT_USERS", users(self.config, self.data).into()),
            ("DECANT_SIGNING_KEY", self.data.signing_key().into()),
            // Only the door talks to auth, and names its clients.
            ("DECANT_TRUSTED_PROXIES", "127.0.0.1".into()),
        ]
    }

    fn upload(&self) -> Variables {
        let mut variables = vec![
            self.grace(),
            ("K_SINK", self.sink.as_str().into()),
            ("DECANT_AUTH_URL", self.auth_url.as_str().into()),
            ("DECANT_PUBLIC_KEYS", self.data.public_keys().into()),
            ("LINK_SECRET", self.link_secret.as_str().into()),
        ];
        let max_upload = self
            .config
            .max_upload
            .iter()
            .map(|size| ("DECANT_MAX_UPLOAD", size.into()));
        variables.extend(max_upload);
        variables.extend(self.store());
        variables
    }

    fn convert(&self) -> Variables {
        let parallel = ("DECANT_CONVERT_PARALLEL", self.slots.to_string().into());
        let mut variables = vec![self.grace(), parallel];
        variables.extend(self.store());
        variables
    }

    /// Nothing where MONGO_URI says it: the functions read that themselves.
    fn store(&self) -> Option<(&'static str, OsString)> {
        let store = match &self.config.store {
            Some(store) => store.into(),
            None if env::var_os("MONGO_URI").is_some() => return None,
            None => self.data.store().into(),
        };
        Some(("DECANT_STORE", store))
    }

    fn notify(&self) -> Variables {
        let public_url = self.config.public_url.clone();
        let public_url =
            public_url.unwrap_or_else(|| format!("http://localhost:{}", self.config.port));
        let gmail = env::var_os("GMAIL_ADDRESS").is_some();
        let mut variables = vec![
            self.grace(),
            ("K_SINK", self.sink.as_str().into()),
            ("LINK_SECRET", self.link_secret.as_str().into()),
            ("DECANT_PUBLIC_URL", public_url.into()),
        ];
        variables.extend(self.store());
        match &self.config.smtp {
            Some(smtp) => variables.push(("DECANT_SMTP", smtp.into())),
            None if gmail => {}
            None => {
                let mut folder = OsString::from("file:");
                folder.push(self.data.mail());
                variables.push(("DECANT_SMTP", folder));
            }
        }
        variables
    }
}
