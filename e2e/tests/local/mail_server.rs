//! A real mail server (aiosmtpd), the one that notify's own tests use.

use decant_e2e::eventually;
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../functions/notify/tests/suite/mail.py"
);
const USER: &str = "kevin@email.com";
const PASSWORD: &str = "p/ss:w#rd";

/// A mail server on `localhost` that demands STARTTLS and login. Runs until it is dropped.
pub(crate) struct MailServer {
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl MailServer {
    /// Starts it with its certificate and its notes in `folder`.
    pub(crate) async fn start(folder: &Path) -> Self {
        make_certificate(folder);
        let options = json!({
            "port": 0, "encryption": "starttls", "login": [USER, PASSWORD],
            "beyond_ascii": false, "to_sender": null, "to_recipient": null,
            "certificate": folder.join("certificate.pem"), "key": folder.join("key.pem"),
        });
        let notes = File::create(folder.join("mail-server")).expect("a file");
        let process = Command::new(PYTHON)
            .args(["-W", "ignore", SCRIPT, "serve", &options.to_string()])
            .stdin(Stdio::null())
            .stdout(notes)
            .spawn()
            .expect("Debian's python3: ./test installs it");
        let mut server = Self {
            port: 0,
            folder: folder.to_owned(),
            process,
        };
        let what = "aiosmtpd (Debian's python3-aiosmtpd: ./test installs it)";
        server.port = eventually(what, Duration::from_secs(30), async || {
            let listening = server.happened("listening");
            u16::try_from(listening.first()?["port"].as_u64()?).ok()
        })
        .await;
        server
    }

    /// The setting that sends mails here.
    pub(crate) fn setting(&self) -> String {
        format!(
            "smtp://kevin%40email.com:p%2Fss%3Aw%23rd@localhost:{}",
            self.port
        )
    }

    /// The certificate that must be trusted.
    pub(crate) fn certificate(&self) -> String {
        self.folder.join("certificate.pem").display().to_string()
    }

    /// All that happened so far of one kind: `login`, `mail`.
    pub(crate) fn happened(&self, what: &str) -> Vec<Value> {
        let notes = fs::read_to_string(self.folder.join("mail-server")).unwrap_or_default();
        let lines = notes
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter(|event: &Value| event["what"] == what)
            .collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes `certificate.pem` and `key.pem` for `localhost`.
fn make_certificate(folder: &Path) {
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
