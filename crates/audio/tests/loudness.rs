//! An MP3 has the loudness that was asked for: as FFmpeg's own meter, which is none of ours, hears it.

mod support;

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::process::Command;
use std::time::Duration;

use decant_audio::{Loudness, Options, Quality, convert, media};
use support::counting::Counting;
use support::wav::{tone, wav};
use support::{assert_valid, decoder, film, mp3_with, titled};

/// What an MP3 may be off its target.
const MOST_LU: f64 = 0.5;

/// Where every peak of the decoded MP3 has to stay.
const MOST_DBTP: f64 = -1.5;

/// Integrated loudness in LUFS and true peak in dBTP.
fn measured(file: &[u8]) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    std::fs::write(&path, file).expect("the file is written");
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-nostats", "-i"])
        .arg(&path)
        .args(["-af", "ebur128=peak=true", "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs: apt-get install ffmpeg");
    let words = String::from_utf8_lossy(&run.stderr);
    let (_, summary) = words.rsplit_once("Summary:").expect("a summary");
    let value = |name: &str| {
        let (_, after) = summary.split_once(name).expect("a value");
        let value = after.split_ascii_whitespace().next().expect("a number");
        value.parse().expect("a number")
    };
    (value("I:"), value("Peak:"))
}

fn at(target_lufs: f64) -> Options {
    Options {
        loudness: Some(Loudness {
            target_lufs,
            ..Loudness::default()
        }),
        ..titled("At its loudness")
    }
}

/// Converts, and says what FFmpeg hears.
fn heard(file: Vec<u8>, options: &Options) -> (f64, f64) {
    let (_, mp3) = mp3_with(file, options).expect("it converts");
    assert_valid(&mp3);
    measured(&mp3)
}

/// Some of the film, from and to second.
fn excerpt(from: &str, to: &str, extension: &str, arguments: &[&str]) -> Vec<u8> {
    let film = film();
    let film = film.to_str().expect("a plain path");
    let mut all = vec!["-ss", from, "-to", to, "-i", film, "-map", "0:a:0"];
    all.extend(arguments);
    media::ffmpeg(extension, &all)
}

#[test]
fn the_film_gets_the_loudness_that_is_asked_for() {
    for (from, to, extension, arguments, target) in [
        ("84", "104", "m4a", &["-c:a", "aac"][..], -23.0),
        ("448", "483", "wav", &[], -28.0),
        ("366", "386", "mp3", &["-ac", "1"], -34.0),
        ("520", "540", "wav", &["-ar", "22050"], -30.0),
    ] {
        let (lufs, peak) = heard(excerpt(from, to, extension, arguments), &at(target));
        println!("{from} s: {lufs} LUFS for {target}, {peak} dBTP");
        assert!(
            (lufs - target).abs() <= MOST_LU,
            "{from} s: {lufs} LUFS for {target}"
        );
        assert!(peak <= MOST_DBTP, "{from} s: {peak} dBTP");
    }
}

#[test]
fn that_lame_makes_low_bitrates_quieter_is_made_up_for() {
    let excerpt = excerpt("448", "468", "wav", &[]);
    for quality in [Quality::K128, Quality::K192, Quality::K320] {
        let options = Options {
            quality: Some(quality),
            ..at(-30.0)
        };
        let (lufs, _) = heard(excerpt.clone(), &options);
        println!("{quality}: {lufs} LUFS");
        assert!((lufs + 30.0).abs() <= 0.2, "{quality}: {lufs} LUFS");
    }
}

#[test]
fn loud_and_dynamic_sounds_are_limited_to_get_there_at_every_quality() {
    let excerpt = excerpt("84", "104", "wav", &[]);
    for quality in Quality::ALL {
        let options = Options {
            quality: Some(quality),
            ..at(-14.0)
        };
        let (lufs, peak) = heard(excerpt.clone(), &options);
        println!("{quality}: {lufs} LUFS, {peak} dBTP");
        assert!((lufs + 14.0).abs() <= MOST_LU, "{quality}: {lufs} LUFS");
        assert!(peak <= MOST_DBTP, "{quality}: {peak} dBTP");
    }
}

