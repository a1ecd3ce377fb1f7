//! Decoders that crash, hang, lie or are killed, and videos that ask for too much: one job each, and the next one runs.

use crate::world::{Convert, decoder, until};
use axum::{body::Body, http::Request};
use decant_audio::media::{self, Container};
use decant_events::{FileId, Mp3Ready};
use decant_store::State;
use std::{fs, path::PathBuf, process::Command, time::Duration};
use tempfile::TempDir;
use tokio::time::Instant;

/// A program in the decoder's place.
struct StandIn {
    folder: TempDir,
}

impl StandIn {
    fn new(script: &str) -> Self {
        let stand_in = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        stand_in.becomes(script);
        stand_in
    }

    /// Written by another process: a file that this one had open for writing might, for a moment, not be started.
    fn becomes(&self, script: &str) {
        let text = self.folder.path().join("text");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        let installed = Command::new("install")
            .args(["-m", "755"])
            .args([&text, &self.program()])
            .status();
        assert!(installed.unwrap().success());
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("decoder")
    }

    async fn convert(&self, flags: &[&str]) -> Convert {
        let program = self.program().display().to_string();
        let flags: Vec<&str> = ["--decoder", &program]
            .into_iter()
            .chain(flags.iter().copied())
            .collect();
        Convert::with(&flags).await
    }
}

async fn readiness(convert: &Convert) -> (u16, String) {
    let request = Request::get("/health/readiness")
        .body(Body::empty())
        .unwrap();
    let reply = convert.function.send(request).await;
    (
        reply.status.as_u16(),
        String::from_utf8_lossy(&reply.body).into_owned(),
    )
}

#[tokio::test]
async fn a_decoder_that_crashes_or_hangs_fails_one_job_and_the_next_one_is_converted() {
    for (script, code) in [
        ("kill -SEGV $$", "decoder-crashed"),
        ("exit 3", "decoder-crashed"),
        ("kill -XCPU $$", "too-much-work"),
        ("exec sleep 600", "decoder-stalled"),
        ("exec cat /dev/zero", "decoder-crashed"),
    ] {
        let stand_in = StandIn::new(script);
        let convert = stand_in.convert(&["--decoder-silence", "1s"]).await;
        let began = Instant::now();
        let problem = convert.problem(media::clip(Container::Mp4, 1)).await;
        assert_eq!(problem.code, code, "{script}");
        assert!(problem.detail.ends_with('.'), "{}", problem.detail);
        assert!(began.elapsed() < Duration::from_secs(20), "{script}");

        stand_in.becomes(&format!("exec {}", decoder().display()));
        let event = convert
            .queue("next.mp4", media::clip(Container::Mp4, 1))
            .await;
        let _ready: Mp3Ready = convert.function.deliver("/", &event).await.event();
    }
}

#[tokio::test]
async fn a_decoder_that_was_killed_from_outside_is_tried_again() {
    let stand_in = StandIn::new("kill -KILL $$");
    let convert = stand_in.convert(&[]).await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let reply = convert.function.deliver("/", &event).await;
    assert_eq!(reply.status, 503);
    let job = convert.job(event.video_fid).await;
    assert_eq!((job.state, job.attempts), (State::Queued, 1));

    stand_in.becomes(&format!("exec {}", decoder().display()));
    let _ready: Mp3Ready = convert.function.deliver("/", &event).await.event();
}

#[tokio::test]
async fn each_limit_is_a_setting_with_a_code_of_its_own() {
    let minute = media::sound_with("wav", 60, &["-c:a", "pcm_s16le"]);
    let tracks: Vec<&str> = std::iter::repeat_n(["-map", "0:a"], 5).flatten().collect();
    let tracks = [&tracks[..], &["-c:a", "pcm_s16le"]].concat();
    let large_packets = [
        "-ac",
        "6",
        "-af",
        "asetnsamples=n=1000000",
        "-c:a",
        "pcm_f32le",
    ];
    for (flags, video, code) in [
        (["--max-sound", "59s"], minute.clone(), "too-much-sound"),
        (["--max-mp3", "100kB"], minute.clone(), "mp3-too-large"),
        (
            ["--max-tracks", "4"],
            media::sound_with("mkv", 1, &tracks),
            "too-many-tracks",
        ),
        (
            ["--decoder-memory", "64MB"],
            media::sound_with("mkv", 60, &large_packets),
            "too-much-memory",
        ),
    ] {
        let problem = Convert::with(&flags).await.problem(video).await;
        assert_eq!(problem.code, code, "{}", problem.detail);
    }
}

#[tokio::test]
async fn a_dropped_request_ends_its_decoder_at_once() {
    let stand_in = StandIn::new("echo $$ >\"${0%/*}/pid\"; exec sleep 600");
    let convert = stand_in.convert(&[]).await;
    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    let pid = stand_in.folder.path().join("pid");
    {
        let request = convert.function.deliver("/", &event);
        tokio::pin!(request);
        let started = until(async || fs::read(&pid).is_ok_and(|pid| pid.ends_with(b"\n")));
        tokio::select! {
            reply = &mut request => panic!("{:?}", reply.status),
            () = started => {}
        }
    }
    let pid = fs::read_to_string(&pid).unwrap();
    let process = PathBuf::from("/proc").join(pid.trim());
    let began = Instant::now();
    until(async || !process.exists()).await; // a zombie would still be there
    assert!(began.elapsed() < Duration::from_secs(5));
    until(async || convert.job(event.video_fid).await.state == State::Queued).await;
    assert_eq!(convert.job(event.video_fid).await.attempts, 0);
}

#[tokio::test]
async fn convert_is_ready_when_the_box_holds_and_says_why_it_is_not() {
    assert_eq!(readiness(&Convert::new().await).await.0, 200);

    let missing = Convert::with(&["--decoder", "/nowhere/decant-decode"]).await;
    let (status, said) = readiness(&missing).await;
    assert_eq!(status, 503);
    assert!(
        said.contains("/nowhere/decant-decode doesn't start"),
        "{said}"
    );
}

#[tokio::test]
async fn without_its_box_no_decoder_is_given_a_video_and_convert_is_not_ready() {
    // "a file can be opened inside", as the real one says it.
    let words = "a file can be opened inside";
    let stand_in = StandIn::new(&format!(
        "printf '\\002\\{:03o}\\000\\000\\000{words}'",
        words.len()
    ));
    let convert = stand_in.convert(&[]).await;
    let (status, said) = readiness(&convert).await;
    assert_eq!(status, 503);
    assert!(said.contains(words), "{said}");

    let event = convert
        .queue("video.mp4", media::clip(Container::Mp4, 1))
        .await;
    assert_eq!(convert.function.deliver("/", &event).await.status, 503);
    let job = convert.job(event.video_fid).await;
    assert_eq!((job.state, job.attempts), (State::Queued, 0));

    stand_in.becomes(&format!("exec {}", decoder().display()));
    assert_eq!(readiness(&convert).await.0, 200);
    let _id: FileId = convert
        .function
        .deliver("/", &event)
        .await
        .event::<Mp3Ready>()
        .mp3_fid;
}
