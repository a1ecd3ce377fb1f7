use crate::silent::SilentServer;
use decant_e2e::{EMAIL, PASSWORD, System, eventually};
use decant_test_servers::{Demands, MailServer, MongoServer, MySqlServer, RabbitServer};
use serde_json::Value;
use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// Answers every event with 503.
const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/suite/always-503");

/// How long a function may take to be started again.
const AGAIN: Duration = Duration::from_secs(300);

/// `decant up` with its servers.
pub(crate) struct Machine {
    // In the order of dropping: the servers last.
    system: System,
    programs: TempDir,
    rabbitmq: RabbitServer,
    _mongodb: MongoServer,
    _mysql: MySqlServer,
    mail: Option<MailServer>,
    /// In its place, for a while.
    silent: Option<SilentServer>,
    mail_port: u16,
    /// What the mail servers got that don't run any more.
    earlier: Vec<Value>,
}

impl Machine {
    pub(crate) async fn start() -> Self {
        let mut system = System::new();
        let folder = |name: &str| {
            let folder = system.scratch().join(name);
            fs::create_dir(&folder).expect("a folder");
            folder
        };
        let mongodb = MongoServer::start(&folder("mongodb"));
        let mysql = MySqlServer::start(&folder("mysql"));
        let rabbitmq = RabbitServer::start(&folder("rabbitmq"));
        let mail = mail_server(system.scratch(), 0);
        let programs = programs(&system.program);
        let smtp = format!("smtp://127.0.0.1:{}?tls=none", mail.port);
        system.program = programs.path().join("decant");
        system
            .set("DECANT_STORE", mongodb.uri())
            .set("DECANT_USERS", &mysql.url("auth"))
            .set("DECANT_AMQP", &rabbitmq.setting(""))
            .set("DECANT_SMTP", &smtp)
            .start()
            .await;
        Self {
            system,
            programs,
            rabbitmq,
            _mongodb: mongodb,
            _mysql: mysql,
            mail_port: mail.port,
            mail: Some(mail),
            silent: None,
            earlier: Vec::new(),
        }
    }

    /// What the suite has to know.
    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        let door = format!("http://localhost:{}", self.system.port);
        let log = self.scratch().join("log");
        [
            ("DECANT_URL", door),
            ("DECANT_ADMIN", format!("{EMAIL}:{PASSWORD}")),
            ("DECANT_LOG", log.display().to_string()),
        ]
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.system.scratch().to_owned()
    }

    /// Where a function listens.
    pub(crate) fn address(&self, function: &str) -> String {
        let port = self.system.function(function).variable("PORT");
        format!("http://127.0.0.1:{port}")
    }

    /// Ends a part, and says how. What ends with it comes back by itself, or is started again here.
    pub(crate) async fn kill(&mut self, part: &str) -> Option<&'static str> {
        Some(match part {
            "convert" => {
                self.system.function("convert").ask_to_stop();
                "SIGTERM to decant-convert"
            }
            "convert-at-once" => {
                self.system.function("convert").kill();
                "SIGKILL to decant-convert"
            }
            "notify" => {
                self.system.function("notify").ask_to_stop();
                "SIGTERM to decant-notify"
            }
            "dispatchers" => {
                self.system.kill_everything().await;
                self.system.start().await;
                "SIGKILL to `decant up` and all functions"
            }
            "rabbitmq" => {
                self.rabbitmq.stop();
                self.rabbitmq.start_again();
                "RabbitMQ stopped and started"
            }
            _ => return None,
        })
    }

    /// All mails, in the order in which they came.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let now = self.mail.iter().flat_map(|server| server.happened("mail"));
        self.earlier.iter().cloned().chain(now).collect()
    }

    /// Ends the mail server.
    pub(crate) fn stop_mail(&mut self) {
        let happened = self.mail.take().map(MailServer::end).unwrap_or_default();
        let mails = happened.into_iter().filter(|event| event["what"] == "mail");
        self.earlier.extend(mails);
    }

    /// Puts a server in its place that keeps mails waiting.
    pub(crate) async fn hold_mail(&mut self) {
        self.stop_mail();
        self.silent = Some(SilentServer::start(self.mail_port).await);
    }

    /// How many mails wait, or waited, for a word of that server.
    pub(crate) fn held_mails(&self) -> usize {
        self.silent.as_ref().map_or(0, SilentServer::taken)
    }

    /// Starts it again, if it was ended, or held.
    pub(crate) async fn start_mail(&mut self) {
        if let Some(silent) = self.silent.take() {
            silent.end().await;
        }
        let (scratch, port) = (self.scratch(), self.mail_port);
        self.mail.get_or_insert_with(|| mail_server(&scratch, port));
    }

    /// Puts a program in the place of convert that answers 503 to everything.
    pub(crate) async fn break_convert(&self) {
        self.replace_convert(Path::new(STAND_IN), 503).await;
    }

    /// Puts convert back, if it is away.
    pub(crate) async fn mend_convert(&self) {
        let convert = own_folder().join("decant-convert");
        if fs::read_link(self.convert()).expect("a link") != convert {
            self.replace_convert(&convert, 200).await;
        }
    }

    async fn replace_convert(&self, program: &Path, readiness: u16) {
        let running = self.system.function("convert");
        let readiness_at = self.address("convert") + "/health/readiness";
        fs::remove_file(self.convert()).expect("the old link goes");
        symlink(program, self.convert()).expect("a new link");
        running.kill();
        let readiness_is = async || {
            let answer = reqwest::get(&readiness_at).await.ok()?;
            let other = self.system.processes().iter().all(|one| *one != running);
            (other && answer.status() == readiness).then_some(())
        };
        eventually("the other program as convert", AGAIN, readiness_is).await;
    }

    fn convert(&self) -> PathBuf {
        self.programs.path().join("decant-convert")
    }
}

/// A mail server that asks for nothing.
fn mail_server(folder: &Path, port: u16) -> MailServer {
    let demands = Demands {
        port,
        encryption: "none",
        login: None,
        ..Demands::default()
    };
    MailServer::start(folder, &demands)
}

/// A folder with the programs, in which one of them can be exchanged: `decant` looks for the others beside itself.
fn programs(decant: &Path) -> TempDir {
    let own = own_folder();
    let folder = tempfile::Builder::new()
        .prefix("e2e-local-")
        .tempdir_in(&own);
    let folder = folder.expect("a folder beside the programs");
    fs::hard_link(decant, folder.path().join("decant")).expect("a second name for the program");
    for function in ["auth", "upload", "convert", "notify"] {
        let name = format!("decant-{function}");
        symlink(own.join(&name), folder.path().join(&name)).expect("a link");
    }
    folder
}

fn own_folder() -> PathBuf {
    let own = env::current_exe().expect("this program");
    own.parent().expect("its folder").to_owned()
}
