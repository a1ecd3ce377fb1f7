use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, kill_process},
};
use std::{
    env,
    ffi::OsString,
    net::TcpListener,
    os::fd::AsRawFd,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// A function that ran this long started well: the next start waits no longer than the first.
const STEADY: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Environment variables by name.
pub(crate) type Variables = Vec<(&'static str, OsString)>;

/// One function as a process, and the socket that it listens on.
///
/// The socket is bound here and handed to the process, as Knative's activator stands before a pod: while the process is
/// started, or started again, requests wait instead of being refused.
pub(crate) struct Function {
    name: &'static str,
    socket: TcpListener,
    environment: Variables,
    life: Arc<Life>,
}

/// What `decant status` tells of a function's process.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// While it runs.
    started_at: Mutex<Option<DateTime<Utc>>>,
    starts: AtomicU32,
}

impl Life {
    /// When the process that runs was started; `None` while none runs.
    pub(crate) fn started_at(&self) -> Option<DateTime<Utc>> {
        *self
            .started_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How often it had to be started again.
    pub(crate) fn restarts(&self) -> u32 {
        self.starts.load(Relaxed).saturating_sub(1)
    }

    fn starts(&self) {
        self.starts.fetch_add(1, Relaxed);
        self.set(Some(Utc::now()));
    }

    fn set(&self, started_at: Option<DateTime<Utc>>) {
        *self
            .started_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = started_at;
    }
}

impl Function {
    pub(crate) fn new(name: &'static str, socket: TcpListener, environment: Variables) -> Self {
        Self {
            name,
            socket,
            environment,
            life: Arc::default(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn life(&self) -> Arc<Life> {
        Arc::clone(&self.life)
    }

    /// Where this machine reaches the function.
    pub(crate) fn url(socket: &TcpListener) -> anyhow::Result<Url> {
        let port = socket.local_addr()?.port();
        Ok(format!("http://127.0.0.1:{port}/").parse()?)
    }

    /// Keeps the function running until `stop`, then lets it drain for `grace`.
    pub(crate) async fn supervise(self, stop: CancellationToken, grace: Duration) {
        let mut wait = FIRST_WAIT;
        loop {
            let started = Instant::now();
            match self.start() {
                Ok(mut child) => {
                    self.life.starts();
                    // Taken out, since waiting for a child closes what is left in it.
                    let _lifeline = child.stdin.take();
                    tokio::select! {
                        status = child.wait() => {
                            self.life.set(None);
                            died(self.name, status);
                        }
                        () = stop.cancelled() => return drain(self.name, child, grace).await,
                    }
                }
                Err(error) => {
                    tracing::error!(function = self.name, %error, "function does not start")
                }
            }
            wait = if started.elapsed() > STEADY {
                FIRST_WAIT
            } else {
                (wait * 2).min(LONGEST_WAIT)
            };
            tokio::select! {
                () = sleep(wait) => tracing::info!(function = self.name, "starting the function again"),
                () = stop.cancelled() => return,
            }
        }
    }

    fn start(&self) -> anyhow::Result<Child> {
        /// Between clearing and setting the flag below, another start would inherit this one's socket.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let mut command = self.command()?;
        command
            .env("LISTEN_FDS", "1")
            .env_remove("LISTEN_PID")
            .env("LISTEN_FDS_FIRST_FD", self.socket.as_raw_fd().to_string());
        let _one = ONE_AT_A_TIME.lock();
        fcntl_setfd(&self.socket, FdFlags::empty())?;
        let child = command.spawn();
        fcntl_setfd(&self.socket, FdFlags::CLOEXEC)?;
        child.with_context(|| format!("decant-{}", self.name))
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = command(self.name, &self.environment)?;
        command
            .env("PORT", self.socket.local_addr()?.port().to_string())
            // Its end closes when this process ends, however that happens: then the function drains and ends too.
            .env("DECANT_STDIN_IS_LIFELINE", "true")
            .stdin(Stdio::piped())
            // Ctrl-C is for this process, which then stops the functions in the right order.
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }
}

/// Has a function judge its settings. It prints what is wrong itself.
pub(crate) async fn check_settings(function: &str, environment: &Variables) -> anyhow::Result<()> {
    let mut command = command(function, environment)?;
    let status = command.env("DECANT_CHECK_SETTINGS", "1").status().await?;
    ensure!(
        status.success(),
        "the setting above is wrong: nothing was started"
    );
    Ok(())
}

fn command(function: &str, environment: &Variables) -> anyhow::Result<Command> {
    let mut command = Command::new(binary(function)?);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

/// The function's program: it lies beside this one.
pub(crate) fn binary(function: &str) -> anyhow::Result<PathBuf> {
    let program = env::current_exe()?.with_file_name(format!("decant-{function}"));
    ensure!(
        program.exists(),
        "expected {} beside this program: build the whole workspace",
        program.display()
    );
    Ok(program)
}

fn died(function: &str, status: std::io::Result<ExitStatus>) {
    match status {
        Ok(status) => tracing::error!(function, %status, "function died"),
        Err(error) => tracing::error!(function, %error, "function died"),
    }
}

async fn drain(function: &str, mut child: Child, grace: Duration) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(grace, child.wait()).await.is_err() {
        tracing::warn!(
            function,
            "function still worked when the grace was over: killed"
        );
        let _ = child.kill().await;
    }
}
