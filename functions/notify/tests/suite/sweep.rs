//! What the sweep finds, and what it leaves alone.

use crate::{
    notify_process::NotifyProcess,
    world::{OWNER, TRACE, World, queues_lost},
};
use decant_events::{EventData, Problem, VideoUploaded};
use decant_store::{Bucket, State};
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_queued_job_whose_gap_is_over_is_announced_again() {
    let world = World::new().await;
    let due = world.queued("Film.mp4", Duration::ZERO).await;
    world.queued("Fresh.mp4", HOUR).await;

    assert_eq!(world.notify().await.ping("{}").await, 200);

    let events = world.broker.taken();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].header("ce-type"), VideoUploaded::TYPE);
    assert_eq!(
        events[0].header("ce-id"),
        format!("{}.video.uploaded.1", due.id)
    );
    assert_eq!(
        events[0].data,
        json!({
            "video_fid": due.id, "mp3_fid": null, "username": OWNER,
            "file_name": "Film.mp4", "size_bytes": 1000,
        })
    );
}

#[tokio::test]
async fn the_gap_until_the_next_announcement_grows() {
    let world = World::new().await;
    world.queued("Film.mp4", Duration::ZERO).await;
    let notify = world.notify().await;
    assert_eq!(notify.ping("{}").await, 200);
    assert_eq!(notify.ping("{}").await, 200);
    assert_eq!(world.broker.taken().len(), 1);
}

#[tokio::test]
async fn an_announcement_belongs_to_the_trace_of_its_upload() {
    let world = World::new().await;
    world.queued("Film.mp4", Duration::ZERO).await;
    let folder = format!("file:{}", world.mailbox().display());
    let notify = NotifyProcess::start(&world, &folder);
    let ping = notify.post("/ping", "dev.knative.sources.ping", json!({}));
    assert_eq!(ping.await, 200);
    let events = world.broker.taken();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].trace(), TRACE);
    assert!(
        notify
            .metrics()
            .await
            .contains(r#"decant_swept_total{what="announced"} 1"#)
    );
}

#[tokio::test]
async fn a_converter_that_is_gone_frees_its_job() {
    let world = World::new().await;
    let (gone, _) = world.converting("Film.mp4", Duration::ZERO).await;
    let notify = world.notify().await;
    assert_eq!(notify.ping(&queues_lost()).await, 200);
    let job = world.store.jobs.get(gone.job_id).await.expect("an answer");
    assert_eq!(job.expect("a job").state, State::Queued);
    assert_eq!(world.broker.taken().len(), 1);
}

#[tokio::test]
async fn lost_queues_have_everything_announced_and_mailed_at_once() {
    let world = World::new().await;
    for _ in 0..3 {
        world.queued("Film.mp4", HOUR).await;
    }
    world.converting("Running.mp4", HOUR).await;
    world.ready("Ready.mp4").await;
    let notify = world.notify_with(&["--sweep-grace=1h"]).await;

    assert_eq!(notify.ping("{}").await, 200);
    assert!(world.broker.taken().is_empty(), "their gaps are not over");
    assert!(world.mails().is_empty(), "the event may be on its way");

    assert_eq!(notify.ping(&queues_lost()).await, 200);
    assert_eq!(world.broker.taken().len(), 4);
    assert_eq!(
        world.one_mail().header("subject"),
        "Your MP3 is ready: Ready"
    );
}

#[tokio::test]
async fn lost_queues_announce_nothing_that_was_announced_since() {
    let world = World::new().await;
    world.queued("Film.mp4", HOUR).await;
    let notify = world.notify().await;
    let lost = queues_lost();
    for _ in 0..2 {
        assert_eq!(notify.ping(&lost).await, 200);
        assert_eq!(world.broker.taken().len(), 1);
    }
}

