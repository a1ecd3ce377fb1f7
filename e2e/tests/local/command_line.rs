//! The `decant` command as a person at a terminal uses it.

use crate::{SOON, clips};
use decant_e2e::{EMAIL, EventStream, PASSWORD, System, eventually};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A person's home, and a Decant that they are signed in at.
struct Desk {
    system: System,
    home: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let system = System::started().await;
        let home = system.scratch().join("home");
        fs::create_dir(&home).expect("a home");
        let desk = Self { system, home };
        let server = format!("http://localhost:{}", desk.system.port);
        let login = desk.log_in(
            &["login", EMAIL, "--server", &server, "--password-stdin"],
            PASSWORD,
        );
        assert!(login.status.success(), "{login:?}");
        desk
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.system.program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", &self.home)
            .current_dir(&self.home)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    /// What a command that succeeds prints.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.says(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).expect("JSON")
    }

    fn log_in(&self, arguments: &[&str], password: &str) -> Output {
        let mut login = self.command(arguments);
        login
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut login = login.spawn().expect("it runs");
        let mut stdin = login.stdin.take().expect("its standard input");
        writeln!(stdin, "{password}").expect("it reads");
        drop(stdin);
        login.wait_with_output().expect("its end")
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.home.join(name), content).expect("written");
    }

    /// Where uploads that haven't ended go on.
    fn unfinished(&self) -> Vec<String> {
        let path = self.home.join(".local/state/decant/uploads.json");
        let Ok(text) = fs::read(path) else {
            return Vec::new();
        };
        let uploads: Value = serde_json::from_slice(&text).expect("JSON");
        let uploads = uploads.as_object().expect("by key").values();
        uploads
            .map(|address| address.as_str().expect("an address").to_owned())
            .collect()
    }

    /// A video that takes a while to send: most of it is a box that MP4 has for what nobody needs, and a hole.
    fn put_large(&self, name: &str) {
        const FREE_BYTES: u32 = 500_000_000;
        let mut file = File::create(self.home.join(name)).expect("a file");
        let head = [&clips::short(), &FREE_BYTES.to_be_bytes()[..], b"free"].concat();
        file.write_all(&head).expect("written");
        let size = head.len() as u64 - 8 + u64::from(FREE_BYTES);
        file.set_len(size).expect("a hole");
    }
}

