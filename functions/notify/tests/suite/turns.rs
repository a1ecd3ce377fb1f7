//! Whose job is announced when another one has ended.

use crate::world::{OWNER, World, job_failed, mp3_ready, video_uploaded};
use decant_events::{FileId, JobFailed, Mp3Ready, Problem, VideoUploaded};
use decant_store::{Job, State, Turns};
use std::time::Duration;

const ONE_TURN: &str = "--announced-per-person=1";

impl World {
    /// A job that waits, whoever's turn it is.
    async fn waiting(&self, file_name: &str) -> Job {
        let none = Turns {
            at_once: 0,
            gap: Duration::ZERO,
        };
        let job = self.uploaded(file_name, none).await;
        assert_eq!(job.state, State::Waiting);
        job
    }

    /// The jobs whose conversion was announced.
    fn announced(&self) -> Vec<String> {
        let events = self.broker.taken().into_iter();
        let videos = events.filter(|event| event.header("ce-type").ends_with("video.uploaded"));
        videos
            .map(|event| event.header("ce-subject").to_owned())
            .collect()
    }
}

fn ids(jobs: &[&Job]) -> Vec<String> {
    jobs.iter().map(|job| job.id.to_string()).collect()
}

#[tokio::test]
async fn the_end_of_a_job_announces_the_oldest_that_waits() {
    let world = World::new().await;
    let problem = Problem::new("no-audio", "No sound.");
    let ready = world.ready("Film.mp4").await;
    let failed = world.failed("Silent.mp4", problem).await;
    let (first, second) = (world.waiting("1.mp4").await, world.waiting("2.mp4").await);
    let notify = world.notify_with(&["--announced-per-person=2"]).await;
    let said = notify.deliver::<JobFailed>("/job-failed", job_failed(&failed));
    assert_eq!(said.await, 200);
    assert_eq!(
        world.announced(),
        ids(&[&first, &second]),
        "both turns were free"
    );
    let third = world.waiting("3.mp4").await;
    for _ in 0..3 {
        let said = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&ready));
        assert_eq!(said.await, 200);
    }
    assert_eq!(
        world.announced(),
        ids(&[&first, &second]),
        "no turn is free"
    );
    let waits = world.store.jobs.get(third.id).await.expect("an answer");
    assert_eq!(waits.expect("a job").state, State::Waiting);
}

#[tokio::test]
async fn whoever_waits_for_a_turn_does_not_wait_for_the_mail() {
    let world = World::new().await;
    let ready = world.ready("Film.mp4").await;
    let next = world.waiting("Next.mp4").await;
    let notify = world.notify_with(&[ONE_TURN]).await;
    std::fs::remove_dir(world.mailbox()).expect("an empty folder");
    std::fs::write(world.mailbox(), "a file").expect("a file in its place");
    let said = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&ready));
    assert_eq!(said.await, 503);
    assert_eq!(world.announced(), ids(&[&next]));
}

#[tokio::test]
async fn a_forged_end_announces_no_more_than_turns() {
    let world = World::new().await;
    let (lease, _) = world.converting("Film.mp4", Duration::from_secs(60)).await;
    world.waiting("Next.mp4").await;
    let notify = world.notify_with(&[ONE_TURN]).await;
    let mut ready = world.ready("Other.mp4").await;
    for id in [lease.job_id, FileId::mint(), ready.id] {
        ready.id = id;
        let forged = mp3_ready(&ready);
        assert_eq!(notify.deliver::<Mp3Ready>("/mp3-ready", forged).await, 200);
        let dead = mp3_ready(&ready);
        assert_eq!(notify.deliver::<Mp3Ready>("/dead-letter", dead).await, 200);
    }
    assert_eq!(world.announced(), Vec::<String>::new());
}

#[tokio::test]
async fn dead_letters_announce_the_next_too() {
    let world = World::new().await;
    let dead = world.queued_long_ago("Film.mp4").await;
    let next = world.waiting("Next.mp4").await;
    let notify = world.notify_with(&[ONE_TURN]).await;
    let letter = notify.deliver::<VideoUploaded>("/dead-letter", video_uploaded(dead.id));
    assert_eq!(letter.await, 200);
    assert_eq!(world.announced(), ids(&[&next]));

    let ready = world.ready("Ready.mp4").await;
    let last = world.waiting("Last.mp4").await;
    let ended = world.store.jobs.cancel(next.id).await.expect("an answer");
    assert!(ended.is_some());
    let letter = notify.deliver::<Mp3Ready>("/dead-letter", mp3_ready(&ready));
    assert_eq!(letter.await, 200);
    assert_eq!(world.announced(), ids(&[&next, &last]));
}

#[tokio::test]
async fn the_sweep_announces_those_whose_turn_nobody_noticed() {
    let mut world = World::new().await;
    let mut expected = Vec::new();
    for owner in ["ann@email.com", OWNER, "eve@email.com"] {
        world.owner = owner.parse().expect("an address");
        for i in 0..4 {
            let job = world.waiting(&format!("{i}.mp4")).await;
            if i < 2 {
                expected.push(job.id.to_string());
            }
        }
    }
    let notify = world.notify_with(&["--announced-per-person=2"]).await;
    for _ in 0..2 {
        assert_eq!(notify.ping("{}").await, 200);
        let mut announced = world.announced();
        announced.sort();
        assert_eq!(announced, expected);
    }
}

#[tokio::test]
async fn a_turn_that_the_broker_did_not_hear_of_is_announced_by_the_sweep() {
    let world = World::new().await;
    let ready = world.ready("Film.mp4").await;
    let next = world.waiting("Next.mp4").await;
    let away = world
        .notify_with(&[ONE_TURN, "--sink=http://127.0.0.1:1"])
        .await;
    let said = away.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&ready));
    assert_eq!(said.await, 200);
    assert_eq!(world.mails().len(), 1, "the mail goes all the same");
    let notify = world.notify_with(&[ONE_TURN]).await;
    for _ in 0..2 {
        assert_eq!(notify.ping("{}").await, 200);
        assert_eq!(world.announced(), ids(&[&next]));
    }
}

#[tokio::test]
async fn each_run_has_a_mail_of_its_own() {
    let world = World::new().await;
    let ready = world.ready("Film.mp4").await;
    let notify = world.notify().await;
    let said = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&ready));
    assert_eq!(said.await, 200);
    let one = Turns {
        at_once: 1,
        gap: Duration::ZERO,
    };
    let again = world.store.jobs.retry(ready.id, None, one).await;
    assert!(again.expect("an answer").is_some());
    let late = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&ready));
    assert_eq!(late.await, 200);
    assert_eq!(world.mails().len(), 1, "the second run has not ended");

    let problem = Problem::new("no-audio", "No sound.");
    let failed = world.fail(ready.id, problem).await;
    for _ in 0..2 {
        let said = notify.deliver::<JobFailed>("/job-failed", job_failed(&failed));
        assert_eq!(said.await, 200);
    }
    let mails = world.mails().into_iter();
    let mut ids: Vec<_> = mails
        .map(|(_, mail)| mail.header("message-id").to_owned())
        .collect();
    ids.sort();
    let expected = [1, 2].map(|run| format!("<{}.{run}@localhost>", ready.id));
    assert_eq!(ids, expected);
}
