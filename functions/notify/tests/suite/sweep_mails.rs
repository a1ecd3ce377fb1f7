//! The mails that only the sweep sends.

use crate::{
    notify_process::NotifyProcess,
    world::{OWNER, World, mp3_ready, queues_lost},
};
use decant_events::{Mp3Ready, Problem};
use decant_store::MailClaim;
use decant_test_servers::{Demands, MailServer};
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn lost_queues_have_a_mail_sent_that_somebody_was_just_sending() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let dying = Duration::from_millis(300);
    let claim = world.store.jobs.claim_mail(job.id, dying, Duration::ZERO);
    claim.await.expect("a claim");

    assert_eq!(world.notify().await.ping(&queues_lost()).await, 200);

    assert_eq!(
        world.one_mail().header("subject"),
        "Your MP3 is ready: Film"
    );
}

#[tokio::test]
async fn a_mail_that_somebody_is_sending_is_no_failure_of_the_sweep() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let claim = world.store.jobs.claim_mail(job.id, HOUR, Duration::ZERO);
    claim.await.expect("a claim");
    assert_eq!(world.notify().await.ping("{}").await, 200);
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn finished_jobs_without_a_mail_get_one_and_only_one() {
    let world = World::new().await;
    let ready = world.ready("Ready.mp4").await;
    let failed = world.failed("Failed.mp4", Problem::new("no-audio", "No sound."));
    let failed = failed.await;
    let notify = world.notify().await;

    assert_eq!(notify.ping("{}").await, 200);

    let names: Vec<String> = world.mails().into_iter().map(|mail| mail.0).collect();
    assert_eq!(
        names,
        [
            format!("{}.1.eml", ready.id),
            format!("{}.1.eml", failed.id)
        ]
    );
    std::fs::remove_dir_all(world.mailbox()).expect("read and deleted");
    assert_eq!(notify.ping("{}").await, 200);
    let event = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&ready));
    assert_eq!(event.await, 200);
    assert!(!world.mailbox().exists());
}

#[tokio::test]
async fn a_mail_that_can_not_be_written_is_given_up_and_stops_no_other() {
    let mut world = World::new().await;
    world.owner = "not..an..address@email.com".parse().expect("a name");
    let odd = world.ready("Odd.mp4").await;
    world.owner = OWNER.parse().expect("an address");
    world.ready("Film.mp4").await;

    assert_eq!(world.notify().await.ping("{}").await, 200);

    assert_eq!(world.one_mail().header("to"), OWNER);
    let again = world.store.jobs.claim_mail(odd.id, HOUR, HOUR).await;
    assert!(matches!(again, Ok(MailClaim::NotDue)), "{again:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_stops_the_mails_but_loses_none() {
    let world = World::new().await;
    let jobs = [world.ready("One.mp4").await, world.ready("Two.mp4").await];
    let demands = Demands {
        encryption: "none",
        login: None,
        to_recipient: "hang up",
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    let smtp = format!("smtp://localhost:{}?tls=none", server.port);
    let notify = NotifyProcess::start(&world, &smtp);

    let ping = notify.post("/ping", "dev.knative.sources.ping", json!({}));
    assert_eq!(ping.await, 503);

    assert_eq!(server.end().len(), 1, "the second one is not tried");
    let log = notify.end();
    assert!(log.contains("takes no mail from us now"), "{log}");
    for job in jobs {
        let claim = world.store.jobs.claim_mail(job.id, HOUR, HOUR).await;
        assert!(matches!(claim, Ok(MailClaim::Granted(..))), "{claim:?}");
    }
}
