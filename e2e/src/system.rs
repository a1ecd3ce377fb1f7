use crate::{EMAIL, PASSWORD, Process, eventually, free_port, place::decant};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// How long a start may take, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(90);

/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(20);

/// `decant up` on a folder and a port of its own. It can be stopped or killed and started again on the same data. When
/// it is dropped, every process of it is killed.
pub struct System {
    pub(crate) folder: TempDir,
    settings: BTreeMap<String, String>,
    room: Option<String>,
    process: Option<Child>,
    /// The port of the door.
    pub port: u16,
    /// Its program. The functions lie beside it.
    pub program: PathBuf,
}

/// A `decant up` that ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it said on standard error.
    pub said: String,
}

impl System {
    /// A system that is not started yet, with a user of its own and mails as files in its folder.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("decant-e2e-")
            .tempdir()
            .expect("a temporary folder");
        let port = free_port();
        let mut system = Self {
            folder,
            settings: BTreeMap::new(),
            room: None,
            process: None,
            port,
            program: decant(),
        };
        let (data, mail) = (system.data(), system.mail_folder());
        fs::create_dir(&data).expect("a folder for the data");
        system
            .set("PORT", &port.to_string())
            .set("DECANT_DATA", &data.display().to_string())
            .set("DECANT_ADMIN", &format!("{EMAIL}:{PASSWORD}"))
            .set("DECANT_SMTP", &format!("file:{}", mail.display()));
        system
    }

    /// A new system, started.
    pub async fn started() -> Self {
        let mut system = Self::new();
        system.start().await;
        system
    }

    /// Sets an environment variable for the next start.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes an environment variable away for the next start.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.settings.remove(name);
        self
    }

    /// Puts the data on a disk of its own with this much room, such as `16m`, at the next start. Nobody else sees that
    /// disk, and it goes with the processes.
    pub fn on_a_disk_of(&mut self, room: &str) -> &mut Self {
        self.room = Some(room.to_owned());
        self
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn start(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let mut process = self.spawn(&[]);
        let ready = format!("Decant is ready at http://localhost:{}", self.port);
        let ended = eventually("the line that it is ready", START, async || {
            if self.said().contains(&ready) {
                return Some(None);
            }
            process.try_wait().expect("its status").map(Some)
        });
        let ended = ended.await;
        self.process = Some(process);
        if let Some(status) = ended {
            panic!("`decant up` ended with {status}:\n{}", self.log());
        }
    }

    /// Starts it where it is expected to end by itself, with these settings on top.
    pub async fn start_in_vain(&self, settings: &[(&str, &str)]) -> Ended {
        let before = self.log().len();
        let mut process = self.spawn(settings);
        let status = eventually("its end", START, async || {
            process.try_wait().expect("its status")
        });
        let status = status.await;
        Ended {
            status,
            said: self.log()[before..].to_owned(),
        }
    }

    /// Asks it to stop by SIGTERM, and waits for at most `limit` until it has. It must succeed, and leave nothing running.
    pub async fn stop(&mut self, limit: Duration) {
        self.stop_by(Signal::TERM, limit).await;
    }

    /// The same by Ctrl-C.
    pub async fn interrupt(&mut self, limit: Duration) {
        self.stop_by(Signal::INT, limit).await;
    }

    async fn stop_by(&mut self, how: Signal, limit: Duration) {
        let mut process = self.process.take().expect("it runs");
        signal(&process, how);
        let status = eventually("its end after it was asked to stop", limit, async || {
            process.try_wait().expect("its status")
        });
        let status = status.await;
        assert!(status.success(), "it ended with {status}:\n{}", self.log());
        let left = self.processes();
        assert_eq!(left, [], "still running after the end of `decant up`");
    }

    /// Presses Ctrl-C, and once more when it says that it is stopping. It must end within `limit`, whatever still runs.
    pub async fn interrupt_twice(&mut self, limit: Duration) {
        let mut process = self.process.take().expect("it runs");
        signal(&process, Signal::INT);
        eventually("the line that it is stopping", limit, async || {
            self.log()
                .contains("a second Ctrl-C stops at once")
                .then_some(())
        })
        .await;
        signal(&process, Signal::INT);
        eventually("its end", limit, async || {
            process.try_wait().expect("its status")
        })
        .await;
        eventually("the end of the functions", limit, async || {
            self.processes().is_empty().then_some(())
        })
        .await;
    }

    /// Kills `decant` alone, and waits until its functions have followed.
    pub async fn kill_the_command(&mut self) {
        let mut process = self.process.take().expect("it runs");
        signal(&process, Signal::KILL);
        process.wait().expect("its status");
        eventually("the end of the functions", GONE, async || {
            self.processes().is_empty().then_some(())
        })
        .await;
    }

    /// Kills all of its processes at once, as a power cut does.
    pub async fn kill_everything(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let all = self.processes();
        // The parent first: it would start its children again.
        signal(&process, Signal::KILL);
        all.iter().for_each(Process::kill);
        process.wait().expect("its status");
        eventually("the end of what was killed", GONE, async || {
            self.processes().is_empty().then_some(())
        })
        .await;
    }

    fn spawn(&self, settings: &[(&str, &str)]) -> Child {
        let folder = self.folder.path();
        let said = fs::File::create(folder.join("said")).expect("a file");
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("log"));
        let mut command = match &self.room {
            None => Command::new(&self.program),
            Some(room) => {
                let mount = r#"mount -t tmpfs -o size="$0" tmpfs "$DECANT_DATA" && exec "$@""#;
                let mut command = Command::new("unshare");
                command
                    .args(["--map-root-user", "--mount", "sh", "-c", mount, room])
                    .arg(&self.program);
                command
            }
        };
        command
            .arg("up")
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .envs(&self.settings)
            .envs(settings.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(said)
            .stderr(log.expect("a file"));
        command.spawn().expect("the program starts")
    }

    pub(crate) fn mail_folder(&self) -> PathBuf {
        self.folder.path().join("mail")
    }
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        self.processes().iter().for_each(Process::kill);
        if std::thread::panicking() {
            eprintln!("the log of the system:\n{}", self.log());
        }
    }
}

fn signal(process: &Child, signal: Signal) {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("it runs");
}
