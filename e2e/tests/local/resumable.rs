//! Uploads that go on after a break, by two clients of other people: tus-js-client and tuspy.

use crate::{
    AFTER_A_LEASE, SOON, clips,
    events::sweep,
    judges::{assert_good_mp3, assert_playable},
    line::{Accident, Line},
};
use decant_e2e::{Client, System, eventually, free_port};
use decant_test_servers::MongoServer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::{Child, Command};

/// What a break may cost: what was on its way, and some headers. Of large clips, that have 8 MB.
const LOST_BYTES: u64 = 2_000_000;

/// Somebody else's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tus {
    /// As browsers do: one request for the whole rest.
    Js,
    /// Each piece has its checksum.
    Py,
}

impl Tus {
    const ALL: [Self; 2] = [Self::Js, Self::Py];

    fn command(self) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tus");
        let mut command;
        match self {
            Self::Js => {
                assert!(folder.join("node_modules").is_dir(), "./test installs it");
                command = Command::new("node");
                command.arg(folder.join("upload.mjs"));
            }
            Self::Py => {
                command = Command::new(tuspy());
                command.arg(folder.join("upload.py"));
            }
        }
        command
    }

    /// Begins to upload the clip over this port.
    fn upload(self, system: &System, person: &Client, port: u16, settings: &Value) -> Child {
        let file = system.scratch().join("clip.mp4");
        fs::write(&file, clips::large()).expect("written");
        self.command()
            .arg(format!("http://127.0.0.1:{port}/files"))
            .arg(&person.token)
            .arg(file)
            .arg(settings.to_string())
            .env("NO_PROXY", "127.0.0.1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node and tuspy: ./test installs them")
    }
}

/// The Python of the environment that ./test makes.
fn tuspy() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let requirements = include_str!("../../tus/requirements.txt");
    let version = requirements
        .lines()
        .find_map(|line| line.strip_prefix("tuspy=="))
        .expect("a version");
    let cache = cache.expect("a home");
    cache.join(format!("decant/tuspy-{version}/bin/python"))
}

/// The address of the upload, once its client has ended well.
async fn address(client: Child) -> String {
    let output = tokio::time::timeout(AFTER_A_LEASE, client.wait_with_output());
    let output = output.await.expect("it ends").expect("its output");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let address = String::from_utf8(output.stdout).expect("text");
    address.trim().to_owned()
}

fn id_of(address: &str) -> &str {
    address.rsplit('/').next().expect("an id")
}

fn named(name: &str) -> Value {
    json!({"metadata": {"filename": name}})
}

/// The upload is a job with the whole clip.
async fn assert_whole(person: &Client, address: &str) {
    let job = person
        .wait_for(id_of(address), "ready", AFTER_A_LEASE)
        .await;
    let mp3 = person.download(job.mp3()).await;
    assert_good_mp3(&mp3, &clips::large(), &job.title);
}

