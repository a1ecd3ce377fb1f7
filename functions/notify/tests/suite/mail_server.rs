//! A real mail server (aiosmtpd) and a real reader of mails, both from Debian's Python.

use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/mail.py");

/// A mail, decoded.
#[derive(Debug, Deserialize)]
pub(crate) struct Mail {
    headers: Vec<(String, String)>,
    pub(crate) defects: Vec<String>,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Mail {
    /// The one header of this name.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|header| header.0 == name);
        let value = values.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(values.next().is_none(), "two {name}");
        &value.1
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header.0 == name)
    }

    /// The address behind the download link of the text part.
    pub(crate) fn link(&self) -> url::Url {
        let link = self.text.lines().find(|line| line.contains("/download?"));
        link.expect("a link").parse().expect("an address")
    }
}

pub(crate) fn decode(raw: &[u8]) -> Mail {
    let mut python = Command::new(PYTHON)
        .args([SCRIPT, "decode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 of Debian");
    let mut input = python.stdin.take().expect("a pipe");
    input.write_all(raw).expect("written");
    drop(input);
    let output = python.wait_with_output().expect("python's answer");
    serde_json::from_slice(&output.stdout).expect("a decoded mail")
}

/// What the server demands.
pub(crate) struct Demands {
    pub(crate) port: u16,
    /// `none`, `starttls` or `implicit`.
    pub(crate) encryption: &'static str,
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// It takes addresses beyond ASCII.
    pub(crate) beyond_ascii: bool,
    /// What it answers to every sender, instead of taking the mail.
    pub(crate) to_sender: &'static str,
    /// What it answers to every recipient, instead of taking the mail; "hang up" for no answer.
    pub(crate) to_recipient: &'static str,
}

impl Default for Demands {
    fn default() -> Self {
        Self {
            port: 0,
            encryption: "starttls",
            login: Some(("kevin@email.com", "p/ss:w#rd")),
            beyond_ascii: false,
            to_sender: "",
            to_recipient: "",
        }
    }
}

/// A mail server that runs until it is dropped.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    process: Child,
    said: BufReader<ChildStdout>,
}

impl MailServer {
    /// Starts a server with the certificate that [`make_certificate`] has put into `folder`.
    pub(crate) fn start(folder: &Path, demands: &Demands) -> Self {
        let mut options = json!({
            "port": demands.port, "encryption": demands.encryption,
            "login": demands.login, "beyond_ascii": demands.beyond_ascii,
            "to_sender": demands.to_sender, "to_recipient": demands.to_recipient,
        });
        if demands.encryption != "none" {
            options["certificate"] = json!(folder.join("certificate.pem"));
            options["key"] = json!(folder.join("key.pem"));
        }
        let mut process = Command::new(PYTHON)
            .args(["-W", "ignore", SCRIPT, "serve", &options.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 of Debian");
        let mut said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a line");
        let listening: Value =
            serde_json::from_str(&line).expect("aiosmtpd (Debian's python3-aiosmtpd) listens");
        Self {
            port: u16::try_from(listening["port"].as_u64().expect("a port")).expect("a port"),
            process,
            said,
        }
    }

    /// Ends the server and tells what happened, in order.
    pub(crate) fn end(mut self) -> Vec<Value> {
        self.process.kill().expect("killed");
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("lines");
        said.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The mails among what happened.
pub(crate) fn mails(happened: &[Value]) -> Vec<Mail> {
    let mails = happened.iter().filter(|event| event["what"] == "mail");
    mails
        .map(|event| serde_json::from_value(event["mail"].clone()).expect("a mail"))
        .collect()
}

/// Makes `certificate.pem` and `key.pem` for `localhost`, to be trusted by who is told so.
pub(crate) fn make_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{made:?}");
}
