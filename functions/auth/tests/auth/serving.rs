use crate::place::program;
use crate::place::{Backend, on_each_database};
use crate::support::{KEVIN, PASSWORD, TestAuth};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Stdio},
};

on_each_database! {
    the_program_serves_drains_and_logs_no_secrets
}

/// The program on a free port, with everything logged.
pub(crate) struct Serving {
    process: Child,
    address: String,
    log: BufReader<ChildStderr>,
    logged: String,
}

impl Serving {
    pub(crate) fn start(users: &str, signing_key: &Path) -> Self {
        let mut process = program(&[])
            .env("PORT", "0")
            .env("DECANT_HOST", "127.0.0.1")
            .env("DECANT_STDIN_IS_LIFELINE", "true")
            .env("DECANT_USERS", users)
            .env("DECANT_SIGNING_KEY", signing_key)
            .env("RUST_LOG", "trace")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a program");
        let mut log = BufReader::new(process.stderr.take().expect("a log"));
        let mut logged = String::new();
        let address = loop {
            let start = logged.len();
            assert_ne!(log.read_line(&mut logged).expect("a log"), 0, "{logged}");
            let line: serde_json::Value = serde_json::from_str(&logged[start..]).expect("JSON");
            if line["message"] == "listening" {
                break line["address"].as_str().expect("an address").to_owned();
            }
        };
        Self {
            process,
            address,
            log,
            logged,
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, authorization: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).expect("a connection");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: auth\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).expect("a reader");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Has it drain, and gives its log.
    pub(crate) fn end(mut self) -> String {
        drop(self.process.stdin.take());
        self.log.read_to_string(&mut self.logged).expect("a log");
        assert!(self.process.wait().expect("an end").success());
        self.logged
    }
}

async fn the_program_serves_drains_and_logs_no_secrets(on: Backend) {
    let auth = TestAuth::start(on).await;
    let server = Serving::start(&auth.place.users, &auth.path("key.pem"));

    let basic = |password| STANDARD.encode(format!("{KEVIN}:{password}"));
    let (right, wrong) = (basic(PASSWORD), basic("wrong"));
    let login = |basic: &str| server.ask("POST", "/login", &format!("Basic {basic}"));
    assert!(login(&wrong).starts_with("HTTP/1.1 401"));
    let answer = login(&right);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let token = answer.lines().last().expect("a token").trim();
    let claims = server.ask("POST", "/validate", &format!("Bearer {token}"));
    assert!(claims.contains(KEVIN), "{claims}");

    let logged = server.end();
    assert!(
        logged.contains(r#""login.outcome":"succeeded""#),
        "{logged}"
    );
    for secret in [KEVIN, PASSWORD, &right, &wrong, token] {
        assert!(!logged.contains(secret), "{secret} is in the log");
    }
}
