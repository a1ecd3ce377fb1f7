//! Jobs that wait for their turn, are given up, and are asked for again.

use crate::{SOON, clips};
use decant_e2e::{Client, EMAIL, Job, System, add_user, eventually};
use reqwest::{Method, StatusCode};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// What people are told about a cancelled conversion.
const A_SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn ten_jobs_of_one_person_hold_nobody_else_up() {
    const TURNS: usize = 2;
    let mut system = System::new();
    system.set("DECANT_ANNOUNCED_PER_PERSON", &TURNS.to_string());
    system.start().await;
    let users = format!("sqlite:{}", system.data().join("users.db").display());
    add_user(&users, "kim@email.com", "Qwerty456");
    let kevin = system.client().await;
    let kim = Client::sign_in(system.port, "kim@email.com", "Qwerty456").await;

    let mut ids = BTreeSet::new();
    for number in 0..10 {
        let job = kevin
            .upload(&format!("{number}.mkv"), clips::minute())
            .await;
        ids.insert(job.id);
    }
    let kims = kim.upload("Kims.mp4", clips::short()).await;
    assert_ne!(kims.state, "waiting");

    let mut kim_waited_for_all = true;
    eventually("all ten are ready", 4 * SOON, async || {
        let jobs = kevin.jobs().await;
        let his: Vec<_> = jobs.iter().filter(|job| job.username == EMAIL).collect();
        let are = |states: &[&str]| count(&his, states);
        assert_eq!(his.len(), ids.len());
        assert!(are(&["queued", "converting"]) <= TURNS, "{his:?}");
        assert_eq!(are(&["failed"]), 0, "{his:?}");
        // The list is of one moment.
        let kims = jobs.iter().find(|job| job.id == kims.id);
        if kims.is_some_and(|job| job.state == "ready") && are(&["waiting"]) > 0 {
            kim_waited_for_all = false;
        }
        (are(&["ready"]) == ids.len()).then_some(())
    })
    .await;
    assert!(!kim_waited_for_all, "kim's was ready while kevin's waited");
}

fn count(jobs: &[&Job], states: &[&str]) -> usize {
    let found = jobs
        .iter()
        .filter(|job| states.contains(&job.state.as_str()));
    found.count()
}

#[tokio::test]
async fn a_cancelled_conversion_stops_within_a_second_and_the_next_one_begins() {
    let mut system = System::new();
    system.set("DECANT_ANNOUNCED_PER_PERSON", "1");
    system.start().await;
    let client = system.client().await;
    // Once of three times: on a machine that is busy with other tests a second may be too short.
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let long = client.upload("Rauschen.mkv", clips::long()).await;
        client.wait_for(&long.id, "converting", SOON).await;
        let convert = system.function("convert");
        let decoders = eventually("a decoder at work", SOON, async || {
            let children = convert.children();
            (!children.is_empty()).then_some(children)
        })
        .await;
        let waiting = client.upload("Danach.mp4", clips::short()).await;
        assert_eq!(waiting.state, "waiting");

        let asked = Instant::now();
        let path = format!("/jobs/{}", long.id);
        let cancel = client.request(Method::DELETE, &path).send().await;
        assert_eq!(cancel.expect("an answer").status(), StatusCode::NO_CONTENT);
        eventually("the end of the decoder", SOON, async || {
            let running = convert.children(); // the next job's among them, maybe
            (!running.iter().any(|child| decoders.contains(child))).then_some(())
        })
        .await;
        fastest = fastest.min(asked.elapsed());
        assert_eq!(client.get(&path).await.status(), StatusCode::NOT_FOUND);
        client.wait_for(&waiting.id, "ready", SOON).await;
        if fastest < A_SECOND {
            break;
        }
    }
    assert!(fastest < A_SECOND, "it took {fastest:?}");
    let log = system.log();
    assert!(log.contains("attempt stopped: the job was cancelled"));
    eventually("no bytes of it", SOON, async || {
        let is_gone = system.parts().is_empty() && system.mp3s().len() == system.videos().len();
        is_gone.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_is_converted_again_with_other_options_and_without_another_upload() {
    let system = System::started().await;
    let client = system.client().await;
    let job = client.upload("Film.mp4", clips::short()).await;
    let first = client.wait_for(&job.id, "ready", SOON).await;
    system.mailbox().wait_for("Film", SOON).await;

    let path = format!("/jobs/{}/retry?quality=320k", job.id);
    let retry = client.request(Method::POST, &path).send().await;
    let retry = retry.expect("an answer");
    assert_eq!(retry.status(), StatusCode::ACCEPTED);
    let begun: Job = retry.json().await.expect("a job");
    assert_eq!(
        (begun.state.as_str(), begun.id.as_str()),
        ("queued", job.id.as_str())
    );
    let second = client.wait_for(&job.id, "ready", SOON).await;
    assert_ne!(first.mp3(), second.mp3());
    assert!(first.mp3_size_bytes < second.mp3_size_bytes);
    let before = format!("/download?id={}", first.mp3());
    assert_eq!(client.get(&before).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        Some(client.download(second.mp3()).await.len() as u64),
        second.mp3_size_bytes
    );
    eventually("a mail for each run", SOON, async || {
        (system.mailbox().mails().len() == 2).then_some(())
    })
    .await;
    assert_eq!(system.videos().len(), 1);
}
