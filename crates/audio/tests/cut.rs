//! Files that end too early, at twenty places each: where the container has sizes it says so, else what is there converts.

mod support;

use std::io::{Cursor, sink};

use decant_audio::media::{self, Container};
use decant_audio::{Error, Mp3, Pipe, convert};
use support::{assert_valid, decoder, mp3_of, titled};

const SECONDS: u32 = 2;

/// Half-way, every container has said what is in it.
const ENOUGH: usize = 10;

/// So much of a file is a quarter of its sound, or little more.
const TOO_LITTLE: usize = 5;

#[test]
fn a_file_cut_anywhere_is_truncated_where_its_container_has_sizes() {
    let fragmented = ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"];
    let video = |extension, arguments: &[&str]| media::clip_with(extension, SECONDS, arguments);
    let sound = |extension, arguments: &[&str]| media::sound_with(extension, SECONDS, arguments);
    for (name, file) in [
        ("mp4", media::clip(Container::Mp4, SECONDS)),
        (
            "mp4, index first",
            video("mp4", &["-c:a", "aac", "-movflags", "faststart"]),
        ),
        ("mp4, fragmented", video("mp4", &fragmented)),
        ("mov", media::clip(Container::Mov, SECONDS)),
        ("3gp", video("3gp", &["-c:v", "mpeg4", "-c:a", "aac"])),
        ("mkv", media::clip(Container::Mkv, SECONDS)),
        ("webm", media::clip(Container::Webm, SECONDS)),
        ("avi", media::clip(Container::Avi, SECONDS)),
        ("wmv", video("wmv", &["-c:v", "wmv2", "-c:a", "wmav2"])),
        ("wav", sound("wav", &[])),
        ("rf64", sound("wav", &["-rf64", "always"])),
        ("w64", sound("w64", &[])),
        ("aiff", sound("aiff", &[])),
        ("caf", sound("caf", &[])),
        ("au", sound("au", &[])),
    ] {
        let whole = file.len();
        assert!(mp3_of(file.clone()).is_ok(), "{name}");
        for place in 0..=20 {
            let cut = (whole * place / 20 + place % 7).min(whole - 1);
            let Err(error) = mp3_of(file[..cut].to_vec()) else {
                panic!("{name} at {cut} converts")
            };
            match error {
                Error::Truncated {
                    declared_bytes,
                    actual_bytes,
                } => {
                    assert_eq!(actual_bytes, cut as u64, "{name}");
                    assert!(
                        (cut as u64 + 1..=whole as u64).contains(&declared_bytes),
                        "{name} at {cut} of {whole}: {declared_bytes}"
                    );
                }
                // Before the sizes there is nothing to tell a container by.
                Error::Unreadable { .. } if place == 0 => {}
                error => panic!("{name} at {cut}: {error:?}"),
            }
        }
    }
}

#[test]
fn a_pipe_that_ends_too_early_is_truncated_where_its_container_has_sizes() {
    let video = |extension, arguments: &[&str]| media::clip_with(extension, SECONDS, arguments);
    let sound = |extension, arguments: &[&str]| media::sound_with(extension, SECONDS, arguments);
    let first = ["-c:a", "aac", "-movflags", "faststart"];
    let fragmented = ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"];
    for (name, file) in [
        ("mp4, index first", video("mp4", &first)),
        ("mp4, fragmented", video("mp4", &fragmented)),
        ("mkv", media::clip(Container::Mkv, SECONDS)),
        ("webm", media::clip(Container::Webm, SECONDS)),
        ("avi", media::clip(Container::Avi, SECONDS)),
        ("wmv", video("wmv", &["-c:v", "wmv2", "-c:a", "wmav2"])),
        ("wav", sound("wav", &[])),
        ("aiff", sound("aiff", &[])),
        ("au", sound("au", &[])),
    ] {
        let whole = file.len();
        piped(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        for place in 1..20 {
            let cut = whole * place / 20 + place % 7;
            match piped(&file[..cut]) {
                Err(Error::Truncated {
                    declared_bytes,
                    actual_bytes,
                }) => {
                    assert_eq!(actual_bytes, cut as u64, "{name}");
                    assert!(declared_bytes > actual_bytes, "{name} at {cut}");
                }
                made => panic!("{name} at {cut} of {whole}: {made:?}"),
            }
        }
    }
}

fn piped(file: &[u8]) -> Result<Mp3, Error> {
    let pipe = Pipe::new(Cursor::new(file));
    convert(
        pipe,
        &decoder(),
        &titled("A clip"),
        &mut sink(),
        &mut |_| {},
    )
}

#[test]
fn of_a_cut_file_without_sizes_what_is_there_converts() {
    let video = |extension, arguments: &[&str]| media::clip_with(extension, SECONDS, arguments);
    let sound = |extension, arguments: &[&str]| media::sound_with(extension, SECONDS, arguments);
    for (name, file) in [
        ("live webm", media::live_webm(SECONDS)),
        ("ts", video("ts", &["-c:a", "aac"])),
        ("mpg", video("mpg", &["-c:v", "mpeg1video", "-c:a", "mp2"])),
        (
            "flv",
            video(
                "flv",
                &["-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"],
            ),
        ),
        (
            "ogv",
            video(
                "ogv",
                &[
                    "-c:v",
                    "libtheora",
                    "-c:a",
                    "libvorbis",
                    "-page_duration",
                    "100000",
                ],
            ),
        ),
        (
            "mxf",
            video(
                "mxf",
                &["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
            ),
        ),
        ("mp3", sound("mp3", &[])),
        ("aac", sound("aac", &["-c:a", "aac"])),
        ("ac3", sound("ac3", &[])),
        ("flac", sound("flac", &[])),
        (
            "ogg",
            sound("ogg", &["-c:a", "libopus", "-page_duration", "100000"]),
        ),
    ] {
        let whole = file.len();
        let mut before = 0.0;
        for place in 0..20 {
            let cut = whole * place / 20 + place % 7;
            match mp3_of(file[..cut].to_vec()) {
                Ok((mp3, bytes)) => {
                    let seconds = mp3.duration.as_secs_f64();
                    if seconds > 0.5 {
                        assert_valid(&bytes); // mp3val doubts those of a few frames
                    }
                    assert!(
                        seconds >= before && seconds < f64::from(SECONDS) + 0.1,
                        "{name} at {cut}: {seconds} s after {before} s"
                    );
                    before = seconds;
                }
                Err(Error::Unreadable { .. } | Error::NoAudio) if place < ENOUGH => {}
                // Some say how long their sound is.
                Err(Error::TooLittleSound { heard, stated }) if place <= TOO_LITTLE => {
                    assert_eq!(stated.as_secs(), u64::from(SECONDS), "{name} at {cut}");
                    assert!(heard < stated / 4, "{name} at {cut}: {heard:?}");
                }
                Err(error) => panic!("{name} at {cut} of {whole}: {error:?}"),
            }
        }
        assert!(
            before > 0.75 * f64::from(SECONDS),
            "{name}: {before} s at the last place"
        );
    }
}
