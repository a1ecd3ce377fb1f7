//! `convert` through its front door, on the embedded store, with real media.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail")]

use axum::{body::Body, http::Request};
use clap::Parser;
use decant_audio::media::{self, Container};
use decant_convert::{App, Config, router};
use decant_events::{FileId, JobFailed, Mp3Ready, Problem, Username, VideoUploaded};
use decant_function::testing::TestFunction;
use decant_store::{Bucket, Claim, Error as StoreError, Job, NewJob, State, Store, StoreUrl};
use std::time::Duration;
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);

struct Convert {
    function: TestFunction,
    store: Store,
    _folder: TempDir,
}

impl Convert {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("store").display().to_string();
        let store = Store::open(&url.parse::<StoreUrl>().unwrap())
            .await
            .unwrap();
        let arguments = ["decant-convert", "--store", &url]
            .into_iter()
            .chain(flags.iter().copied());
        let config = Config::parse_from(arguments);
        let function = TestFunction::new(router(App::new(store.clone(), &config)));
        Self {
            function,
            store,
            _folder: folder,
        }
    }

    /// A queued job with this video.
    async fn queue(&self, file_name: &str, video: Vec<u8>) -> VideoUploaded {
        let id = FileId::mint();
        let job = NewJob {
            id,
            owner: kevin(),
            file_name: file_name.into(),
            traceparent: None,
        };
        let lease = self.store.jobs.begin(job, MINUTE).await.unwrap();
        let size_bytes = self.store_video(id, video).await;
        self.store
            .jobs
            .uploaded(&lease, size_bytes, MINUTE)
            .await
            .unwrap();
        about(id)
    }

    async fn store_video(&self, id: FileId, video: Vec<u8>) -> u64 {
        let mut payload = self
            .store
            .payloads
            .create(Bucket::Videos, id, "video")
            .await
            .unwrap();
        payload.write(video.into()).await.unwrap();
        payload.finish(Default::default()).await.unwrap()
    }

    async fn job(&self, id: FileId) -> Job {
        self.store.jobs.get(id).await.unwrap().unwrap()
    }

    async fn mp3(&self, id: FileId) -> Vec<u8> {
        let mp3 = self.store.payloads.open(Bucket::Mp3s, id).await.unwrap();
        mp3.read_at(0, 100_000_000).await.unwrap().to_vec()
    }

    /// The problem that this video's job fails with.
    async fn problem(&self, video: Vec<u8>) -> Problem {
        let event = self.queue("video.mp4", video).await;
        let reply = self.function.deliver("/", &event).await;
        assert_eq!(reply.status, 200);
        let failed: JobFailed = reply.event();
        assert_eq!(failed.username, kevin());
        assert_eq!(
            self.job(event.video_fid).await.problem,
            Some(failed.problem.clone())
        );
        failed.problem
    }
}

fn kevin() -> Username {
    "kevin@email.com".parse().unwrap()
}

fn about(id: FileId) -> VideoUploaded {
    VideoUploaded {
        video_fid: id,
        mp3_fid: None,
        username: kevin(),
        file_name: None,
        size_bytes: None,
    }
}

#[tokio::test]
async fn a_video_becomes_a_published_mp3_and_an_event_about_it() {
    let convert = Convert::new().await;
    let event = convert
        .queue("Größe 🎬.mp4", media::clip(Container::Mp4, 3))
        .await;
    let reply = convert.function.deliver("/", &event).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("ce-source"), "/decant/convert");
    assert_eq!(reply.header("ce-subject"), event.video_fid.to_string());

    let ready: Mp3Ready = reply.event();
    assert_eq!(ready.title, "Größe 🎬");
    assert!(
        (2_950..3_050).contains(&ready.duration_ms),
        "{} ms",
        ready.duration_ms
    );
    let job = convert.job(event.video_fid).await;
    assert_eq!((job.state, job.progress_percent), (State::Ready, 100.0));
    let mp3 = convert.mp3(ready.mp3_fid).await;
    assert_eq!(mp3.len() as u64, ready.size_bytes);
    assert!(mp3.starts_with(b"ID3"));
}

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
async fn a_forged_owner_and_a_forged_mp3_change_nothing() {
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
    let ready: Mp3Ready = convert.function.deliver("/", &forged).await.event();
    assert_eq!(ready.username, kevin());
    assert_eq!(ready.title, "video");
    assert_ne!(Some(ready.mp3_fid), forged.mp3_fid);
}