#[test]
fn the_whole_film_is_as_loud_as_podcasts_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("film.mp3");
    let mut file = File::create(&path).expect("it can be written");
    let film = File::open(film()).expect("the film opens");
    let made = convert(film, &decoder(), &at(-16.0), &mut file, &mut |_| {});
    let made = made.expect("it converts");
    let mut mp3 = std::fs::read(&path).expect("it can be read");
    mp3[..made.head.len()].copy_from_slice(&made.head);
    let (lufs, peak) = measured(&mp3);
    println!("{lufs} LUFS, {peak} dBTP");
    assert!((lufs + 16.0).abs() <= MOST_LU, "{lufs} LUFS");
    assert!(peak <= MOST_DBTP, "{peak} dBTP");
}

#[test]
fn what_cannot_be_so_loud_stays_below_with_its_peaks_where_they_may_be() {
    for (from, to) in [("84", "104"), ("448", "468")] {
        let (lufs, peak) = heard(excerpt(from, to, "wav", &[]), &at(-5.0));
        println!("{from} s: {lufs} LUFS, {peak} dBTP");
        assert!((-14.0..-5.5).contains(&lufs), "{lufs} LUFS");
        assert!((-3.0..=MOST_DBTP).contains(&peak), "{from} s: {peak} dBTP");
    }
}

#[test]
fn what_is_hardly_a_sound_is_made_louder_by_40_db_and_no_more() {
    let mut noise = 1_u32;
    let whisper = (0..5 * 44_100).map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(noise >> 8) / f64::from(1 << 23) - 1.0) as f32 / 1_000.0
    });
    let file = wav(44_100, &[whisper.collect()]);
    let (before, _) = measured(&file);
    let (lufs, _) = heard(file, &at(-16.0));
    println!("{before} LUFS before, {lufs} LUFS after");
    assert!(before < -58.0, "{before} LUFS");
    assert!(
        (lufs - before - 40.0).abs() <= MOST_LU,
        "{before}, {lufs} LUFS"
    );
}

#[test]
fn soft_and_loud_tones_become_alike() {
    for level in [0.01, 0.1, 1.0] {
        let tone: Vec<f32> = tone(44_100, 1_000.0, 5 * 44_100);
        let channel: Vec<f32> = tone.iter().map(|sample| sample * level).collect();
        let (lufs, peak) = heard(wav(44_100, &[channel.clone(), channel]), &at(-16.0));
        assert!((lufs + 16.0).abs() <= MOST_LU, "{level}: {lufs} LUFS");
        assert!(peak < -10.0, "{level}: {peak} dBTP");
    }
}

#[test]
fn only_the_part_that_is_left_is_measured_with_its_fades() {
    let loud = tone(44_100, 1_000.0, 5 * 44_100);
    let soft = loud.iter().map(|sample| sample / 30.0);
    let both: Vec<f32> = loud.iter().copied().chain(soft).collect();
    let options = Options {
        start: Duration::from_secs(6),
        fade: Duration::from_secs(1),
        ..at(-20.0)
    };
    let (lufs, _) = heard(wav(44_100, &[both]), &options);
    assert!((lufs + 20.0).abs() <= MOST_LU, "{lufs} LUFS");
}

#[test]
fn silence_and_blinks_stay_as_they_are() {
    for channel in [vec![0.0; 44_100], tone(44_100, 1_000.0, 44_100 / 3)] {
        let file = wav(44_100, &[channel]);
        let plain = mp3_with(file.clone(), &titled("At its loudness")).expect("it converts");
        let louder = mp3_with(file, &at(-16.0)).expect("it converts");
        assert!(plain.1 == louder.1);
    }
}

#[test]
fn two_passes_read_once_and_progress_goes_on() {
    let channel = tone(44_100, 1_000.0, 40 * 44_100);
    let mut file = Counting::new(wav(44_100, &[channel]));
    let bytes = file.file.get_ref().len() as u64;
    for encoders in [1, 2] {
        file.given_bytes = 0;
        let options = Options {
            encoders: NonZeroUsize::new(encoders),
            ..at(-16.0)
        };
        let mut parts = Vec::new();
        convert(
            &mut file,
            &decoder(),
            &options,
            &mut io::sink(),
            &mut |now| {
                let whole = now.duration.expect("a WAV says it");
                parts.push(now.position.as_secs_f64() / whole.as_secs_f64());
            },
        )
        .expect("it converts");
        assert!(parts.len() > 40 && parts.is_sorted(), "{parts:?}");
        assert!(parts[0] < 0.1, "{parts:?}");
        assert_eq!(parts.last(), Some(&1.0));
        assert!(
            file.given_bytes <= bytes * 101 / 100,
            "{} of {bytes} bytes",
            file.given_bytes
        );
    }
}
