//! How much memory a conversion takes: each runs in a process of its own, whose peak the system knows.

mod support;

use std::fs;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::process::Command;
use std::time::{Duration, Instant};

use decant_audio::media::{self, Container};
use decant_audio::{Loudness, Options, convert};
use support::flac::{Flac, Frame};
use support::{Full, decoder, mp3_of};

/// 64 MB, of which two segments in the making take up to 36.
const MOST_KIB: u64 = 64_000_000 / 1024;

/// The address space that the decoder gets here, about three times what it starts with: it says so when it has too little.
const MOST_DECODER_BYTES: u64 = 32 << 20;

/// What `convert` said of a file: the seconds of its MP3 or the error, and the peak of its process.
struct Outcome {
    said: String,
    peak_kib: u64,
}

/// Where a child finds its file. Without it the child's half is no test.
const FILE: &str = "DECANT_TEST_FILE";

/// What a child is to be asked for: words that name it.
const ASKED: &str = "DECANT_TEST_ASKED";

fn asked_for(what: &str) -> bool {
    std::env::var(ASKED).is_ok_and(|asked| asked.contains(what))
}

#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let file = fs::File::open(path).expect("the file is there");
    let mut decoder = decoder();
    decoder.limits.memory_bytes = MOST_DECODER_BYTES;
    let options = Options {
        encoders: NonZeroUsize::new(2),
        fade: if asked_for("fade") {
            Options::MAX_FADE
        } else {
            Duration::ZERO
        },
        loudness: asked_for("loudness").then(Loudness::default),
        ..Options::default()
    };
    let said = match convert(file, &decoder, &options, &mut std::io::sink(), &mut |_| {}) {
        Ok(mp3) => format!("{} s", mp3.duration.as_secs()),
        Err(error) => format!("{}: {error}", error.code()),
    };
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|peak| peak.strip_suffix("kB"))
        .expect("a peak");
    println!("\nsaid={said}\npeak={}", peak.trim());
}

fn convert_apart(file: &[u8]) -> Outcome {
    convert_as_asked(file, "nothing")
}

fn convert_as_asked(file: &[u8], asked: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    fs::write(&path, file).expect("the file is written");
    let run = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--nocapture"])
        .env(FILE, &path)
        .env(ASKED, asked)
        .output()
        .expect("this test runs");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{output}");
    let line = |name| {
        let found = output.lines().find_map(|line| line.strip_prefix(name));
        found.expect("the child says it").to_owned()
    };
    Outcome {
        said: line("said="),
        peak_kib: line("peak=").parse().expect("a number"),
    }
}

fn assert_small(outcome: &Outcome) {
    let Outcome { said, peak_kib } = outcome;
    assert!(*peak_kib < MOST_KIB, "{peak_kib} KiB: {said}");
}

/// 8-bit mono of `bytes` samples, of which each lasts a second at 1 Hz.
fn wav(rate_hz: u32, bytes: u32) -> Vec<u8> {
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate_hz.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend(b"\x01\0\x08\0data");
    file.extend(bytes.to_le_bytes());
    file.extend((0..bytes).map(|n| n as u8));
    file
}

#[test]
fn an_ordinary_clip_takes_less_than_a_quarter_of_what_is_allowed() {
    let outcome = convert_apart(&media::clip(Container::Mp4, 2));
    assert_eq!(outcome.said, "2 s");
    assert!(outcome.peak_kib < MOST_KIB / 4, "{} KiB", outcome.peak_kib);
}

#[test]
fn the_length_of_a_sound_makes_no_difference() {
    let [five, twenty] = [5, 20].map(|minutes| {
        let mut file = Flac::new(48_000, 48_000);
        for _ in 0..minutes * 60 {
            file.push(Frame {
                rate_hz: 48_000,
                samples: 48_000,
            });
        }
        let outcome = convert_apart(&file.finish());
        assert_eq!(outcome.said, format!("{} s", minutes * 60));
        assert_small(&outcome);
        outcome.peak_kib
    });
    assert!(twenty < five + 8 * 1024, "{five} KiB, {twenty} KiB");
}

#[test]
fn neither_fades_nor_a_loudness_take_more_than_there_is() {
    let tones = media::sound_with("wav", 150, &[]); // 26 MB
    for asked in ["fade", "loudness", "fade and loudness"] {
        let outcome = convert_as_asked(&tones, asked);
        println!("{asked}: {} KiB", outcome.peak_kib);
        assert_eq!(outcome.said, "150 s");
        assert_small(&outcome);
    }
}

#[test]
fn a_wav_of_one_hertz_is_refused_before_it_grows() {
    let outcome = convert_apart(&wav(1, 4096));
    assert!(
        outcome.said.starts_with("unsupported-codec:") && outcome.said.contains("(pcm_u8, 1 Hz)"),
        "{}",
        outcome.said
    );
    assert_small(&outcome);
}

#[test]
fn a_flac_of_one_hertz_is_refused_before_it_grows() {
    for samples in [30_000, u16::MAX] {
        let mut file = Flac::new(1, samples);
        for _ in 0..600 {
            file.push(Frame {
                rate_hz: 1,
                samples,
            });
        }
        let outcome = convert_apart(&file.finish());
        assert!(
            outcome.said.starts_with("unsupported-codec:") && outcome.said.contains("(flac, 1 Hz)"),
            "{}",
            outcome.said
        );
        assert_small(&outcome);
    }
}

#[test]
fn rates_from_one_to_768_kilohertz_convert() {
    for (rate_hz, is_taken) in [
        (999, false),
        (1_000, true),
        (768_000, true),
        (768_001, false),
    ] {
        let outcome = convert_apart(&wav(rate_hz, rate_hz * 2));
        assert_eq!(
            outcome.said == "2 s",
            is_taken,
            "{rate_hz}: {}",
            outcome.said
        );
        assert_small(&outcome);
    }
}

/// The first frame settles 48 kHz, so each later sample becomes 48.
#[test]
fn the_longest_frames_at_the_lowest_rate_go_through_in_slices() {
    let mut file = Flac::new(48_000, u16::MAX);
    file.push(Frame {
        rate_hz: 48_000,
        samples: u16::MAX,
    });
    file.push(Frame {
        rate_hz: 1_000,
        samples: u16::MAX,
    });
    let outcome = convert_apart(&file.finish());
    assert_eq!(outcome.said, "66 s");
    assert_small(&outcome);
}

#[test]
fn a_frame_of_millions_of_samples_is_hopeless() {
    let file = media::sound_with(
        "mkv",
        60,
        &["-af", "asetnsamples=n=2000000", "-c:a", "pcm_s16le"],
    );
    let outcome = convert_apart(&file);
    assert!(
        outcome.said.starts_with("too-much-memory:"),
        "{}",
        outcome.said
    );
    let error = mp3_of(file).expect_err("FFmpeg refuses it where there is room");
    assert_eq!(error.code(), "unreadable");
}

#[test]
fn a_full_output_stops_a_small_file_that_makes_hours_of_sound() {
    let mut file = Flac::new(1_000, u16::MAX);
    for _ in 0..2_000 {
        file.push(Frame {
            rate_hz: 1_000,
            samples: u16::MAX,
        });
    }
    let file = file.finish(); // 36 hours in 32 KB
    assert!(file.len() < 40_000, "{}", file.len());
    let started = Instant::now();
    let result = convert(
        Cursor::new(file),
        &decoder(),
        &Options::default(),
        &mut Full(100_000),
        &mut |_| {},
    );
    assert!(matches!(result, Err(decant_audio::Error::Output(_))));
    assert!(started.elapsed() < Duration::from_secs(10));
}
