//! Every container and codec of the table, made by the `ffmpeg` command, sounds the same after the conversion.
//!
//! The judge is the command's own decode of the same file: the MP3 has its length and, channel by channel, its sound. How
//! well the file's codec kept the sound that went into it is not judged.

mod judge;
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use judge::{Clip, judge};
use table::{CLIPS, MAY_BE_LACKING, NEVER_SEEN, NEVER_SEEN_DEMUXERS, Row, SOUNDS, VIDEOS};

/// What came of the table.
#[derive(Default)]
struct Tally {
    passed: usize,
    not_seen: Vec<String>,
    failed: Vec<String>,
}

#[test]
fn each_container_and_codec_sounds_after_the_conversion_as_before_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let encoders = encoders();
    judge::write_sound(&folder.path().join("sound.wav"));

    let rows = Mutex::new(VIDEOS.iter().chain(SOUNDS).enumerate());
    let tally = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let row = rows.lock().expect("no panic").next();
                    let Some((number, row)) = row else { break };
                    let clip = folder.path().join(number.to_string());
                    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                        try_row(row, &encoders, folder.path(), &clip)
                    }));
                    let mut tally = tally.lock().expect("no panic");
                    match outcome {
                        Ok(Ok(true)) => tally.passed += 1,
                        Ok(Ok(false)) => tally.not_seen.push(row.name()),
                        Ok(Err(reason)) => tally.failed.push(format!("{}: {reason}", row.name())),
                        Err(_) => tally.failed.push(format!("{}: it panics", row.name())),
                    }
                }
            });
        }
    });

    let mut tally = tally.into_inner().expect("no panic");
    for (name, codec, bytes) in CLIPS {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("the clip is written");
        match judge(&Clip { path: &path, codec }) {
            Ok(()) => tally.passed += 1,
            Err(reason) => tally.failed.push(format!("{name}: {reason}")),
        }
    }
    report(&tally);
    assert!(tally.failed.is_empty(), "{:#?}", tally.failed);
}

/// Whether the row was seen, and why it doesn't hold.
fn try_row(
    row: &Row,
    encoders: &BTreeSet<String>,
    folder: &Path,
    clip: &Path,
) -> Result<bool, String> {
    if !encoders.contains(row.encoder) {
        return if MAY_BE_LACKING.contains(&row.encoder) {
            Ok(false)
        } else {
            Err(format!("this ffmpeg has no encoder {}", row.encoder))
        };
    }
    let sound = ["-i".into(), folder.join("sound.wav").into_os_string()];
    table::make(row, &sound, judge::SECONDS, clip)?;
    let judged = judge(&Clip {
        path: clip,
        codec: row.codec,
    });
    fs::remove_file(clip).map_err(|error| error.to_string())?;
    judged.map(|()| true)
}

/// Past the test's own capture of what is printed: nobody may take what wasn't seen for passed.
fn report(tally: &Tally) {
    let lines = format!(
        "formats: {} passed, {} failed, {} not seen for want of an encoder: {}\n\
         formats: built in and never seen: {}\n",
        tally.passed,
        tally.failed.len(),
        tally.not_seen.len(),
        tally.not_seen.join(", "),
        [NEVER_SEEN, NEVER_SEEN_DEMUXERS].concat().join(", "),
    );
    io::stderr()
        .write_all(lines.as_bytes())
        .expect("a terminal");
}

/// The names of those that the command has.
fn encoders() -> BTreeSet<String> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-encoders"])
        .output()
        .expect("ffmpeg runs: apt-get install ffmpeg");
    let list = String::from_utf8_lossy(&run.stdout);
    list.lines()
        .filter_map(|line| {
            Some(
                line.strip_prefix(" A")?
                    .split_whitespace()
                    .nth(1)?
                    .to_owned(),
            )
        })
        .collect()
}

/// A list of `scripts/native-libs`.
fn built(list: &str) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/native-libs");
    let script = fs::read_to_string(script).expect("the script");
    let names = script.lines().find_map(|line| line.strip_prefix(list));
    names
        .expect("a list")
        .split(',')
        .map(|name| name.trim_matches('\'').to_owned())
        .collect()
}

#[test]
fn each_decoder_that_is_built_in_is_in_the_table_or_among_those_that_are_never_seen() {
    for decoder in built("ffmpeg_decoders=") {
        let codec = match decoder.as_str() {
            "dca" => "dts",
            "amrnb" => "amr_nb",
            "amrwb" => "amr_wb",
            "mp2float" => "mp2",
            "mp3float" => "mp3",
            name => name,
        };
        let family = codec.strip_suffix('*');
        let is_of = |row: &Row| family.map_or(row.codec == codec, |of| row.codec.starts_with(of));
        let in_table = VIDEOS.iter().chain(SOUNDS).any(is_of);
        assert_ne!(in_table, NEVER_SEEN.contains(&codec), "{decoder}");
    }
}

#[test]
fn each_demuxer_that_is_built_in_is_in_the_table_or_among_those_that_are_never_seen() {
    for demuxer in built("ffmpeg_demuxers=") {
        let formats: &[&str] = match demuxer.as_str() {
            "aac" => &["adts"],
            "loas" => &["latm"],
            "mov" => &["mp4", "mov", "ipod", "3gp"],
            "mpegps" => &["mpeg", "vob"],
            name => &[name],
        };
        let in_table = VIDEOS
            .iter()
            .chain(SOUNDS)
            .any(|row| formats.contains(&row.format));
        assert_ne!(
            in_table,
            NEVER_SEEN_DEMUXERS.contains(&demuxer.as_str()),
            "{demuxer}"
        );
    }
}
