//! `convert` on a store of its own.

use clap::Parser;
use decant_convert::{App, Config, router};
use decant_events::{ConversionOptions, FileId, JobFailed, Problem, Username, VideoUploaded};
use decant_function::testing::TestFunction;
use decant_store::{Bucket, Job, Lease, NewJob, Store, StoreUrl, Turns};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// More turns than a test has jobs.
pub(crate) const TURNS: Turns = Turns {
    at_once: 1000,
    gap: MINUTE,
};

pub(crate) struct Convert {
    pub(crate) function: TestFunction,
    pub(crate) store: Store,
    _folder: TempDir,
}

impl Convert {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(flags: &[&str]) -> Self {
        Self::watched(flags, |store| store).await
    }

    /// On a store that `watch` has put something around.
    pub(crate) async fn watched(flags: &[&str], watch: impl FnOnce(Store) -> Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("store").display().to_string();
        let store = Store::open(&url.parse::<StoreUrl>().unwrap())
            .await
            .unwrap();
        let store = watch(store);
        // Of flags that are given twice the last counts.
        let decoder = decoder().display().to_string();
        let arguments = ["decant-convert", "--store", &url, "--decoder", &decoder]
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
    pub(crate) async fn queue(&self, file_name: &str, video: Vec<u8>) -> VideoUploaded {
        self.queue_asking(file_name, video, &ConversionOptions::default())
            .await
    }

    /// The same, whose record asks for something. The event is silent about it.
    pub(crate) async fn queue_asking(
        &self,
        file_name: &str,
        video: Vec<u8>,
        options: &ConversionOptions,
    ) -> VideoUploaded {
        let id = FileId::mint();
        let lease = self.begin(id, file_name).await;
        self.store.jobs.ask(&lease, options, None).await.unwrap();
        let size_bytes = self.store_video(id, video).await;
        self.store
            .jobs
            .uploaded(&lease, size_bytes, TURNS)
            .await
            .unwrap();
        about(id)
    }

    /// An upload of kevin's that has begun.
    pub(crate) async fn begin(&self, id: FileId, file_name: &str) -> Lease {
        let job = NewJob {
            id,
            owner: kevin(),
            file_name: file_name.into(),
            traceparent: None,
        };
        self.store.jobs.begin(job, MINUTE).await.unwrap()
    }

    pub(crate) async fn store_video(&self, id: FileId, video: Vec<u8>) -> u64 {
        let mut payload = self
            .store
            .payloads
            .create(Bucket::Videos, id, "video")
            .await
            .unwrap();
        payload.write(video.into()).await.unwrap();
        payload.finish(Default::default()).await.unwrap()
    }

    pub(crate) async fn job(&self, id: FileId) -> Job {
        self.store.jobs.get(id).await.unwrap().unwrap()
    }

    pub(crate) async fn mp3(&self, id: FileId) -> Vec<u8> {
        let mp3 = self.store.payloads.open(Bucket::Mp3s, id).await.unwrap();
        mp3.read_at(0, 100_000_000).await.unwrap().to_vec()
    }

    /// The problem that this video's job fails with.
    pub(crate) async fn problem(&self, video: Vec<u8>) -> Problem {
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

/// The decoder's program lies in the folder above the test's own.
pub(crate) fn decoder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let decoder = test.ancestors().nth(2).unwrap().join("decant-decode");
    assert!(
        decoder.is_file(),
        "there is no {} yet: run ./test, or `cargo build --workspace --bins` first",
        decoder.display()
    );
    decoder
}

pub(crate) fn kevin() -> Username {
    "kevin@email.com".parse().unwrap()
}

pub(crate) fn about(id: FileId) -> VideoUploaded {
    VideoUploaded {
        video_fid: id,
        mp3_fid: None,
        username: kevin(),
        file_name: None,
        size_bytes: None,
        options: Default::default(),
    }
}

/// Waits until it is so; the test fails if it isn't within a minute.
pub(crate) async fn until<F: Future<Output = bool>>(so: impl Fn() -> F) {
    let watch = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(MINUTE, watch)
        .await
        .expect("it to become so");
}

/// Hours of sound: seconds of work at the least.
pub(crate) fn hours_of_noise() -> Vec<u8> {
    let noise = ["-f", "lavfi", "-i", "anoisesrc=r=8000:d=10800"];
    decant_audio::media::ffmpeg("mkv", &[&noise[..], &["-c:a", "pcm_mulaw"]].concat())
}
