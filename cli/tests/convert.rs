//! `decant convert` and `decant probe`, from outside.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use decant_audio::media::{self, Container};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A folder of files, and the command in it.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_decant"));
        let decoder = program.with_file_name("decant-decode");
        assert!(
            decoder.is_file(),
            "there is no {} yet: run ./test, or `cargo build --workspace --bins` first",
            decoder.display()
        );
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn with(name: &str, content: &[u8]) -> Self {
        let desk = Self::new();
        desk.put(name, content);
        desk
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_decant"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env_remove("DECANT_DECODER");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// With `input` coming through a pipe.
    fn pipe(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                // It may have seen enough.
                let _ended = to.write_all(input);
            });
            child.wait_with_output().unwrap()
        })
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn succeeds(output: Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[track_caller]
fn fails(output: Output, status: i32, says: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(says), "{said}");
    assert!(output.stdout.is_empty());
}

/// What ffprobe says of a file, one `key=value` per line.
fn ffprobe(file: &Path) -> String {
    let entries = "format=duration:format_tags:stream=codec_name,sample_rate,channels,bit_rate";
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            entries,
            "-of",
            "default=noprint_wrappers=1",
        ])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8(probed.stdout).unwrap()
}

#[test]
fn a_video_becomes_an_mp3_as_the_flags_want_it() {
    let desk = Desk::with("Ferien.mp4", &media::clip(Container::Mp4, 2));
    let jpeg = media::ffmpeg(
        "jpg",
        &["-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1"],
    );
    desk.put("cover.jpg", &jpeg);
    let printed = succeeds(desk.run(&["convert", "Ferien.mp4", "plain.mp3"]));
    assert!(printed.is_empty());
    let plain = ffprobe(&desk.path("plain.mp3"));
    for line in [
        "TAG:title=Ferien\n",
        "codec_name=mp3\n",
        "channels=2\n",
        "sample_rate=44100\n",
    ] {
        assert!(plain.contains(line), "{line}: {plain}");
    }

    let wishes = [
        "--quality=128k",
        "--mono",
        "--sample-rate=32000",
        "--title=Köln 🎧",
        "--artist=Jörg",
        "--album=Füße",
        "--year=1999",
        "--comment=na so was",
        "--cover=cover.jpg",
        "--encoders=1",
    ];
    let arguments = [
        &["convert", "Ferien.mp4", "wished.mp3", "--json"][..],
        &wishes,
    ]
    .concat();
    let printed = succeeds(desk.run(&arguments));
    let wished = ffprobe(&desk.path("wished.mp3"));
    for line in [
        "codec_name=mp3\n",
        "codec_name=mjpeg\n",
        "sample_rate=32000\n",
        "channels=1\n",
        "bit_rate=128000\n",
        "TAG:title=Köln 🎧\n",
        "TAG:artist=Jörg\n",
        "TAG:album=Füße\n",
        "TAG:date=1999\n",
        "TAG:comment=na so was\n",
    ] {
        assert!(wished.contains(line), "{line}: {wished}");
    }
    let json: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(json["output"], "wished.mp3");
    assert_eq!(json["size_bytes"], desk.read("wished.mp3").len());
    assert_eq!(
        (&json["channels"], &json["sample_rate_hz"]),
        (&1.into(), &32_000.into())
    );
    let seconds = json["duration_seconds"].as_f64().unwrap();
    assert!((seconds - 2.0).abs() < 0.1, "{seconds}");
    assert_eq!(
        desk.names(),
        ["Ferien.mp4", "cover.jpg", "plain.mp3", "wished.mp3"]
    );
}

#[test]
fn pipes_on_both_sides_make_the_same_mp3_as_files() {
    let desk = Desk::new();
    for (extension, arguments) in [
        ("mkv", &["-c:v", "mpeg4", "-c:a", "libvorbis"][..]),
        (
            "webm",
            &["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"],
        ),
        ("ts", &["-c:v", "mpeg2video", "-c:a", "mp2"]),
        ("flv", &["-c:v", "flv", "-c:a", "aac"]),
        (
            "mp4",
            &["-c:v", "mpeg4", "-c:a", "aac", "-movflags", "+faststart"],
        ),
        (
            "mp4",
            &[
                "-c:v",
                "mpeg4",
                "-c:a",
                "aac",
                "-movflags",
                "+frag_keyframe+empty_moov",
            ],
        ),
        ("avi", &["-c:v", "mpeg4", "-c:a", "ac3"]),
    ] {
        let name = format!("clip.{extension}");
        desk.put(&name, &media::clip_with(extension, 3, arguments));
        same_through_pipes(&desk, &name);
    }
    for extension in ["wav", "flac", "ogg"] {
        let name = format!("sound.{extension}");
        desk.put(&name, &media::sound_with(extension, 3, &[]));
        same_through_pipes(&desk, &name);
    }
}

#[test]
fn an_mp3_through_a_pipe_keeps_at_most_the_padding_at_its_end() {
    let desk = Desk::with("sound.mp3", &media::sound_with("mp3", 3, &[]));
    let arguments = ["convert", "-", "out.mp3", "--json"];
    let printed = succeeds(desk.pipe(&arguments, &desk.read("sound.mp3")));
    let json: Value = serde_json::from_slice(&printed).unwrap();
    let seconds = json["duration_seconds"].as_f64().unwrap();
    // FFmpeg takes the padding away only where it knows how large the file is.
    assert!((3.0..3.03).contains(&seconds), "{seconds}");
}

