//! The suite of `e2e/cluster` against `decant up` on real servers. Its arguments and its output are the suite's; see
//! `e2e/local`.
//!
//! The suite needs hands here that it has by kubectl on a cluster: [`control`] is where it asks for them, [`Machine`]
//! has them.

mod control;
mod machine;
mod silent;
mod tools;

use machine::Machine;
use std::{env, process::ExitCode, sync::Arc};
use tokio::{
    net::TcpListener,
    process::Command,
    select,
    signal::unix::{Signal, SignalKind, signal},
    sync::Mutex,
};

const SUITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/suite/run");

#[tokio::main]
async fn main() -> ExitCode {
    // Whoever ends this early, ends all that was started, and nothing of it stays. From here on a signal is remembered.
    let mut end = End::new();
    let machine = select! {
        machine = Machine::start() => machine,
        code = end.asked() => return code,
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a port on loopback");
    let address = listener.local_addr().expect("its own address");
    let mut suite = Command::new("bash");
    suite
        .arg(SUITE)
        .arg("local")
        .args(env::args_os().skip(1))
        .envs(machine.environment())
        .env("PATH", tools::folder(&machine.scratch()))
        .env("DECANT_CONTROL", format!("http://{address}"))
        .kill_on_drop(true);

    let machine = Arc::new(Mutex::new(machine));
    let control = axum::serve(listener, control::router(Arc::clone(&machine)));
    let ended = select! {
        ended = suite.status() => ended.expect("bash"),
        failed = control => panic!("nobody listens to the suite any more: {failed:?}"),
        code = end.asked() => return code,
    };
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

/// Ctrl-C and SIGTERM.
struct End {
    interrupted: Signal,
    terminated: Signal,
}

impl End {
    fn new() -> Self {
        let of = |kind| signal(kind).expect("a signal can be waited for");
        Self {
            interrupted: of(SignalKind::interrupt()),
            terminated: of(SignalKind::terminate()),
        }
    }

    /// Waits until one of them comes, and says with what to end then.
    async fn asked(&mut self) -> ExitCode {
        select! {
            _ = self.interrupted.recv() => ExitCode::from(130),
            _ = self.terminated.recv() => ExitCode::from(143),
        }
    }
}
