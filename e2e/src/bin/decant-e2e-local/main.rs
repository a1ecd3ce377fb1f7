//! The suite of `e2e/cluster` against `decant up` on real servers. Its arguments and its output are the suite's; see
//! `e2e/local`.
//!
//! The suite needs hands here that it has by kubectl on a cluster: [`control`] is where it asks for them, [`Machine`]
//! has them.

mod control;
mod machine;
mod tools;

use machine::Machine;
use std::{env, process::ExitCode, sync::Arc};
use tokio::{
    net::TcpListener,
    process::Command,
    signal::unix::{SignalKind, signal},
    sync::Mutex,
};

const SUITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/suite/run");

#[tokio::main]
async fn main() -> ExitCode {
    let machine = Machine::start().await;
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

    // Whoever ends this early ends all that was started.
    let mut terminated = signal(SignalKind::terminate()).expect("a signal can be waited for");
    let machine = Arc::new(Mutex::new(machine));
    let control = axum::serve(listener, control::router(Arc::clone(&machine)));
    let ended = tokio::select! {
        ended = suite.status() => ended.expect("bash"),
        failed = control => panic!("nobody listens to the suite any more: {failed:?}"),
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
        _ = terminated.recv() => return ExitCode::from(143),
    };
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}
