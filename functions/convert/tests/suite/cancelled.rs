//! Jobs that their owners give up.

use crate::world::{Convert, about, hours_of_noise, until};
use decant_audio::media::{self, Container};
use decant_events::{FileId, Mp3Ready};
use decant_store::{Bucket, Error as StoreError, State, Turns};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_stops_and_is_answered_with_nothing() {
    let convert = Convert::new().await;
    let event = convert.queue("video.mkv", hours_of_noise()).await;
    let (function, id) = (convert.function.clone(), event.video_fid);
    let request = tokio::spawn(async move { function.deliver("/", &event).await });
    until(|| async { convert.job(id).await.progress_percent > 0.0 }).await;

    let litter = convert.store.jobs.cancel(id).await.unwrap().unwrap();
    let cancelled = Instant::now();
    let reply = request.await.unwrap();
    // Half a second on an idle machine; the heartbeat alone would take up to two.
    assert!(cancelled.elapsed() < Duration::from_millis(1_500));
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(reply.headers.get("ce-type"), None);
    assert_eq!(litter.len(), 1);
    let left = convert.store.payloads.open(Bucket::Mp3s, litter[0].mp3_id);
    assert!(matches!(left.await.map(drop), Err(StoreError::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_video_is_deleted_with_it_is_answered_with_nothing() {
    let convert = Convert::new().await;
    let event = convert.queue("video.mkv", hours_of_noise()).await;
    let (function, id) = (convert.function.clone(), event.video_fid);
    let request = tokio::spawn(async move { function.deliver("/", &event).await });
    until(|| async { convert.job(id).await.state == State::Converting }).await;
    let litter = convert.store.jobs.cancel(id).await.unwrap().unwrap();
    let (payloads, mp3_id) = (&convert.store.payloads, litter[0].mp3_id);
    payloads.delete(Bucket::Videos, id).await.unwrap();
    payloads.delete(Bucket::Mp3s, mp3_id).await.unwrap();
    let reply = request.await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    let later = convert.function.deliver("/", &about(id)).await;
    assert_eq!((later.status.as_u16(), later.body.len()), (200, 0));
}

#[tokio::test]
async fn an_event_about_a_job_that_waits_for_its_turn_begins_nothing() {
    let convert = Convert::new().await;
    let id = FileId::mint();
    let lease = convert.begin(id, "video.mp4").await;
    let size_bytes = convert
        .store_video(id, media::clip(Container::Mp4, 1))
        .await;
    let none = Turns {
        at_once: 0,
        gap: Duration::ZERO,
    };
    let jobs = &convert.store.jobs;
    jobs.uploaded(&lease, size_bytes, none).await.unwrap();
    let reply = convert.function.deliver("/", &about(id)).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(convert.job(id).await.state, State::Waiting);
}

#[tokio::test]
async fn a_retry_is_converted_under_its_own_number_and_replaces_the_mp3() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let first = convert.function.deliver("/", &event).await;
    let one = Turns {
        at_once: 1,
        gap: Duration::ZERO,
    };
    let jobs = &convert.store.jobs;
    let mut mono = decant_events::ConversionOptions::default();
    mono.set("mono", "on").unwrap();
    let again = jobs.retry(event.video_fid, Some(&mono), one).await;
    assert_eq!(again.unwrap().unwrap().state, State::Queued);
    let second = convert.function.deliver("/", &event).await;
    assert!(first.header("ce-id").ends_with(".mp3.ready.1"));
    assert!(second.header("ce-id").ends_with(".mp3.ready.2"));
    let (first, second): (Mp3Ready, Mp3Ready) = (first.event(), second.event());
    assert_ne!(first.mp3_fid, second.mp3_fid);
    let (stereo, mono) = (
        convert.mp3(first.mp3_fid).await,
        convert.mp3(second.mp3_fid).await,
    );
    assert!(mono.len() < stereo.len(), "{} bytes", mono.len());
    let litter = jobs.litter(Duration::ZERO, 10).await.unwrap();
    assert_eq!(litter[0].mp3_id, first.mp3_fid, "the sweep's");
}
