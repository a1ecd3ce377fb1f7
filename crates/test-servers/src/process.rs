use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long a server may take to end after SIGTERM, in seconds; then it is killed.
const GRACE_S: u64 = 20;
/// How often is looked whether something is so.
const LOOK: Duration = Duration::from_millis(20);

/// A running server. Ends when it is dropped, and also when the tests themselves die.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    log: PathBuf,
    server: Child,
    watcher: Child,
}

impl Process {
    /// Starts a server that stays in the foreground, and notes what it says in `folder`.
    pub(crate) fn start(name: &'static str, folder: &Path, command: &mut Command) -> Self {
        let log = folder.join(format!("{name}.log"));
        let open = || File::options().create(true).append(true).open(&log);
        let server = command
            .stdin(Stdio::null())
            .stdout(open().expect("a log"))
            .stderr(open().expect("a log"))
            .spawn()
            .unwrap_or_else(|e| panic!("{name} can't be started ({e}): ./test installs it"));
        // Holds the other end of a pipe that closes with this process, however it ends.
        let script = format!(
            "cat >/dev/null; kill {0} && timeout {GRACE_S} tail --pid={0} -f /dev/null || kill -9 {0}",
            server.id()
        );
        let watcher = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        Self {
            name,
            log,
            server,
            watcher,
        }
    }

    /// Waits until `ready` says so. Panics with what the server said if it ends before, or takes longer than `limit`.
    pub(crate) fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) {
        let began = Instant::now();
        while !ready() {
            let ended = self.server.try_wait().expect("a status");
            if ended.is_some() || began.elapsed() > limit {
                let mut said = String::new();
                let _ = File::open(&self.log).and_then(|mut log| log.read_to_string(&mut said));
                panic!("{} isn't ready ({ended:?}); it said:\n{said}", self.name);
            }
            sleep(LOOK);
        }
    }

    /// Ends the server as its operator would: SIGTERM, and SIGKILL if that is not heard.
    pub(crate) fn stop(&mut self) {
        // Its id may be somebody else's once it has ended.
        if matches!(self.server.try_wait(), Ok(None)) {
            let _ = Command::new("kill")
                .arg(self.server.id().to_string())
                .status();
        }
        let began = Instant::now();
        while matches!(self.server.try_wait(), Ok(None)) && began.elapsed().as_secs() < GRACE_S {
            sleep(LOOK);
        }
        self.kill();
    }

    /// Makes the server stand still, or go on: SIGSTOP, SIGCONT.
    pub(crate) fn hold(&mut self, still: bool) {
        let signal = if still { "-STOP" } else { "-CONT" };
        let id = self.server.id().to_string();
        let held = Command::new("kill").args([signal, &id]).status();
        assert!(
            held.is_ok_and(|held| held.success()),
            "{} is gone",
            self.name
        );
        // A thread at work stands still a little later than the signal is sent.
        while still && !self.stands_still() {
            sleep(LOOK);
        }
    }

    fn stands_still(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.server.id()));
        let mut threads = threads.expect("it runs").filter_map(Result::ok);
        threads.all(|thread| {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            status.lines().any(|line| line.starts_with("State:\tT"))
        })
    }

    /// Ends the server as a crash would: SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
