//! A mail server (aiosmtpd) and a reader of mails, both of Debian's Python.

use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

const USER: &str = "kevin@email.com";
const PASSWORD: &str = "p/ss:w#rd";
const MISSING: &str = "Debian's python3 with python3-aiosmtpd: ./test installs it";
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail.py");

/// A mail, decoded.
#[derive(Debug, Deserialize)]
pub struct Mail {
    headers: Vec<(String, String)>,
    /// What breaks a rule of the format.
    pub defects: Vec<String>,
    /// Its text part.
    pub text: String,
    /// Its HTML part.
    pub html: String,
}

impl Mail {
    /// The one header of this name.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|header| header.0 == name);
        let value = values.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(values.next().is_none(), "two {name}");
        &value.1
    }

    /// Whether it has a header of this name.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header.0 == name)
    }

    /// The address behind the download link of the text part.
    pub fn link(&self) -> url::Url {
        let link = self.text.lines().find(|line| line.contains("/download?"));
        link.expect("a link").trim().parse().expect("an address")
    }
}

/// Reads a mail as it is sent.
pub fn decode_mail(raw: &[u8]) -> Mail {
    let mut python = Command::new(PYTHON)
        .args([SCRIPT, "decode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect(MISSING);
    let mut input = python.stdin.take().expect("a pipe");
    input.write_all(raw).expect("written");
    drop(input);
    let output = python.wait_with_output().expect("python's answer");
    serde_json::from_slice(&output.stdout).expect("a decoded mail")
}

/// What a mail server demands.
#[derive(Debug)]
pub struct Demands {
    /// Where it listens; 0 for a free port.
    pub port: u16,
    /// `none`, `starttls` or `implicit`.
    pub encryption: &'static str,
    /// The user and the password, if any.
    pub login: Option<(&'static str, &'static str)>,
    /// It takes addresses beyond ASCII.
    pub beyond_ascii: bool,
    /// What it answers to every sender, instead of taking the mail.
    pub to_sender: &'static str,
    /// What it answers to every recipient, instead of taking the mail; "hang up" for no answer.
    pub to_recipient: &'static str,
}

impl Default for Demands {
    fn default() -> Self {
        Self {
            port: 0,
            encryption: "starttls",
            login: Some((USER, PASSWORD)),
            beyond_ascii: false,
            to_sender: "",
            to_recipient: "",
        }
    }
}

/// A mail server for `localhost`. Runs until it is dropped.
#[derive(Debug)]
pub struct MailServer {
    /// Where it listens.
    pub port: u16,
    folder: PathBuf,
    process: Child,
    happened: Arc<Mutex<Vec<Value>>>,
    listener: Option<JoinHandle<()>>,
}

impl MailServer {
    /// Starts a server. Its certificate is in `folder`, and made there if it is missing.
    pub fn start(folder: &Path, demands: &Demands) -> Self {
        let mut options = json!({
            "port": demands.port, "encryption": demands.encryption,
            "login": demands.login, "beyond_ascii": demands.beyond_ascii,
            "to_sender": demands.to_sender, "to_recipient": demands.to_recipient,
        });
        if demands.encryption != "none" {
            make_certificate(folder);
            options["certificate"] = json!(folder.join("certificate.pem"));
            options["key"] = json!(folder.join("key.pem"));
        }
        let mut process = Command::new(PYTHON)
            .args(["-W", "ignore", SCRIPT, "serve", &options.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect(MISSING);
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut events = said.lines().map_while(Result::ok);
        let listening: Value =
            serde_json::from_str(&events.next().expect(MISSING)).expect("a line of JSON");
        let port = listening["port"].as_u64().expect("a port");
        let happened = Arc::<Mutex<Vec<Value>>>::default();
        let listener = thread::spawn({
            let happened = Arc::clone(&happened);
            move || {
                for event in events {
                    let event = serde_json::from_str(&event).expect("a line of JSON");
                    happened.lock().expect("no panic under it").push(event);
                }
            }
        });
        Self {
            port: u16::try_from(port).expect("a port"),
            folder: folder.to_owned(),
            process,
            happened,
            listener: Some(listener),
        }
    }

    /// The value of `DECANT_SMTP` that sends mails here, by STARTTLS and with login.
    pub fn setting(&self) -> String {
        format!(
            "smtp://kevin%40email.com:p%2Fss%3Aw%23rd@localhost:{}",
            self.port
        )
    }

    /// The file of the certificate that must be trusted.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// All that happened so far of one kind: `login`, `mail`.
    pub fn happened(&self, what: &str) -> Vec<Value> {
        let happened = self.happened.lock().expect("no panic under it");
        let of_this_kind = happened.iter().filter(|event| event["what"] == what);
        of_this_kind.cloned().collect()
    }

    /// Ends the server and tells all that happened, in order.
    pub fn end(mut self) -> Vec<Value> {
        self.stop();
        std::mem::take(&mut self.happened.lock().expect("no panic under it"))
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The mails among what happened.
pub fn mails(happened: &[Value]) -> Vec<Mail> {
    let mails = happened.iter().filter(|event| event["what"] == "mail");
    mails
        .map(|event| serde_json::from_value(event["mail"].clone()).expect("a mail"))
        .collect()
}

/// Makes `certificate.pem` and `key.pem` for `localhost`, to be trusted by who is told so.
fn make_certificate(folder: &Path) {
    if folder.join("certificate.pem").exists() {
        return;
    }
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output()
        .expect("openssl: ./test installs it");
    assert!(made.status.success(), "{made:?}");
}
