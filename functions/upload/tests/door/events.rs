//! What streams tell of jobs.

use super::*;
use crate::{
    recorder::Recorder,
    watched::{Told, Watched, opened},
};
use decant_store::{Progress, State as JobState};
use serde_json::{Value, json};
use std::time::Instant;

#[tokio::test]
async fn a_stream_tells_what_becomes_of_a_job_and_ends_with_it() {
    let watched = Watched::new().await;
    let id = watched.uploaded().await;
    let mut stream = watched.stream(&format!("/jobs/{id}/events"), None).await;
    assert_eq!(stream.block().await.unwrap(), "retry: 2000\n\n");

    let queued = stream.job().await;
    let shown = watched.door.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(queued.data, shown);
    assert_eq!(queued.data["jobs_ahead"], 0);
    assert_eq!(queued.id, queued.data["version"].as_u64());

    let (lease, mp3_id) = watched.claimed(id).await;
    let converting = stream.job().await;
    assert_eq!(converting.data["state"], "converting");
    assert_eq!(converting.data["jobs_ahead"], Value::Null);
    let progress = Progress {
        percent: 71.0,
        speed: Some(84.0),
        time_left_s: Some(2.5),
    };
    let renewed = watched
        .door
        .store
        .jobs
        .renew(&lease, MINUTE, Some(progress));
    renewed.await.unwrap();
    let further = stream.job().await;
    let told = |name: &str| further.data[name].as_f64();
    assert_eq!(told("progress_percent"), Some(71.0));
    assert_eq!(
        (told("speed"), told("time_left_s")),
        (Some(84.0), Some(2.5))
    );

    let published = watched.publish(&lease, mp3_id).await;
    let [ready] = &stream.rest().await[..] else {
        panic!("one event and the end")
    };
    assert_eq!(ready.data["state"], "ready");
    assert_eq!(ready.data["mp3_fid"], json!(mp3_id));
    assert_eq!(ready.id, Some(published.version));
    assert!(queued.id < converting.id && converting.id < further.id && further.id < ready.id);
}

#[tokio::test]
async fn a_stream_of_all_jobs_ends_when_none_is_unfinished() {
    let watched = Watched::new().await;
    watched.ready().await;
    let (one, other) = (watched.uploaded().await, watched.uploaded().await);
    let mut stream = watched.stream("/jobs/events", None).await;
    // What had ended before is not told, unless it was in the same moment.
    let mut told = Vec::new();
    while told.len() < 2 {
        let event = stream.job().await;
        if event.data["state"] != "ready" {
            told.push(event);
        }
    }
    assert_eq!(
        [&told[0].data["id"], &told[1].data["id"]],
        [&json!(one), &json!(other)]
    );

    for id in [one, other] {
        let (lease, mp3_id) = watched.claimed(id).await;
        watched.publish(&lease, mp3_id).await;
    }
    let third = watched.uploaded().await;
    loop {
        let told = stream.job().await;
        if told.data["id"] == json!(third) {
            break;
        }
    }
    let (lease, mp3_id) = watched.claimed(third).await;
    watched.publish(&lease, mp3_id).await;
    let rest = stream.rest().await;
    let last = rest.last().unwrap();
    assert_eq!(
        (&last.data["id"], &last.data["state"]),
        (&json!(third), &json!("ready"))
    );
}

#[tokio::test]
async fn where_there_is_nothing_to_tell_there_is_no_stream() {
    let watched = Watched::new().await;
    assert_eq!(watched.ask("/jobs/events", None).await.status(), 204);
    let job = watched.ready().await;
    let alone = format!("/jobs/{}/events", job.id);
    for (path, last, status) in [
        ("/jobs/events", None, 204),
        ("/jobs/events", Some(job.version), 204),
        ("/jobs/events", Some(job.version - 1), 200),
        (&alone, None, 200),
        (&alone, Some(job.version), 204),
        (&alone, Some(job.version - 1), 200),
    ] {
        let answer = watched.ask(path, last).await;
        assert_eq!(answer.status(), status, "{path} {last:?}");
        if status == 200 {
            let told = opened(answer).rest().await;
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].id, Some(job.version));
        }
    }
}

#[tokio::test]
async fn a_client_that_comes_back_is_told_what_it_missed() {
    let watched = Watched::new().await;
    let (one, other) = (watched.uploaded().await, watched.uploaded().await);
    let mut stream = watched.stream("/jobs/events", None).await;
    stream.job().await;
    let last = stream.job().await.id;
    drop(stream);
    let (lease, mp3_id) = watched.claimed(one).await;
    let ready = watched.publish(&lease, mp3_id).await;

    let mut stream = watched.stream("/jobs/events", last).await;
    let mut told = [stream.job().await, stream.job().await];
    told.sort_by_key(|told| told.data["id"].as_str().map(str::to_owned));
    assert_eq!(
        (&told[0].data["state"], told[0].id),
        (&json!("ready"), Some(ready.version))
    );
    assert_eq!(told[1].data["id"], json!(other));
}