fn ends_with(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn videos_become_mp3s_by_three_commands() {
    let desk = Desk::new().await;
    desk.put("Grüße 👋.mp4", &clips::short());
    desk.put("second.mp4", &clips::short());

    let upload = [
        "upload",
        "Grüße 👋.mp4",
        "second.mp4",
        "--wait",
        "--quality",
        "v4",
        "-o",
        "name",
    ];
    let ids = desk.says(&upload);
    let ids: Vec<&str> = ids.lines().collect();
    let [first, second] = ids[..] else {
        panic!("{ids:?}")
    };
    let job = desk.json(&["job", first]);
    assert_eq!(job["state"], "ready");
    assert_eq!(job["title"], "Grüße 👋");
    assert_eq!(job["options"]["quality"], "v4");

    // They were sent at once: whichever began later has the greater id.
    let (newer, older) = (first.max(second), first.min(second));
    let table = desk.says(&["jobs"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("ID  "), "{table}");
    assert!(
        lines[1].starts_with(newer) && lines[2].starts_with(older),
        "{table}"
    );
    assert!(
        table.contains("Grüße 👋") && table.matches("ready").count() == 2,
        "{table}"
    );
    assert_eq!(desk.says(&["jobs", "--no-headers"]).lines().count(), 2);
    assert_eq!(
        desk.says(&["jobs", "-o", "name"]),
        format!("{newer}\n{older}\n")
    );
    assert_eq!(desk.json(&["jobs"]).as_array().map(Vec::len), Some(2));
    assert!(desk.says(&["jobs", "-o", "yaml"]).contains("state: ready"));
    assert_eq!(desk.says(&["jobs", "-q", "GRÜSS", "-o", "name"]), "");
    assert_eq!(
        desk.says(&["jobs", "-q", "SECOND", "-o", "name"]),
        format!("{second}\n")
    );
    assert_eq!(desk.says(&["jobs", "--state", "failed", "-o", "name"]), "");

    fs::create_dir(desk.home.join("music")).expect("a folder");
    let said = desk.says(&["download", first, second, "-o", "music"]);
    assert_eq!(said, "music/Grüße 👋.mp3\nmusic/second.mp3\n");
    let mp3 = fs::metadata(desk.home.join("music/second.mp3")).expect("the MP3");
    let size = desk.json(&["job", second])["mp3_size_bytes"].as_u64();
    assert_eq!(Some(mp3.size()), size);
    let again = desk.run(&["download", second, "-o", "music"]);
    assert!(ends_with(&again, 1).contains("--force"));
    desk.says(&["download", second, "-o", "music", "--force"]);
    assert_eq!(
        fs::read_dir(desk.home.join("music")).expect("it").count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_killed_goes_on_by_the_same_command() {
    let desk = Desk::new().await;
    desk.put_large("large.mov");
    let mut killed = desk
        .command(&["upload", "large.mov"])
        .spawn()
        .expect("it runs");
    let address = eventually("an upload under way", SOON, async || {
        desk.unfinished().first().cloned()
    });
    let address = address.await;
    let id = address.rsplit('/').next().expect("an id");
    let part = desk.system.data().join(format!("store/videos/{id}.part"));
    eventually("a part of it on the server", SOON, async || {
        let part = fs::metadata(&part).ok()?;
        (part.len() > 10_000_000).then_some(())
    })
    .await;
    killed.kill().expect("it is killed");
    killed.wait().expect("its end");

    let id = desk.says(&["upload", "large.mov", "--wait", "-o", "name"]);
    assert!(address.ends_with(id.trim()), "{id} is not {address}");
    assert_eq!(desk.unfinished(), [""; 0]);
    let size = desk.json(&["job", id.trim()])["size_bytes"].as_u64();
    assert_eq!(
        size,
        fs::metadata(desk.home.join("large.mov"))
            .ok()
            .map(|file| file.len())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_outlives_the_server() {
    let mut desk = Desk::new().await;
    desk.put_large("large.mov");
    let upload = ["upload", "large.mov", "--wait", "-o", "name"];
    let upload = desk
        .command(&upload)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    eventually("an upload under way", SOON, async || {
        desk.unfinished().first().map(drop)
    })
    .await;
    desk.system.kill_everything().await;
    desk.system.start().await;
    let output = tokio::task::spawn_blocking(move || upload.wait_with_output());
    let output = output.await.expect("it ran").expect("its end");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(desk.says(&["jobs", "-o", "name"]).lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_renamed_retried_cancelled_and_deleted() {
    let desk = Desk::new().await;
    desk.put("talk.mp4", &clips::short());
    let id = desk.says(&["upload", "talk.mp4", "--wait", "-o", "name"]);
    let id = id.trim();

    let renamed = desk.json(&["rename", id, "A better name"]);
    assert_eq!(renamed["title"], "A better name");
    let again = desk.json(&["retry", id, "--quality", "128k", "--wait"]);
    assert_eq!(
        (&again["run"], &again["options"]["quality"]),
        (&2.into(), &"128k".into())
    );
    assert_eq!(again["state"], "ready");
    let ended = desk.run(&["cancel", id]);
    assert!(ends_with(&ended, 3).contains("decant delete"));
    assert_eq!(desk.says(&["delete", id]), format!("{id} deleted\n"));
    assert!(ends_with(&desk.run(&["job", id]), 3).contains("nothing of yours"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_followed_where_the_server_has_no_stream_left() {
    let desk = Desk::new().await;
    desk.put("talk.mp4", &clips::short());
    let client = desk.system.client().await;
    let path = "/upload?filename=Rauschen.mkv&quality=320k&sample_rate=48000";
    let endless = client.request(Method::POST, path).body(clips::endless());
    assert_eq!(endless.send().await.expect("an answer").status(), 202);
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(EventStream::open(&client, "/jobs/events", None).await);
    }
    let id = desk.says(&["upload", "talk.mp4", "--wait", "-o", "name"]);
    assert_eq!(desk.json(&["job", id.trim()])["state"], "ready");
    let refused = client.get("/jobs/events").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_tells_bad_input_from_bad_luck() {
    let mut desk = Desk::new().await;
    desk.put("notes.mp4", b"no video at all, but some text");
    let failed = desk.run(&["upload", "notes.mp4", "--wait"]);
    assert!(ends_with(&failed, 3).contains("notes:"));
    let wrong = desk.run(&["upload", "notes.mp4", "--quality", "v1"]);
    assert!(ends_with(&wrong, 2).contains("quality"));
    ends_with(&desk.run(&["upload", "not-there.mp4"]), 1);
    ends_with(&desk.run(&["jobs", "--state", "sleeping"]), 3);

    let server = format!("http://localhost:{}", desk.system.port);
    let wrong_password = ["login", EMAIL, "--server", &server, "--password-stdin"];
    ends_with(&desk.log_in(&wrong_password, "wrong"), 3);
    let elsewhere = desk.run(&["jobs", "--server", "http://localhost:1"]);
    assert!(ends_with(&elsewhere, 3).contains("decant login EMAIL --server"));
    desk.system.kill_everything().await;
    ends_with(&desk.run(&["jobs"]), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_kept_for_its_owner_alone() {
    let desk = Desk::new().await;
    let account = desk.home.join(".config/decant/account.json");
    let mode = fs::metadata(account)
        .expect("the account")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_as_kn_and_kubectl_have_it() {
    let mut desk = Desk::new().await;
    desk.put("talk.mp4", &clips::short());
    desk.says(&["upload", "talk.mp4", "--wait"]);
    let data = desk.system.data().display().to_string();
    let status = ["status", "--data", &data];
    let text = desk.says(&status);
    assert_eq!(text.matches("3 OK / 3").count(), 4, "{text}");
    for word in [
        "NAME",
        "CONDITIONS",
        "upload",
        "SUBSCRIBER_URI",
        "DEAD LETTERS",
        "mp3-ready",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let report = desk.json(&status);
    let triggers = report["triggers"].as_array().expect("Triggers");
    let uploaded = triggers
        .iter()
        .find(|trigger| trigger["name"] == "video-uploaded");
    assert_eq!(uploaded.expect("it")["delivered"], 1);

    desk.system.kill_everything().await;
    let nobody = desk.run(&status);
    assert!(ends_with(&nobody, 1).contains("no `decant up` runs"));
    desk.system.start().await;
    assert_eq!(desk.says(&status).matches("3 OK / 3").count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_and_manuals_know_every_command() {
    let system = System::new();
    let run = |arguments: &[&str]| {
        let output = Command::new(&system.program).args(arguments).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).contains("download"), "{shell}");
    }
    let folder = system.scratch();
    run(&["man", &folder.display().to_string()]);
    for page in ["decant.1", "decant-upload.1", "decant-status.1"] {
        assert!(Path::new(folder).join(page).is_file(), "{page}");
    }
}