#[tokio::test]
async fn queues_that_are_lost_in_times_to_come_are_lost_now() {
    let world = World::new().await;
    world.queued("Film.mp4", HOUR).await;
    let notify = world.notify().await;
    let lost = r#"{"queues_lost_before": "2999-01-01T00:00:00Z"}"#;
    assert_eq!(notify.ping(lost).await, 200);
    assert_eq!(world.broker.taken().len(), 1);
}

#[tokio::test]
async fn an_announcement_that_the_broker_did_not_take_is_due_at_once() {
    let world = World::new().await;
    world.queued("Film.mp4", Duration::ZERO).await;
    world.queued("Fresh.mp4", HOUR).await;
    let away = world.notify_with(&["--sink=http://127.0.0.1:1"]).await;
    let lost = queues_lost();
    for ping in ["{}", "{}", &lost] {
        assert_eq!(away.ping(ping).await, 503);
    }

    let notify = world.notify().await;
    assert_eq!(notify.ping("{}").await, 200);
    assert_eq!(world.broker.taken().len(), 1);
    // The restart is still told, now to a broker that is there.
    assert_eq!(notify.ping(&lost).await, 200);
    assert_eq!(world.broker.taken().len(), 2);
}

#[tokio::test]
async fn an_abandoned_upload_goes_with_its_bytes() {
    let world = World::new().await;
    let abandoned = world.uploading("Half.mp4", Duration::ZERO).await.job_id;
    let alive = world.uploading("Slow.mp4", HOUR).await.job_id;
    for id in [abandoned, alive] {
        world.store_bytes(Bucket::Videos, id).await;
    }

    assert_eq!(world.notify().await.ping("{}").await, 200);

    assert!(!world.has_bytes(Bucket::Videos, abandoned).await);
    assert!(world.has_bytes(Bucket::Videos, alive).await);
    let jobs = &world.store.jobs;
    let left = jobs.take_abandoned_upload(Duration::ZERO, HOUR).await;
    assert_eq!(left.expect("an answer"), None);
}

#[tokio::test]
async fn an_upload_in_pieces_goes_with_its_bytes_when_it_has_expired() {
    let world = World::new().await;
    let jobs = &world.store.jobs;
    let mut uploads = Vec::new();
    for keep_for in [Duration::ZERO, HOUR] {
        let lease = world.uploading("Half.mp4", HOUR).await;
        let noted = jobs.make_resumable(&lease, 1_000, None, HOUR).await;
        noted.expect("is noted");
        world.store_bytes(Bucket::Videos, lease.job_id).await;
        let paused = jobs.pause(&lease, 500, keep_for).await;
        paused.expect("is paused");
        uploads.push(lease.job_id);
    }
    let [expired, kept] = uploads[..] else {
        unreachable!("two uploads")
    };

    assert_eq!(world.notify().await.ping("{}").await, 200);

    assert!(!world.has_bytes(Bucket::Videos, expired).await);
    assert_eq!(jobs.resumable(expired).await.expect("an answer"), None);
    assert!(world.has_bytes(Bucket::Videos, kept).await);
    let goes_on = jobs.resume(kept, 500, HOUR).await;
    assert!(goes_on.expect("an answer").is_some());
}

#[tokio::test]
async fn the_mp3_of_an_attempt_that_lost_goes() {
    let world = World::new().await;
    let (lease, mp3_id) = world.converting("Film.mp4", HOUR).await;
    world.store_bytes(Bucket::Mp3s, mp3_id).await;
    let problem = Problem::new("no-audio", "No sound.");
    let failed = world.store.jobs.fail(&lease, &problem).await;
    failed.expect("a failed job");

    assert_eq!(world.notify().await.ping("{}").await, 200);

    assert!(!world.has_bytes(Bucket::Mp3s, mp3_id).await);
    let left = world.store.jobs.litter(Duration::ZERO, 10).await;
    assert_eq!(left.expect("a list"), []);
}