#[tokio::test]
async fn nobody_is_told_of_anothers_jobs() {
    let watched = Watched::new().await;
    let id = watched.uploaded().await;
    for path in [format!("/jobs/{id}/events"), "/jobs/rubbish/events".into()] {
        let answer = watched.ask_as("eve@email.com", &path, None).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    let without = watched
        .client
        .get(format!("{}jobs/events", watched.address));
    assert_eq!(without.send().await.unwrap().status(), 401);

    // Eve has a job of her own, and hears of nothing else until it ends.
    let request = Request::post("/upload?filename=eve.mp4");
    let request = request.header("authorization", watched.door.keys.bearer("eve@email.com"));
    let eves = watched.door.send(request, "video").await.json();
    let eves: FileId = eves["id"].as_str().unwrap().parse().unwrap();
    let mut stream = opened(watched.ask_as("eve@email.com", "/jobs/events", None).await);
    stream.job().await;
    for id in [id, eves] {
        let (lease, mp3_id) = watched.claimed(id).await;
        watched.publish(&lease, mp3_id).await;
    }
    for told in stream.rest().await {
        assert_eq!(told.data["id"], json!(eves));
    }
}

#[tokio::test]
async fn a_deleted_job_is_told_as_such() {
    let watched = Watched::new().await;
    watched.uploaded().await;
    let mut stream = watched.stream("/jobs/events", None).await;
    stream.job().await;
    let mut tombstone = watched
        .door
        .store
        .jobs
        .export(None, 1)
        .await
        .unwrap()
        .remove(0);
    tombstone.job.id = FileId::mint();
    tombstone.job.state = JobState::Cancelled;
    assert!(watched.door.store.jobs.import(&tombstone).await.unwrap());
    let told = stream.next().await.unwrap();
    let (id, version) = (tombstone.job.id, tombstone.job.version);
    let expected = Told {
        event: "deleted".into(),
        id: Some(version),
        data: json!({ "id": id, "version": version }),
    };
    assert_eq!(told, expected);
}

#[tokio::test]
async fn whoever_moves_up_in_the_line_is_told() {
    let watched = Watched::new().await;
    let (first, second) = (watched.uploaded().await, watched.uploaded().await);
    let path = format!("/jobs/{second}/events");
    let mut stream = watched.stream(&path, None).await;
    let queued = stream.job().await;
    assert_eq!(queued.data["jobs_ahead"], 1);
    let (lease, _) = watched.claimed(first).await;
    let moved = stream.job().await;
    assert_eq!((&moved.data["jobs_ahead"], moved.id), (&json!(0), None));
    assert_eq!(moved.data["version"], queued.data["version"]);
    watched.door.store.jobs.release(&lease, true).await.unwrap();
    assert_eq!(stream.job().await.data["jobs_ahead"], 1);
}

#[tokio::test]
async fn a_stream_without_news_shows_that_it_lives() {
    let watched = Watched::new().await;
    let id = watched.uploaded().await;
    let (_lease, _) = watched.claimed(id).await;
    let mut stream = watched.stream("/jobs/events", None).await;
    stream.job().await;
    let began = Instant::now();
    assert_eq!(stream.block().await.unwrap(), ":\n\n");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn sixty_streams_cost_one_poll_a_second_and_none_costs_nothing() {
    let recorder = Recorder::default();
    let _recorded = metrics::set_default_local_recorder(&recorder);
    let watched = Watched::new().await;
    let (lease, mp3_id) = watched.claimed(watched.uploaded().await).await;
    assert_eq!(recorder.polls(), 0);

    let began = Instant::now();
    let mut streams = Vec::new();
    for _ in 0..60 {
        let mut stream = watched.stream("/jobs/events", None).await;
        stream.job().await;
        streams.push(stream);
    }
    for round in 1..=3 {
        let progress = Some(f64::from(round).into());
        let renewed = watched.door.store.jobs.renew(&lease, MINUTE, progress);
        renewed.await.unwrap();
        for stream in &mut streams {
            let told = stream.job().await;
            assert_eq!(
                told.data["progress_percent"].as_f64(),
                Some(f64::from(round))
            );
        }
    }
    let polls = recorder.polls();
    assert!(
        polls >= 3 && polls <= began.elapsed().as_secs() + 1,
        "{polls}"
    );
    watched.publish(&lease, mp3_id).await;
    for stream in streams {
        stream.rest().await;
    }
    let ended = tokio::time::timeout(MINUTE, async {
        while recorder.streams() > 0.0 {
            tokio::task::yield_now().await;
        }
    });
    ended.await.expect("the polling ends");
    let elapsed = began.elapsed().as_secs();
    assert!(
        recorder.polls() <= elapsed + 1,
        "{} in {elapsed} s",
        recorder.polls()
    );
}

#[tokio::test]
async fn there_are_only_so_many_streams() {
    let watched = Watched::new().await;
    let people = [
        ("kevin@email.com", 64, 429),
        ("eve@email.com", 64, 429),
        ("ann@email.com", 0, 503),
    ];
    for (who, ..) in people {
        let request = Request::post("/upload?filename=a.mp4");
        let request = request.header("authorization", watched.door.keys.bearer(who));
        assert_eq!(watched.door.send(request, "video").await.status, 202);
    }
    let mut streams = Vec::new();
    for (who, most, status) in people {
        let before = streams.len();
        let refused = loop {
            let answer = watched.ask_as(who, "/jobs/events", None).await;
            if answer.status() != 200 {
                break answer;
            }
            streams.push(answer);
        };
        let opened = streams.len() - before;
        assert_eq!((opened, refused.status().as_u16()), (most, status), "{who}");
        assert!(refused.headers().contains_key("retry-after"));
    }
    drop(streams);
    let again = tokio::time::timeout(MINUTE, async {
        while watched.ask("/jobs/events", None).await.status() != 200 {}
    });
    again.await.expect("room again");
}