fn same_through_pipes(desk: &Desk, name: &str) {
    succeeds(desk.run(&["convert", name, "out.mp3", "--force", "--title=T"]));
    let piped = succeeds(desk.pipe(&["convert", "-", "-", "--title=T"], &desk.read(name)));
    assert!(
        piped == desk.read("out.mp3"),
        "{name}: {} bytes",
        piped.len()
    );
}

#[test]
fn a_pipe_that_is_to_be_read_twice_is_kept() {
    let desk = Desk::with("clip.mp4", &media::clip(Container::Mp4, 2));
    let wishes = ["--loudness=-20", "--title=T"];
    succeeds(desk.run(&[&["convert", "clip.mp4", "out.mp3"][..], &wishes].concat()));
    let arguments = [&["convert", "-", "-"][..], &wishes].concat();
    let piped = succeeds(desk.pipe(&arguments, &desk.read("clip.mp4")));
    assert!(piped == desk.read("out.mp3"));
}

#[test]
fn a_file_as_standard_input_can_seek() {
    let desk = Desk::with("clip.mp4", &media::clip(Container::Mp4, 1));
    let mut command = desk.command(&["convert", "-", "out.mp3"]);
    let file = File::open(desk.path("clip.mp4")).unwrap();
    succeeds(command.stdin(file).output().unwrap());
    assert!(ffprobe(&desk.path("out.mp3")).contains("codec_name=mp3"));
}

#[test]
fn an_mp4_with_its_index_last_is_refused_by_pipes_before_all_of_it_is_read() {
    let desk = Desk::new();
    let mp4 = media::clip(Container::Mp4, 1);
    fails(
        desk.pipe(&["convert", "-", "-"], &mp4),
        3,
        "its index comes last",
    );
    fails(desk.pipe(&["probe", "-"], &mp4), 3, "its index comes last");
    // The rest never comes.
    let mut command = desk.command(&["convert", "-", "out.mp3"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(&mp4[..1000]).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(desk.names().is_empty());
}

#[test]
fn what_is_there_is_overwritten_only_by_force() {
    let desk = Desk::with("clip.mp4", &media::clip(Container::Mp4, 1));
    desk.put("out.mp3", b"dear old song");
    fails(desk.run(&["convert", "clip.mp4", "out.mp3"]), 1, "--force");
    assert_eq!(desk.read("out.mp3"), b"dear old song");
    desk.put("text.mp4", &media::text_file());
    fails(
        desk.run(&["convert", "text.mp4", "out.mp3", "--force"]),
        3,
        "can't be read",
    );
    assert_eq!(desk.read("out.mp3"), b"dear old song");
    succeeds(desk.run(&["convert", "clip.mp4", "out.mp3", "--force"]));
    assert!(desk.read("out.mp3").starts_with(b"ID3"));
    fails(
        desk.run(&["convert", "clip.mp4", "/dev/null", "--force"]),
        1,
        "is no file",
    );
    assert_eq!(desk.names(), ["clip.mp4", "out.mp3", "text.mp4"]);
}

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
        "no/such/folder.mp3",
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
        ("--quality=best", "a quality is one of"),
        ("--start=1:2", "a time is written"),
        ("--loudness=3", "a loudness is from"),
        ("--track=0", "a track is a number"),
        ("--sample-rate=1", "a sample rate is one of"),
        ("--year=99", "four digits"),
        ("--cover=gif.jpg", "JPEG or PNG"),
        ("--cover=missing.jpg", "No such file"),
        ("--end=0", "the end must come after the start"),
        ("--fade=40", "at most 30 seconds"),
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

#[test]
fn a_probe_prints_what_it_found() {
    let desk = Desk::new();
    let words = [
        "-metadata",
        "title=Köln 🎧",
        "-metadata:s:a:0",
        "language=deu",
        "-metadata",
        "date=2021",
    ];
    let arguments = [&["-c:v", "mpeg4", "-c:a", "aac"][..], &words].concat();
    desk.put("clip.mkv", &media::clip_with("mkv", 2, &arguments));
    let printed = String::from_utf8(succeeds(desk.run(&["probe", "clip.mkv"]))).unwrap();
    for line in [
        "container  matroska,webm\n",
        "track 1    aac, stereo, 44100 Hz, deu, default\n",
        "title      Köln 🎧\n",
        "year       2021\n",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }

    let printed = succeeds(desk.pipe(&["probe", "-", "--json"], &desk.read("clip.mkv")));
    let json: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(json["tracks"][0]["language"], "deu");
    assert_eq!(json["tracks"][0]["default"], true);
    assert_eq!(json["tags"]["title"], "Köln 🎧");
    assert_eq!(json["tags"]["cover"], Value::Null);
    assert!((json["duration_seconds"].as_f64().unwrap() - 2.0).abs() < 0.1);
    assert_eq!(json["chapters"], Value::Array(vec![]));

    desk.put("text.mp4", &media::text_file());
    let failed = desk.run(&["probe", "text.mp4", "--json"]);
    assert_eq!(failed.status.code(), Some(3));
    let json: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(json["error"]["code"], "unreadable");
}
