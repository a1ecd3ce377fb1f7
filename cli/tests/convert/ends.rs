//! How it ends when it can't do it, or mayn't.

use crate::{Desk, fails, succeeds};
use decant_audio::media;
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[test]
fn the_exit_status_tells_bad_input_from_failure_and_nothing_is_left() {
    let desk = Desk::with("text.mp4", &media::text_file());
    desk.put("silent.mp4", &media::silent_video());
    desk.put("gif.jpg", b"GIF89a");
    let missing = ["convert", "missing.mp4", "out.mp3"];
    fails(desk.run(&missing), 1, "missing.mp4: No such file");
    fails(
        desk.run(&["convert", "text.mp4", "no/such/folder.mp3"]),
        1,
        "no/such: there is no such folder",
    );
    fails(
        desk.run(&["convert", "text.mp4", "out.mp3", "--decoder=/nowhere"]),
        1,
        "doesn't start",
    );
    fails(
        desk.run(&["convert", "text.mp4", "out.mp3"]),
        3,
        "can't be read",
    );
    fails(
        desk.run(&["convert", "silent.mp4", "out.mp3"]),
        3,
        "no sound track",
    );
    for (wrong, says) in [
        ("--quality=best", "Expected one of v0, v2,"),
        ("--start=1:2x", "The option `start` is `1:2x`."),
        ("--loudness=3", "Expected a loudness from"),
        ("--track=0", "Expected a number from 1"),
        ("--sample-rate=1", "Expected one of 8000,"),
        ("--year=99", "four digits"),
        ("--cover=gif.jpg", "JPEG or PNG"),
        ("--cover=missing.jpg", "No such file"),
        ("--end=0", "later than `start`"),
        ("--fade=40", "up to 30 seconds"),
        ("--track=xx", "ISO 639"),
    ] {
        fails(
            desk.run(&["convert", "text.mp4", "out.mp3", wrong]),
            2,
            says,
        );
    }
    assert_eq!(desk.names(), ["gif.jpg", "silent.mp4", "text.mp4"]);

    for (arguments, status, code) in [
        (
            ["convert", "silent.mp4", "out.mp3", "--json"],
            3,
            "no-audio",
        ),
        (["convert", "missing.mp4", "out.mp3", "--json"], 1, "file"),
    ] {
        let failed = desk.run(&arguments);
        assert_eq!(failed.status.code(), Some(status));
        let json: Value = serde_json::from_slice(&failed.stdout).unwrap();
        assert_eq!(json["error"]["code"], code);
        assert!(json["error"]["detail"].is_string());
    }
    let help = succeeds(desk.run(&["convert", "--help"]));
    assert!(String::from_utf8(help).unwrap().contains("Exit status:"));
}

#[test]
fn a_signal_ends_it_at_once_and_leaves_nothing_behind() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let desk = Desk::new();
        let mut command = desk.command(&["convert", "-", "out.mp3"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        // Some of it, and never the rest.
        let ts = media::sound_with("ts", 60, &["-c:a", "mp2"]);
        to.write_all(&ts[..ts.len() / 2]).unwrap();
        let part = || {
            desk.names()
                .iter()
                .any(|name| name.starts_with("out.mp3.part"))
        };
        let began = Instant::now();
        while !part() {
            assert!(began.elapsed() < Duration::from_secs(20), "no part appears");
            thread::sleep(Duration::from_millis(10));
        }
        let sent = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(status));
        assert_eq!(desk.names(), [""; 0]);
    }
}

/// Sends Ctrl-C and says what the program ends with.
#[track_caller]
fn interrupt(mut child: Child) -> Option<i32> {
    let sent = Command::new("kill")
        .args(["-s", "INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it goes on");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_signal_ends_it_also_while_nobody_opens_the_other_end_of_its_input() {
    let desk = Desk::new();
    let made = Command::new("mkfifo").arg(desk.path("fifo")).status();
    assert!(made.unwrap().success());
    let child = desk
        .command(&["convert", "fifo", "out.mp3"])
        .spawn()
        .unwrap();
    // SIGTERM is the last one that it comes to catch.
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let catches = || {
        let status = fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & 1 << 14 != 0
    };
    let began = Instant::now();
    while !catches() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it catches nothing"
        );
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(interrupt(child), Some(130));
    assert_eq!(desk.names(), ["fifo"]);
}

#[test]
fn a_signal_ends_it_also_while_nobody_reads_its_output() {
    let desk = Desk::with("sound.wav", &media::sound_with("wav", 10, &[]));
    let mut command = desk.command(&["convert", "sound.wav", "-", "--quality=320k"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    // Of 400 KB, far more than a pipe holds.
    let mut from = child.stdout.take().unwrap();
    from.read_exact(&mut [0]).unwrap();
    assert_eq!(interrupt(child), Some(130));
}
