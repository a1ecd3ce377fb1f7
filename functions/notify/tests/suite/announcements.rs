//! Who gets which mail, and when.

use crate::world::{OWNER, World, job_failed, mp3_ready, secret};
use decant_events::{DownloadLink, FileId, JobFailed, Mp3Ready, Problem};
use serde_json::{Value, json};
use std::{collections::HashMap, os::unix::fs::PermissionsExt, time::Duration};

#[tokio::test]
async fn a_ready_job_is_mailed_to_its_owner_with_a_link_that_works() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let notify = world.notify().await;

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 200);
    let mail = world.one_mail();
    assert_eq!(mail.defects, Vec::<String>::new());
    assert_eq!(mail.header("to"), OWNER);
    assert_eq!(mail.header("from"), "Decant <decant@localhost>");
    assert_eq!(mail.header("subject"), "Your MP3 is ready: Film");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_eq!(
        mail.header("message-id"),
        format!("<{}.1@localhost>", job.id)
    );
    assert!(mail.has_header("date"));
    assert!(mail.text.contains("9 min 56 s, 8.9 MB"), "{}", mail.text);
    assert!(mail.html.contains("9 min 56 s, 8.9 MB"), "{}", mail.html);

    let link = mail.link();
    assert_eq!(link.host_str(), Some("decant.example.com"));
    assert_eq!(link.path(), "/door/download");
    let query: HashMap<_, _> = link.query_pairs().into_owned().collect();
    let link = DownloadLink {
        id: query["id"].parse().expect("an id"),
        expires: query["expires"].parse().expect("a time"),
        signature: query["signature"].clone(),
    };
    let now = u64::try_from(chrono::Utc::now().timestamp()).expect("a time");
    assert_eq!(link.verify(&secret(), now), Ok(()));
    assert_eq!(Some(link.id), job.mp3.map(|mp3| mp3.id));
    let week = 7 * 24 * 3600;
    assert!((now + week - 60..=now + week).contains(&link.expires));
    let in_html = mail.html.replace("&#38;", "&");
    assert!(in_html.contains(&link.query()), "{in_html}");
}

#[tokio::test]
async fn a_failed_job_is_mailed_with_its_reason() {
    let world = World::new().await;
    let problem = Problem::new("no-audio", "This video has no sound in it.");
    let job = world.failed("Silent.mp4", problem).await;
    let notify = world.notify().await;

    let answer = notify
        .deliver::<JobFailed>("/job-failed", job_failed(&job))
        .await;

    assert_eq!(answer, 200);
    let mail = world.one_mail();
    assert_eq!(mail.header("to"), OWNER);
    assert_eq!(mail.header("subject"), "No MP3 could be made: Silent");
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("This video has no sound in it."), "{part}");
        assert!(part.contains("https://decant.example.com/door"), "{part}");
        assert!(part.contains(&format!("{} (no-audio)", job.id)), "{part}");
    }
}

#[tokio::test]
async fn a_forged_owner_or_mp3_changes_nothing() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let mut forged = mp3_ready(&job);
    forged["username"] = json!("mallory@evil.example");
    forged["mp3_fid"] = json!(FileId::mint());
    forged["title"] = json!("Something else");

    let answer = world
        .notify()
        .await
        .deliver::<Mp3Ready>("/mp3-ready", forged)
        .await;

    assert_eq!(answer, 200);
    let mail = world.one_mail();
    assert_eq!(mail.header("to"), OWNER);
    assert_eq!(mail.header("subject"), "Your MP3 is ready: Film");
    let mp3 = job.mp3.expect("an MP3").id.to_string();
    assert!(
        mail.link()
            .query()
            .is_some_and(|query| query.contains(&mp3))
    );
}

#[tokio::test]
async fn an_event_that_the_record_does_not_agree_with_does_nothing() {
    let world = World::new().await;
    let notify = world.notify().await;
    let ready = world.ready("Film.mp4").await;
    let failed = world
        .failed("Film.mp4", Problem::new("no-audio", "…"))
        .await;
    let queued = world.queued("Film.mp4", Duration::ZERO).await;

    let mut claims_ready = mp3_ready(&ready);
    for id in [failed.id, queued.id, FileId::mint()] {
        claims_ready["video_fid"] = json!(id);
        let answer = notify
            .deliver::<Mp3Ready>("/mp3-ready", claims_ready.clone())
            .await;
        assert_eq!(answer, 200);
    }
    let mut claims_failed = job_failed(&failed);
    for id in [ready.id, queued.id, FileId::mint()] {
        claims_failed["video_fid"] = json!(id);
        let answer = notify
            .deliver::<JobFailed>("/job-failed", claims_failed.clone())
            .await;
        assert_eq!(answer, 200);
    }
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn a_second_event_sends_no_second_mail() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let notify = world.notify().await;
    notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;
    std::fs::remove_dir_all(world.mailbox()).expect("read and deleted");

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 200);
    assert!(!world.mailbox().exists());
}

#[tokio::test]
async fn a_mail_in_somebody_elses_hands_makes_the_broker_come_back() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let held = world
        .store
        .jobs
        .claim_mail(job.id, Duration::from_secs(60), Duration::ZERO);
    held.await.expect("a claim");

    let answer = world
        .notify()
        .await
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 503);
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn a_mail_is_one_file_for_its_reader_alone() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let notify = world.notify().await;
    notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    let file = world.mailbox().join(format!("{}.1.eml", job.id));
    let mode = file.metadata().expect("the mail").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.mails().len(), 1, "nothing else lies there");
}

#[tokio::test]
async fn a_folder_that_is_in_the_way_leaves_the_mail_unsent() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let notify = world.notify().await;
    std::fs::remove_dir(world.mailbox()).expect("an empty folder");
    std::fs::write(world.mailbox(), "a file").expect("a file in its place");

    let event = || notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job));
    assert_eq!(event().await, 503);

    std::fs::remove_file(world.mailbox()).expect("the file");
    assert_eq!(event().await, 200);
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn a_malformed_event_is_refused_for_good() {
    let world = World::new().await;
    let notify = world.notify().await;
    let job = world.ready("Film.mp4").await;
    let mut incomplete = mp3_ready(&job);
    incomplete
        .as_object_mut()
        .expect("an object")
        .remove("mp3_fid");
    for (path, ty, data) in [
        ("/mp3-ready", "dev.decant.mp3.ready", incomplete),
        ("/mp3-ready", "dev.decant.job.failed", mp3_ready(&job)),
        ("/job-failed", "dev.decant.job.failed", Value::Null),
        (
            "/dead-letter",
            "dev.decant.video.uploaded",
            json!({"video_fid": "7"}),
        ),
    ] {
        let answer = notify.post(path, ty, &data.to_string()).await;
        assert_eq!(answer.status(), 400, "{path} took {data}");
        let ty = answer
            .headers()
            .get("content-type")
            .expect("a content type");
        assert_eq!(ty, "application/problem+json");
    }
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn notify_is_ready_when_the_store_answers() {
    let world = World::new().await;
    let notify = world.notify().await;
    assert_eq!(notify.get("/health/readiness").await, 200);
    assert_eq!(notify.get("/health/liveness").await, 200);
}
