//! What the Job of the local overlay makes on a cluster: `knative/overlays/local/secrets/make-secrets`.

use crate::place::{stderr, stdout};
use base64::{Engine, engine::general_purpose::STANDARD};
use decant_auth::KeyPair;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../knative/overlays/local/secrets/make-secrets"
);
const API_SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/auth/api_server.py");
const TOKEN: &str = "the-token-of-a-service-account";
/// What is made, the seed included.
const OBJECTS: usize = 10;

/// By the object's name, its values by their keys.
type Made = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn what_belongs_together_fits() {
    let made = printed("0123456789abcdef".repeat(4).as_str());
    assert_eq!(made.len(), OBJECTS);

    let folder = TempDir::new().expect("a folder");
    let key = folder.path().join("key.pem");
    fs::write(&key, &made["auth-secret"]["signing-key.pem"]).expect("written");
    let keys = KeyPair::read(&key).expect("a key that auth takes");
    let public: Value = serde_json::from_str(&made["public-keys"]["jwks.json"]).expect("JSON");
    let expected: Value = serde_json::from_str(&keys.public_keys()).expect("JSON");
    assert_eq!(public, expected);

    let uri = &made["upload-secret"]["MONGO_URI"];
    assert!(uri.contains(&format!(":{}@", made["mongodb-secret"]["password"])));
    assert_eq!(&made["converter-secret"]["MONGO_URI"], uri);
    assert_eq!(&made["notification-secret"]["MONGO_URI"], uri);
    let link = &made["upload-secret"]["LINK_SECRET"];
    assert_eq!(&made["notification-secret"]["LINK_SECRET"], link);
}

#[test]
fn every_secret_is_another_one_and_none_is_the_seed() {
    let seeds = ["a".repeat(64), "b".repeat(64)];
    let mut seen: Vec<String> = seeds
        .iter()
        .flat_map(|seed| secrets(&printed(seed)))
        .collect();
    let count = seen.len();
    seen.sort();
    seen.dedup();
    // Of each cluster: the seed, five passwords, the link secret, the signing key.
    assert_eq!((count, seen.len()), (16, 16));

    let new = || stdout(&script("--print").output().expect("bash"));
    assert_ne!(new(), new());
}

#[test]
fn a_run_that_was_cut_off_is_completed_and_what_is_there_stays() {
    // The seed, the first after it, one in the middle, the last.
    for failing in [1, 2, 5, OBJECTS] {
        let cluster = Cluster::start(failing);
        let first = cluster.job();
        assert!(!first.status.success());
        let why = stderr(&first);
        assert!(why.contains("InternalError"), "{why}");
        assert_eq!(cluster.made().len(), failing - 1);

        let second = cluster.job();
        assert!(second.status.success(), "{}", stderr(&second));
        let made = cluster.made();
        assert_eq!(made, printed(&made["development-seed"]["SEED"]));

        let third = cluster.job();
        assert!(third.status.success(), "{}", stderr(&third));
        assert_eq!(stdout(&third).matches("stays").count(), OBJECTS - 1);
        assert_eq!(cluster.made(), made);
    }
}

#[test]
fn whoever_is_not_the_api_server_hears_no_token() {
    let cluster = Cluster::start(0);
    let made_elsewhere = Cluster::start(0);
    let theirs = made_elsewhere.folder.path().join("ca.crt");
    fs::copy(theirs, cluster.folder.path().join("ca.crt")).expect("copied");
    let run = cluster.job();
    assert!(!run.status.success());
    assert!(stderr(&run).contains("no answer"), "{}", stderr(&run));
    assert_eq!(cluster.heard(), Vec::<Value>::new());
}

/// An API server, and the folder of a service account that is known to it.
struct Cluster {
    folder: TempDir,
    port: String,
    process: Child,
}

impl Cluster {
    /// One that fails once, at this request; at 0, never.
    fn start(failing: usize) -> Self {
        let folder = TempDir::new().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        make_certificate(folder.path());
        fs::write(file("token"), TOKEN).expect("written");
        let options = json!({
            "certificate": file("ca.crt"), "key": file("key.pem"), "token": TOKEN,
            "failing": failing, "log": file("log"),
        });
        let mut process = Command::new("/usr/bin/python3")
            .args([API_SERVER, &options.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's python3: ./test installs it");
        let mut said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut port = String::new();
        said.read_line(&mut port).expect("a line");
        Self {
            folder,
            port: port.trim().to_owned(),
            process,
        }
    }

    /// Both containers of the Job, one after the other.
    fn job(&self) -> Output {
        let seed = self.step("--seed", None);
        if !seed.status.success() {
            return seed;
        }
        let kept = &self.made()["development-seed"]["SEED"];
        self.step("--rest", Some(kept))
    }

    fn step(&self, which: &str, seed: Option<&str>) -> Output {
        script(which)
            .env("SERVICE_ACCOUNT", self.folder.path())
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", &self.port)
            .envs(seed.map(|seed| ("SEED", seed)))
            .output()
            .expect("bash")
    }

    /// All that was made so far.
    fn made(&self) -> Made {
        let heard = self.heard();
        let made = heard.iter().filter(|event| event["what"] == "made");
        made.flat_map(|event| parse(event["yaml"].as_str().expect("YAML")))
            .collect()
    }

    /// All that happened so far.
    fn heard(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines = log.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn script(step: &str) -> Command {
    let mut command = Command::new("bash");
    command.args([SCRIPT, step]).env_remove("SEED");
    command
}

fn printed(seed: &str) -> Made {
    let output = script("--print").env("SEED", seed).output().expect("bash");
    assert!(output.status.success(), "{}", stderr(&output));
    parse(&stdout(&output))
}

/// Reads YAML as the script writes it, and no other.
fn parse(yaml: &str) -> Made {
    let mut made = Made::new();
    let mut name = String::new();
    let mut secret = true;
    for line in yaml.lines() {
        if let Some(kind) = line.strip_prefix("kind: ") {
            secret = kind == "Secret";
        } else if let Some(rest) = line.strip_prefix("metadata: {name: ") {
            name = rest
                .strip_suffix(", namespace: decant}")
                .expect("ours")
                .to_owned();
        } else if let Some((key, value)) = line.strip_prefix("  ").and_then(|l| l.split_once(": "))
        {
            let value = if secret {
                let bytes = STANDARD.decode(value).expect("base64");
                String::from_utf8(bytes).expect("text")
            } else {
                value.trim_matches('\'').to_owned()
            };
            let object = made.entry(name.clone()).or_default();
            object.insert(key.to_owned(), value);
        }
    }
    made
}

/// What nobody may guess, and the seed that it comes from.
fn secrets(made: &Made) -> Vec<String> {
    let names = "SEED password MYSQL_PASSWORD PASSWORD signing-key.pem";
    let values = made.values().flatten();
    let chosen = values.filter(|(key, _)| names.split(' ').any(|name| name == *key));
    let link = &made["upload-secret"]["LINK_SECRET"];
    let chosen = chosen.map(|(_, value)| value).chain([link]);
    chosen.cloned().collect()
}

/// Makes `ca.crt` and `key.pem` for the name that every API server has.
fn make_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args([
            "-keyout",
            "key.pem",
            "-out",
            "ca.crt",
            "-subj",
            "/CN=kubernetes",
        ])
        .args(["-addext", "subjectAltName=DNS:kubernetes.default.svc"])
        .output()
        .expect("openssl: ./test installs it");
    assert!(made.status.success(), "{made:?}");
}