#[tokio::test]
async fn what_is_left_of_a_cancelled_job_goes_and_its_record_last() {
    let world = World::new().await;
    let ready = world.ready("Film.mp4").await;
    let mp3_id = ready.mp3.expect("an MP3").id;
    world.store_bytes(Bucket::Videos, ready.id).await;
    world.store_bytes(Bucket::Mp3s, mp3_id).await;
    let cancelled = world.store.jobs.cancel(ready.id).await;
    assert!(cancelled.expect("an answer").is_some());

    let patient = world.notify_with(&["--sweep-grace=10m"]).await;
    assert_eq!(patient.ping("{}").await, 200);
    assert!(world.has_bytes(Bucket::Videos, ready.id).await);
    assert!(world.has_bytes(Bucket::Mp3s, mp3_id).await);

    assert_eq!(world.notify().await.ping("{}").await, 200);
    assert!(!world.has_bytes(Bucket::Videos, ready.id).await);
    assert!(!world.has_bytes(Bucket::Mp3s, mp3_id).await);
    let left = world.store.jobs.tombstones(Duration::ZERO, 10).await;
    assert_eq!(left.expect("a list"), []);
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn what_is_younger_than_the_grace_is_left_alone() {
    let world = World::new().await;
    let upload = world.uploading("Half.mp4", Duration::ZERO).await.job_id;
    world.store_bytes(Bucket::Videos, upload).await;
    let ready = world.ready("Film.mp4").await;
    let notify = world.notify_with(&["--sweep-grace=10m"]).await;

    assert_eq!(notify.ping("{}").await, 200);

    assert!(world.has_bytes(Bucket::Videos, upload).await);
    assert!(world.is_unmailed(ready.id).await);
}

#[tokio::test]
async fn without_a_broker_the_other_steps_go_on() {
    let mut world = World::new().await;
    world.queued("Film.mp4", Duration::ZERO).await;
    world.ready("Ready.mp4").await;
    let upload = world.uploading("Half.mp4", Duration::ZERO).await.job_id;
    world.store_bytes(Bucket::Videos, upload).await;
    world.broker.go_away().await;

    assert_eq!(world.notify().await.ping("{}").await, 503);

    assert_eq!(world.mails().len(), 1);
    assert!(!world.has_bytes(Bucket::Videos, upload).await);
}

#[tokio::test]
async fn without_a_way_for_mail_the_other_steps_go_on() {
    let world = World::new().await;
    world.queued("Film.mp4", Duration::ZERO).await;
    world.ready("Ready.mp4").await;
    let upload = world.uploading("Half.mp4", Duration::ZERO).await.job_id;
    world.store_bytes(Bucket::Videos, upload).await;
    let notify = world.notify().await;
    std::fs::remove_dir(world.mailbox()).expect("an empty folder");
    std::fs::write(world.mailbox(), "a file").expect("a file in its place");

    assert_eq!(notify.ping("{}").await, 503);

    assert_eq!(world.broker.taken().len(), 1);
    assert!(!world.has_bytes(Bucket::Videos, upload).await);
}

#[tokio::test]
async fn two_sweeps_at_once_do_the_work_once() {
    let world = World::new().await;
    for _ in 0..5 {
        world.queued("Film.mp4", Duration::ZERO).await;
        world.ready("Film.mp4").await;
    }
    let notify = world.notify().await;
    let lost = queues_lost();
    let (one, other) = tokio::join!(notify.ping("{}"), notify.ping(&lost));
    assert_eq!((one.as_u16(), other.as_u16()), (200, 200));
    assert_eq!(world.mails().len(), 5);
    let announced = world.broker.taken().len();
    assert!((5..=10).contains(&announced), "{announced} announcements");
}

#[tokio::test]
async fn a_ping_is_a_ping_whatever_it_says() {
    let world = World::new().await;
    let notify = world.notify().await;
    for data in ["{}", "null", "[1]", r#"{"queues_lost_before": "maybe"}"#] {
        assert_eq!(notify.ping(data).await, 200, "{data}");
    }
}
