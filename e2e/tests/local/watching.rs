//! Streams of events, from a real upload to a real MP3.

use crate::{SOON, clips};
use decant_e2e::{EventStream, System, Told, eventually};
use reqwest::{Method, StatusCode};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_conversion_is_followed_to_its_end_across_a_lost_connection() {
    let system = System::started().await;
    let client = system.client().await;
    let nothing = client.get("/jobs/events").await;
    assert_eq!(nothing.status(), StatusCode::NO_CONTENT);
    let job = client.upload("Rauschen.mkv", clips::long()).await;
    let path = format!("/jobs/{}/events", job.id);

    let mut stream = EventStream::open(&client, &path, None).await;
    let mut seen: Vec<Told> = Vec::new();
    let is_at_work = |told: &Told| told.data["speed"].as_f64().is_some();
    while !seen.last().is_some_and(is_at_work) {
        seen.push(stream.next().await.expect("it isn't over"));
    }
    let last = seen.last().expect("something was told");
    assert_eq!(last.data["state"], "converting");
    assert!(last.data["speed"].as_f64() > Some(1.0), "{last:?}");
    assert!(last.data["time_left_s"].as_f64() >= Some(0.0), "{last:?}");
    let last_id = last.id;
    drop(stream);

    let mut stream = EventStream::open(&client, &path, last_id).await;
    while let Some(told) = stream.next().await {
        seen.push(told);
    }
    let end = seen.pop().expect("an end");
    assert_eq!(end.event, "end");
    let ready = seen.last().expect("something was told");
    assert_eq!(ready.data["state"], "ready");
    assert_eq!(ready.data["id"], job.id);
    assert!(seen.iter().all(|told| told.event == "job"));
    let progress: Vec<_> = seen
        .iter()
        .map(|told| told.data["progress_percent"].as_f64())
        .collect();
    assert!(progress.is_sorted(), "{progress:?}");

    // When the mail is sent as well, nothing changes any more.
    system.mailbox().wait_for("Rauschen", SOON).await;
    eventually("that there is nothing to tell", SOON, async || {
        let version = client.get(&format!("/jobs/{}", job.id)).await;
        let version: serde_json::Value = version.json().await.expect("a job");
        let version = version["version"].to_string();
        let again = client
            .request(Method::GET, &path)
            .header("last-event-id", version);
        let again = again.send().await.expect("an answer");
        (again.status() == StatusCode::NO_CONTENT).then_some(())
    })
    .await;
}

#[tokio::test]
async fn open_streams_do_not_hold_up_a_stop() {
    let mut system = System::new();
    system.set("SHUTDOWN_GRACE", "60s").start().await;
    let client = system.client().await;
    client.upload("Rauschen.mkv", clips::long()).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = EventStream::open(&client, "/jobs/events", None).await;
        stream.next().await.expect("a job");
        streams.push(stream);
    }
    let door = system.function("upload");
    let asked = Instant::now();
    door.ask_to_stop();
    for mut stream in streams {
        while let Some(told) = stream.next().await {
            assert_ne!(told.event, "end", "there is more to come");
        }
    }
    assert!(asked.elapsed() < Duration::from_secs(20));
    system.stop(Duration::from_secs(90)).await;
}
