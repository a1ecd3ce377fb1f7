//! What people ask for, from curl to the MP3.

use crate::{SOON, judges::assert_playable, whole_way::curl};
use decant_audio::media::{self, Container};
use decant_e2e::System;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::fs;

#[tokio::test]
async fn what_curl_asks_for_is_what_the_mp3_is_like() {
    let system = System::started().await;
    let home = system.scratch();
    let client = system.client().await;
    fs::write(home.join("talk.mp4"), media::clip(Container::Mp4, 10)).expect("written");
    let upload = format!("http://localhost:{}/upload", system.port);
    let bearer = format!("Authorization: Bearer {}", client.token);
    let mut arguments = vec!["-H", &bearer];
    for field in [
        "quality=128k",
        "start=0:02",
        "file=@talk.mp4",
        "end=5.5",
        "title=Grüße 👋",
    ] {
        arguments.extend(["-F", field]);
    }
    arguments.push(&upload);
    let job: Value = serde_json::from_str(&curl(home, &arguments).await).expect("a job");
    let asked = json!({"quality": "128k", "start": 2, "end": 5.5, "title": "Grüße 👋"});
    assert_eq!(job["options"], asked);

    let id = job["id"].as_str().expect("an id");
    let job = client.wait_for(id, "ready", SOON).await;
    assert_eq!(job.title, "talk", "what the job is called");
    let mp3 = client.download(job.mp3()).await;
    let said = assert_playable(&mp3, "Grüße 👋");
    assert!(said.contains("CBR"), "{said}");
    // An MP3 of this bitrate has 16,000 bytes a second.
    let ms = job.duration_ms.expect("it is ready");
    assert!(ms.abs_diff(3_500) < 50, "{ms} ms");
    let sound_bytes = u64::try_from(mp3.len()).expect("a size") - 4_000;
    assert!(
        sound_bytes.abs_diff(ms * 16) < 8_000,
        "{sound_bytes} bytes for {ms} ms"
    );
}

#[tokio::test]
async fn a_wrong_option_is_refused_at_the_door() {
    let system = System::started().await;
    let client = system.client().await;
    let upload = client.request(reqwest::Method::POST, "/upload?quality=v9");
    let answer = upload.body("video").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "invalid-option");
    assert!(client.jobs().await.is_empty());
    assert!(system.videos().is_empty());
}
