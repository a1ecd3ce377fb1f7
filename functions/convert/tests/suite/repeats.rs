//! Events that come again, come at once, or come after somebody died: one video, one MP3.

use crate::world::{Convert, MINUTE, hours_of_noise, kevin, until};
use decant_audio::media::{self, Container};
use decant_events::{FileId, JobFailed, Mp3Ready, Problem, VideoUploaded};
use decant_store::{Bucket, Claim, Error as StoreError, State};
use std::time::Duration;

#[tokio::test]
async fn a_replay_gives_the_same_reply_and_no_second_mp3() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let first = convert.function.deliver("/", &event).await;
    let again = convert.function.deliver("/", &event).await;
    assert_eq!(first.header("ce-id"), again.header("ce-id"));
    assert_eq!(first.event::<Mp3Ready>(), again.event::<Mp3Ready>());
    assert_eq!(convert.job(event.video_fid).await.attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_events_at_once_make_one_mp3() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let deliveries = (0..50).map(|_| {
        let (function, event) = (convert.function.clone(), event.clone());
        tokio::spawn(async move { function.deliver("/", &event).await })
    });
    let mut published = Vec::new();
    for delivery in deliveries.collect::<Vec<_>>() {
        let reply = delivery.await.unwrap();
        match reply.status.as_u16() {
            200 => published.push(reply.event::<Mp3Ready>().mp3_fid),
            status => assert_eq!((status, reply.problem_code().as_str()), (503, "held")),
        }
    }
    published.dedup();
    assert_eq!(published.len(), 1, "one MP3, whoever is told");
    assert_eq!(convert.job(event.video_fid).await.attempts, 1);
}

#[tokio::test]
async fn a_forged_owner_and_a_forged_mp3_change_nothing_and_are_told_nothing() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let forged = VideoUploaded {
        username: "mallory@email.com".parse().unwrap(),
        mp3_fid: Some(FileId::mint()),
        file_name: Some("forged.mp4".into()),
        ..event.clone()
    };
    for _ in 0..2 {
        let reply = convert.function.deliver("/", &forged).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
        assert_eq!(reply.headers.get("ce-type"), None);
    }
    let ready: Mp3Ready = convert.function.deliver("/", &event).await.event();
    assert_eq!(ready.username, kevin());
    assert_eq!(ready.title, "video");
    assert_ne!(Some(ready.mp3_fid), forged.mp3_fid);
    assert_eq!(convert.job(event.video_fid).await.attempts, 1);
}

#[tokio::test]
async fn an_event_about_a_job_under_a_live_lease_comes_back_later_if_it_names_the_owner() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let gave_up = Problem::new("gave-up", "");
    let claim = convert
        .store
        .jobs
        .claim(event.video_fid, FileId::mint(), MINUTE, 5, &gave_up)
        .await
        .unwrap();
    assert!(matches!(claim, Claim::Granted(..)));
    let reply = convert.function.deliver("/", &event).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (503, "held")
    );
    assert_eq!(reply.header("retry-after"), "5");

    let forged = VideoUploaded {
        username: "mallory@email.com".parse().unwrap(),
        ..event
    };
    let reply = convert.function.deliver("/", &forged).await;
    let told = (reply.status.as_u16(), reply.body.len());
    assert_eq!(told, (200, 0), "it is told nothing, as of no job");
}

#[tokio::test]
async fn a_job_whose_holder_died_is_taken_over() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let gave_up = Problem::new("gave-up", "");
    // A lease of no time at all has run out by the next statement: its holder is as good as dead.
    convert
        .store
        .jobs
        .claim(event.video_fid, FileId::mint(), Duration::ZERO, 5, &gave_up)
        .await
        .unwrap();
    let ready: Mp3Ready = convert.function.deliver("/", &event).await.event();
    assert_eq!(
        convert.job(event.video_fid).await.mp3.unwrap().id,
        ready.mp3_fid
    );
}

#[tokio::test]
async fn the_fifth_attempt_without_an_end_fails_the_job() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let gave_up = Problem::new("gave-up", "");
    for _ in 0..5 {
        convert
            .store
            .jobs
            .claim(event.video_fid, FileId::mint(), Duration::ZERO, 5, &gave_up)
            .await
            .unwrap();
    }
    let failed: JobFailed = convert.function.deliver("/", &event).await.event();
    assert_eq!(failed.problem.code, "gave-up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_request_stops_the_work_and_frees_the_job() {
    let convert = Convert::new().await;
    let event = convert.queue("video.mkv", hours_of_noise()).await;
    let function = convert.function.clone();
    let request = tokio::spawn({
        let event = event.clone();
        async move { function.deliver("/", &event).await }
    });
    until(|| async { convert.job(event.video_fid).await.state == State::Converting }).await;
    request.abort();
    until(|| async { convert.job(event.video_fid).await.state == State::Queued }).await;
    let litter = convert.store.jobs.litter(Duration::ZERO, 10).await.unwrap();
    assert_eq!(
        litter.len(),
        1,
        "the attempt's MP3 is named until the sweep has looked"
    );
    let left = convert
        .store
        .payloads
        .open(Bucket::Mp3s, litter[0].mp3_id)
        .await;
    assert!(matches!(left, Err(StoreError::NotFound)));
}