#[tokio::test]
async fn other_peoples_clients_upload_with_a_name_and_options() {
    let system = System::started().await;
    let person = system.client().await;
    for client in Tus::ALL {
        let name = format!("Grüße 👋 {client:?}");
        let settings = json!({
            "metadata": {"filename": format!("{name}.mp4"), "quality": "128k", "mono": "on"},
            "chunk_bytes": 3_000_000,
        });
        let address = address(client.upload(&system, &person, system.port, &settings)).await;
        let job = person.wait_for(id_of(&address), "ready", SOON).await;
        assert_eq!(job.title, name);
        let mp3 = person.download(job.mp3()).await;
        let said = assert_playable(&mp3, &name);
        assert!(said.contains("CBR"), "{said}");
        system.mailbox().wait_for(&name, SOON).await;
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_its_connection_was_cut() {
    let system = System::started().await;
    let person = system.client().await;
    for accident in [Accident::Cut, Accident::CutSilently] {
        let line = Line::to(system.port).await;
        line.after(5_000_000, accident);
        let name = format!("{accident:?}");
        let client = Tus::Js.upload(&system, &person, line.port, &named(&name));
        line.happened().await;
        let address = address(client).await;
        assert_whole(&person, &address).await;
        let again = line.sent_bytes() - clips::large().len() as u64;
        assert!(again < LOST_BYTES, "{again} bytes were sent again");
    }
}

#[tokio::test]
async fn an_upload_goes_on_when_its_function_was_killed() {
    let system = System::started().await;
    killed(&system).await;
}

#[tokio::test]
async fn so_it_does_on_mongodb() {
    let mut system = System::new();
    let folder = system.scratch().join("mongodb");
    fs::create_dir(&folder).expect("a folder");
    let mongodb = MongoServer::start(&folder);
    system.set("DECANT_STORE", mongodb.uri()).start().await;
    killed(&system).await;
}

async fn killed(system: &System) {
    let person = system.client().await;
    for client in Tus::ALL {
        let line = Line::to(system.port).await;
        line.after(5_000_000, Accident::Held);
        let mut settings = named(&format!("{client:?}"));
        settings["chunk_bytes"] = json!(1_000_000);
        let client = client.upload(system, &person, line.port, &settings);
        line.happened().await;
        system.function("upload").kill();
        line.free();
        let address = address(client).await;
        assert_whole(&person, &address).await;
        let again = line.sent_bytes() - clips::large().len() as u64;
        assert!(again < LOST_BYTES, "{again} bytes were sent again");
    }
}

#[tokio::test]
async fn an_upload_goes_on_at_another_replica() {
    let system = System::started().await;
    let person = system.client().await;
    let (replica, _running) = replica(&system).await;
    for client in Tus::ALL {
        let line = Line::to(system.port).await;
        line.after(5_000_000, Accident::Held);
        let mut settings = named(&format!("{client:?}"));
        settings["chunk_bytes"] = json!(2_000_000);
        let client = client.upload(&system, &person, line.port, &settings);
        line.happened().await;
        line.lead_to(replica);
        line.after(0, Accident::Cut);
        line.free();
        let address = address(client).await;
        assert_whole(&person, &address).await;
        let again = line.sent_bytes() - clips::large().len() as u64;
        assert!(again < 2 * LOST_BYTES, "{again} bytes were sent again");
    }
}

/// Another `decant-upload` on the same store, told what the first one was, and its port.
async fn replica(system: &System) -> (u16, Child) {
    let first = system.function("upload");
    let port = free_port();
    let mut command = Command::new(system.program.with_file_name("decant-upload"));
    for name in [
        "DECANT_STORE",
        "K_SINK",
        "DECANT_AUTH_URL",
        "DECANT_PUBLIC_KEYS",
        "LINK_SECRET",
    ] {
        command.env(name, first.variable(name));
    }
    let running = command
        .env("PORT", port.to_string())
        .env("DECANT_HOST", "127.0.0.1")
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let ready = format!("http://127.0.0.1:{port}/health/readiness");
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("an HTTP client");
    eventually("another replica", SOON, async || {
        let answer = http.get(&ready).send().await.ok()?;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    (port, running)
}

#[tokio::test]
async fn a_byte_that_was_changed_on_the_way_is_sent_again() {
    let system = System::started().await;
    let person = system.client().await;
    let line = Line::to(system.port).await;
    line.after(5_000_000, Accident::Spoiled);
    let mut settings = named("Verfälscht");
    settings["chunk_bytes"] = json!(2_000_000);
    let client = Tus::Py.upload(&system, &person, line.port, &settings);
    let address = address(client).await;
    assert_whole(&person, &address).await;
    let log = system.log_lines();
    let statuses = log.iter().map(|line| &line["http.response.status_code"]);
    assert_eq!(statuses.filter(|status| **status == 460).count(), 1);
}

#[tokio::test]
async fn an_upload_that_nobody_ends_goes_and_its_client_begins_anew() {
    let mut system = System::new();
    system
        .set("DECANT_KEEP_PARTIAL", "1s")
        .set("DECANT_SWEEP_GRACE", "0")
        .start()
        .await;
    let person = system.client().await;
    let mut settings = named("Liegengeblieben");
    settings["chunk_bytes"] = json!(2_000_000);
    settings["stop_at"] = json!(4_000_000);
    let left = address(Tus::Py.upload(&system, &person, system.port, &settings)).await;
    let path = format!("/files/{}", id_of(&left));
    eventually("an expired upload", SOON, async || {
        let head = person.request(Method::HEAD, &path);
        let head = head.header("tus-resumable", "1.0.0").send().await.ok()?;
        (head.status() == StatusCode::GONE).then_some(())
    })
    .await;
    assert_eq!(system.parts().len(), 1);
    assert_eq!(sweep(&system).await, 200);
    assert_eq!(system.videos(), []);

    let mut settings = named("Liegengeblieben");
    settings["url"] = json!(left);
    let anew = address(Tus::Js.upload(&system, &person, system.port, &settings)).await;
    assert_ne!(anew, left);
    assert_whole(&person, &anew).await;
}
