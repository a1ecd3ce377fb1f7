//! What becomes of a video.

use crate::world::{Convert, about, hours_of_noise, kevin};
use axum::{body::Body, http::Request};
use decant_audio::media::{self, Container};
use decant_events::{FileId, JobFailed, Mp3Ready};
use decant_store::{Bucket, Error as StoreError, State};
use std::time::Duration;

#[tokio::test]
async fn a_video_becomes_a_published_mp3_and_an_event_about_it() {
    let convert = Convert::new().await;
    let event = convert
        .queue("Größe 🎬.mp4", media::clip(Container::Mp4, 3))
        .await;
    let reply = convert.function.deliver("/", &event).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("ce-source"), "/decant/convert");
    assert_eq!(reply.header("ce-subject"), event.video_fid.to_string());

    let ready: Mp3Ready = reply.event();
    assert_eq!(ready.title, "Größe 🎬");
    assert!(
        (2_950..3_050).contains(&ready.duration_ms),
        "{} ms",
        ready.duration_ms
    );
    let job = convert.job(event.video_fid).await;
    assert_eq!((job.state, job.progress_percent), (State::Ready, 100.0));
    let mp3 = convert.mp3(ready.mp3_fid).await;
    assert_eq!(mp3.len() as u64, ready.size_bytes);
    assert!(mp3.starts_with(b"ID3"));
}

#[tokio::test]
async fn hopeless_input_fails_the_job_with_its_own_code() {
    let convert = Convert::new().await;
    assert_eq!(convert.problem(media::text_file()).await.code, "unreadable");
    assert_eq!(
        convert.problem(media::silent_video()).await.code,
        "no-audio"
    );
    assert_eq!(
        convert.problem(media::truncated_mp4()).await.code,
        "truncated"
    );
    assert_eq!(convert.problem(Vec::new()).await.code, "unreadable");
}

#[tokio::test]
async fn a_failed_job_leaves_no_mp3() {
    let convert = Convert::new().await;
    convert.problem(media::truncated_mp4()).await;
    let litter = convert.store.jobs.litter(Duration::ZERO, 10).await.unwrap();
    for left in litter {
        let mp3 = convert.store.payloads.open(Bucket::Mp3s, left.mp3_id).await;
        assert!(matches!(mp3, Err(StoreError::NotFound)));
    }
}

#[tokio::test]
async fn a_job_whose_video_is_gone_fails_and_says_so() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    convert
        .store
        .payloads
        .delete(Bucket::Videos, event.video_fid)
        .await
        .unwrap();
    let failed: JobFailed = convert.function.deliver("/", &event).await.event();
    assert_eq!(failed.problem.code, "video-missing");
}

#[tokio::test]
async fn a_conversion_without_enough_time_fails_as_too_long() {
    let convert = Convert::with(&["--timeout", "1"]).await;
    let problem = convert.problem(hours_of_noise()).await;
    assert_eq!(problem.code, "too-long");
}

#[tokio::test]
async fn an_event_without_a_job_makes_one_only_where_that_is_wanted() {
    let id = FileId::mint();
    let wary = Convert::new().await;
    wary.store_video(id, media::clip(Container::Mp4, 1)).await;
    let reply = wary.function.deliver("/", &about(id)).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(wary.store.jobs.get(id).await.unwrap(), None);

    let open = Convert::with(&["--foreign-events"]).await;
    open.store_video(id, media::clip(Container::Mp4, 1)).await;
    let ready: Mp3Ready = open.function.deliver("/", &about(id)).await.event();
    assert_eq!((ready.video_fid, ready.username), (id, kevin()));
}

#[tokio::test]
async fn a_malformed_event_is_refused_for_good() {
    let convert = Convert::new().await;
    let no_event = Request::post("/").body(Body::from("{}")).unwrap();
    let reply = convert.function.send(no_event).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (400, "malformed-event")
    );

    let no_video = Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", "1")
        .header("ce-type", "dev.decant.video.uploaded")
        .header("ce-source", "/test")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"username":"kevin@email.com"}"#))
        .unwrap();
    let reply = convert.function.send(no_video).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (400, "malformed-event")
    );
}
