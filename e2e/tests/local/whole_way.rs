//! One upload becomes an MP3 and a mail.

use crate::{SOON, clips, judges::assert_good_mp3};
use decant_audio::media::{self, Container};
use decant_e2e::{Client, EMAIL, Job, Mail, PASSWORD, System};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use std::{fs, path::Path};
use tokio::process::Command;

#[tokio::test]
async fn five_lines_of_curl_turn_an_mp4_into_an_mp3_and_a_mail() {
    let system = System::started().await;
    let home = system.scratch();
    let door = format!("http://localhost:{}", system.port);
    fs::write(home.join("Grüße 👋 an Zoë.mp4"), clips::short()).expect("written");

    let sign_in = format!("{EMAIL}:{PASSWORD}");
    let token = curl(
        home,
        &["-X", "POST", &format!("{door}/login"), "-u", &sign_in],
    )
    .await;
    let bearer = format!("Authorization: Bearer {token}");
    let upload = [
        "-X",
        "POST",
        "-F",
        "file=@./Grüße 👋 an Zoë.mp4",
        "-H",
        &bearer,
    ];
    let job = curl(home, &[&upload[..], &[&format!("{door}/upload")]].concat()).await;
    let job: Value = serde_json::from_str(&job).expect("a job");
    let id = job["id"].as_str().expect("an id");
    let client = system.client().await;
    client.wait_for(id, "ready", SOON).await;
    let job = curl(home, &[&format!("{door}/jobs/{id}"), "-H", &bearer]).await;
    let job: Job = serde_json::from_str(&job).expect("a job");
    assert_eq!(job.state, "ready");
    let download = format!("{door}/download?id={}", job.mp3());
    curl(home, &["-OJ", "-H", &bearer, &download]).await;

    // curl reads the plain `filename` alone.
    let mp3 = fs::read(home.join("Gr__e _ an Zo_.mp3")).expect("the MP3 beside the video");
    assert_good_mp3(&mp3, &clips::short(), "Grüße 👋 an Zoë");
    let mail = system.mailbox().wait_for("Grüße 👋 an Zoë", SOON).await;
    assert_eq!(mail.to, EMAIL);
    assert_eq!(from_link(&client, &mail).await, mp3);
    assert_eq!(system.mailbox().mails().len(), 1);
    assert_eq!(system.mp3s(), [job.mp3()]);
}

#[tokio::test]
async fn every_usual_container_becomes_an_mp3_and_a_mail() {
    let system = System::started().await;
    let client = system.client().await;
    let mut uploads = Vec::new();
    for container in Container::ALL {
        let name = format!("Übung 🎸 №1 {container:?}.{}", container.extension());
        let video = media::clip(container, 3);
        uploads.push((client.upload(&name, video.clone()).await, video));
    }
    for (job, video) in uploads {
        let job = client.wait_for(&job.id, "ready", SOON).await;
        let mp3 = client.download(job.mp3()).await;
        assert_good_mp3(&mp3, &video, &job.title);
        assert_eq!(job.mp3_size_bytes, Some(mp3.len() as u64));
        let mail = system.mailbox().wait_for(&job.title, SOON).await;
        assert_eq!(from_link(&client, &mail).await, mp3);
    }
    assert_eq!(system.mailbox().mails().len(), Container::ALL.len());
    assert_eq!(system.mp3s().len(), Container::ALL.len());
    let log = system.log();
    for secret in [EMAIL, PASSWORD, &client.token, "signature="] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_download_can_be_looked_at_and_taken_in_parts() {
    let system = System::started().await;
    let client = system.client().await;
    let job = client.upload("Größe.mp4", clips::short()).await;
    let job = client.wait_for(&job.id, "ready", SOON).await;
    let path = format!("/download?id={}", job.mp3());
    let whole = client.download(job.mp3()).await;

    let head = client
        .request(Method::HEAD, &path)
        .send()
        .await
        .expect("an answer");
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(
        head.headers()[header::CONTENT_LENGTH],
        whole.len().to_string()
    );
    assert_eq!(head.headers()[header::ACCEPT_RANGES], "bytes");
    let name = head.headers()[header::CONTENT_DISPOSITION]
        .to_str()
        .expect("plain text");
    assert!(
        name.contains("filename*=UTF-8''Gr%C3%B6%C3%9Fe.mp3"),
        "{name}"
    );

    let part = |range: &'static str| {
        client
            .request(Method::GET, &path)
            .header(header::RANGE, range)
    };
    let middle = part("bytes=100-199").send().await.expect("an answer");
    assert_eq!(middle.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        middle.headers()[header::CONTENT_RANGE],
        format!("bytes 100-199/{}", whole.len())
    );
    assert_eq!(middle.bytes().await.expect("bytes"), whole[100..200]);
    let beyond = part("bytes=99999999-").send().await.expect("an answer");
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(
        beyond.headers()[header::CONTENT_RANGE],
        format!("bytes */{}", whole.len())
    );
}

/// What the mail's link gives to somebody without a token.
async fn from_link(client: &Client, mail: &Mail) -> Vec<u8> {
    let link = mail.link();
    assert_eq!(link.host_str(), Some("localhost"));
    assert!(
        mail.html.contains(&link.as_str().replace('&', "&#38;"))
            || mail.html.contains(link.as_str())
    );
    let path = format!("{}?{}", link.path(), link.query().expect("a signature"));
    let answer = client
        .stranger(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.bytes().await.expect("the whole MP3").into()
}

/// What the real curl prints, run in `home`. It must succeed.
pub(crate) async fn curl(home: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--max-time", "60"]);
    let output = command.args(arguments).current_dir(home).output().await;
    let output = output.expect("curl: ./test installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}