#[tokio::test]
async fn hopeless_input_fails_the_job_with_its_own_code() {
    let convert = Convert::new().await;
    assert_eq!(convert.problem(media::text_file()).await.code, "unreadable");
    assert_eq!(
        convert.problem(media::silent_video()).await.code,
        "no-audio"
    );
    assert_eq!(
        convert.problem(media::truncated_mp4()).await.code,
        "truncated"
    );
    assert_eq!(convert.problem(Vec::new()).await.code, "unreadable");
}

#[tokio::test]
async fn a_failed_job_leaves_no_mp3() {
    let convert = Convert::new().await;
    convert.problem(media::truncated_mp4()).await;
    let litter = convert.store.jobs.litter(Duration::ZERO, 10).await.unwrap();
    for left in litter {
        let mp3 = convert.store.payloads.open(Bucket::Mp3s, left.mp3_id).await;
        assert!(matches!(mp3, Err(StoreError::NotFound)));
    }
}

#[tokio::test]
async fn a_job_whose_video_is_gone_fails_and_says_so() {
    let convert = Convert::new().await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    convert
        .store
        .payloads
        .delete(Bucket::Videos, event.video_fid)
        .await
        .unwrap();
    let failed: JobFailed = convert.function.deliver("/", &event).await.event();
    assert_eq!(failed.problem.code, "video-missing");
}

#[tokio::test]
async fn an_event_about_a_job_under_a_live_lease_comes_back_later() {
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
    let event = convert
        .queue("video.mkv", media::clip(Container::Mkv, 120))
        .await;
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

#[tokio::test]
async fn a_conversion_without_enough_time_fails_as_too_long() {
    let convert = Convert::with(&["--timeout", "1"]).await;
    // Hours of sound: seconds of work at the least.
    let hours = [
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=r=8000:d=10800",
        "-c:a",
        "pcm_mulaw",
    ];
    let noise = media::ffmpeg("mkv", &hours);
    let problem = convert.problem(noise).await;
    assert_eq!(problem.code, "too-long");
}

#[tokio::test]
async fn an_event_without_a_job_makes_one_only_where_that_is_wanted() {
    let id = FileId::mint();
    let wary = Convert::new().await;
    wary.store_video(id, media::clip(Container::Mp4, 1)).await;
    let reply = wary.function.deliver("/", &about(id)).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(wary.store.jobs.get(id).await.unwrap(), None);

    let open = Convert::with(&["--foreign-events"]).await;
    open.store_video(id, media::clip(Container::Mp4, 1)).await;
    let ready: Mp3Ready = open.function.deliver("/", &about(id)).await.event();
    assert_eq!((ready.video_fid, ready.username), (id, kevin()));
}

#[tokio::test]
async fn a_malformed_event_is_refused_for_good() {
    let convert = Convert::new().await;
    let no_event = Request::post("/").body(Body::from("{}")).unwrap();
    let reply = convert.function.send(no_event).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (400, "malformed-event")
    );

    let no_video = Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", "1")
        .header("ce-type", "dev.decant.video.uploaded")
        .header("ce-source", "/test")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"username":"kevin@email.com"}"#))
        .unwrap();
    let reply = convert.function.send(no_video).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (400, "malformed-event")
    );
}

/// Waits until it is so; the test fails if it isn't within a minute.
async fn until<F: Future<Output = bool>>(so: impl Fn() -> F) {
    let watch = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(MINUTE, watch)
        .await
        .expect("it to become so");
}
