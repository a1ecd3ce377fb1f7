//! What becomes of events whose last delivery failed.

use crate::world::{World, job_failed, mp3_ready, video_uploaded};
use axum::body::to_bytes;
use decant_events::{EventData, FileId, JobFailed, Mp3Ready, Problem, VideoUploaded, code};
use decant_store::State;
use serde_json::Value;
use std::time::Duration;

impl World {
    async fn bury<T: EventData>(&self, data: Value) {
        let notify = self.notify().await;
        let answer = notify
            .post("/dead-letter", T::TYPE, &data.to_string())
            .await;
        assert_eq!(answer.status(), 200);
        assert!(
            !answer.headers().contains_key("ce-type"),
            "no event in reply"
        );
        let body = to_bytes(answer.into_body(), 1024).await.expect("a body");
        assert!(body.is_empty(), "no event in reply");
    }

    async fn state(&self, id: FileId) -> State {
        let job = self.store.jobs.get(id).await.expect("an answer");
        job.expect("a job").state
    }
}

#[tokio::test]
async fn a_dead_video_uploaded_fails_its_queued_job_and_says_so() {
    let world = World::new().await;
    let job = world.queued_long_ago("Film.mp4").await;

    world.bury::<VideoUploaded>(video_uploaded(job.id)).await;

    let failed = world.store.jobs.get(job.id).await.expect("an answer");
    let failed = failed.expect("a job");
    assert_eq!(failed.state, State::Failed);
    let problem = failed.problem.expect("a problem");
    assert_eq!(problem.code, code::UNDELIVERED);
    let events = world.broker.taken();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].header("ce-type"), JobFailed::TYPE);
    assert_eq!(events[0].header("ce-source"), "/decant/notify");
    let said: JobFailed = serde_json::from_value(events[0].data.clone()).expect("its data");
    assert_eq!((said.video_fid, said.problem), (job.id, problem));
    assert!(world.mails().is_empty(), "the mail follows the event");
}

#[tokio::test]
async fn a_forged_dead_letter_of_a_fresh_job_changes_nothing() {
    let world = World::new().await;
    let waiting = world.queued("Film.mp4", Duration::from_secs(60)).await;
    let (gone, _) = world.converting("Film.mp4", Duration::ZERO).await;
    for id in [waiting.id, gone.job_id] {
        let before = world.store.jobs.get(id).await.expect("an answer");
        world.bury::<VideoUploaded>(video_uploaded(id)).await;
        let after = world.store.jobs.get(id).await.expect("an answer");
        assert_eq!(before, after);
    }
    assert!(world.broker.taken().is_empty());
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn without_a_broker_the_mail_about_a_dead_event_goes_directly() {
    let mut world = World::new().await;
    let job = world.queued_long_ago("Film.mp4").await;
    world.broker.go_away().await;

    world.bury::<VideoUploaded>(video_uploaded(job.id)).await;

    assert_eq!(world.state(job.id).await, State::Failed);
    let mail = world.one_mail();
    assert_eq!(mail.header("subject"), "No MP3 could be made: Film");
    assert!(mail.text.contains("not your video's"), "{}", mail.text);
}

#[tokio::test]
async fn a_dead_video_uploaded_fails_a_job_whose_converter_is_gone() {
    let world = World::new().await;
    let (gone, _) = world.converting("Film.mp4", Duration::ZERO).await;
    world.announced_long_ago(gone.job_id).await;
    world
        .bury::<VideoUploaded>(video_uploaded(gone.job_id))
        .await;
    assert_eq!(world.state(gone.job_id).await, State::Failed);
}

#[tokio::test]
async fn a_dead_video_uploaded_leaves_a_running_conversion_alone() {
    let world = World::new().await;
    let (lease, _) = world.converting("Film.mp4", Duration::from_secs(60)).await;
    world.announced_long_ago(lease.job_id).await;
    world
        .bury::<VideoUploaded>(video_uploaded(lease.job_id))
        .await;
    assert_eq!(world.state(lease.job_id).await, State::Converting);
    assert!(world.broker.taken().is_empty());
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn a_dead_video_uploaded_of_a_ready_job_sends_its_mail() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    world.bury::<VideoUploaded>(video_uploaded(job.id)).await;
    assert_eq!(world.state(job.id).await, State::Ready);
    assert_eq!(
        world.one_mail().header("subject"),
        "Your MP3 is ready: Film"
    );
    assert!(world.broker.taken().is_empty());
}

#[tokio::test]
async fn a_dead_mp3_ready_or_job_failed_leaves_the_mail_to_the_sweep() {
    let world = World::new().await;
    let ready = world.ready("Film.mp4").await;
    let failed = world
        .failed("Film.mp4", Problem::new("no-audio", "…"))
        .await;

    world.bury::<Mp3Ready>(mp3_ready(&ready)).await;
    world.bury::<JobFailed>(job_failed(&failed)).await;

    assert!(world.mails().is_empty());
    assert!(world.broker.taken().is_empty());
    assert!(world.is_unmailed(ready.id).await);
    assert!(world.is_unmailed(failed.id).await);
}

#[tokio::test]
async fn a_dead_event_of_an_unknown_type_or_job_is_put_aside() {
    let world = World::new().await;
    world
        .bury::<VideoUploaded>(video_uploaded(FileId::mint()))
        .await;
    let notify = world.notify().await;
    let answer = notify.post("/dead-letter", "com.example.else", "{}");
    assert_eq!(answer.await.status(), 200);
    assert!(world.mails().is_empty());
    assert!(world.broker.taken().is_empty());
}
