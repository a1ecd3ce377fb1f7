//! A disk with less room than a video needs.

use crate::{SOON, clips};
use decant_e2e::System;
use reqwest::{StatusCode, header};
use serde_json::Value;

#[tokio::test]
async fn a_video_that_does_not_fit_is_refused_and_the_system_goes_on() {
    let mut system = System::new();
    system.on_a_disk_of("16m").start().await;
    let client = system.client().await;

    let answer = client
        .try_upload("Zu groß.mp4", vec![7; 64 * 1024 * 1024])
        .await;
    assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "store-full");
    let jobs = client.jobs().await;
    assert!(jobs.is_empty(), "{jobs:?}");

    let job = client.upload("Passt.mp4", clips::short()).await;
    client.wait_for(&job.id, "ready", SOON).await;
    system.mailbox().wait_for("Passt", SOON).await;
}
