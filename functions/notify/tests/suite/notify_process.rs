//! The real binary, as a child of the test.

use crate::world::World;
use decant_events::EventData;
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
    thread::{self, JoinHandle},
};

/// The binary with nothing in its environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_decant-notify"));
    command.env_clear();
    command
}

/// `notify` on a port of its own. Ends when dropped.
pub(crate) struct NotifyProcess {
    address: String,
    process: Child,
    log: Option<JoinHandle<String>>,
}

impl NotifyProcess {
    /// Starts it over the world's store and broker, with mail leaving by `smtp`.
    pub(crate) fn start(world: &World, smtp: &str) -> Self {
        let mut process = command()
            .args(&world.flags()[1..])
            .env("DECANT_SMTP", smtp)
            .env("SSL_CERT_FILE", world.path("certificate.pem"))
            .env("RUST_LOG", "debug,hyper=info")
            .env("DECANT_HOST", "127.0.0.1")
            .env("PORT", "0")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe"));
        let address = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).expect("a line"), 0, "it ended");
            let entry: Value = serde_json::from_str(&line).expect("a line of JSON");
            if entry["message"] == "listening" {
                break entry["address"].as_str().expect("an address").to_owned();
            }
        };
        // Read on, lest it stops at a full pipe.
        let log = thread::spawn(move || {
            let mut rest = String::new();
            log.read_to_string(&mut rest).expect("its log");
            rest
        });
        Self {
            address,
            process,
            log: Some(log),
        }
    }

    pub(crate) async fn deliver<T: EventData>(&self, path: &str, data: Value) -> StatusCode {
        self.post(path, T::TYPE, data).await
    }

    pub(crate) async fn post(&self, path: &str, ty: &str, data: Value) -> StatusCode {
        let request = reqwest::Client::new()
            .post(format!("http://{}{path}", self.address))
            .header("ce-specversion", "1.0")
            .header("ce-id", "1")
            .header("ce-source", "/test")
            .header("ce-type", ty)
            .json(&data);
        request.send().await.expect("an answer").status()
    }

    pub(crate) async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("http://{}/metrics", self.address)).await;
        answer.expect("an answer").text().await.expect("text")
    }

    /// Ends it and gives its log.
    pub(crate) fn end(mut self) -> String {
        self.process.kill().expect("killed");
        let log = self.log.take().expect("not ended yet");
        log.join().expect("its log")
    }
}

impl Drop for NotifyProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the binary with these settings until it ends by itself.
pub(crate) fn run(settings: &[(&str, &str)]) -> Output {
    let mut command = command();
    command.envs(settings.iter().copied());
    command.output().expect("the binary")
}
