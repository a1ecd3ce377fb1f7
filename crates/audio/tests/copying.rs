//! A track that is MP3 already comes out as it went in.

mod support;

use std::io::{Cursor, sink};
use std::time::Duration;

use decant_audio::media::{clip_with, ffmpeg, ffmpeg_from, sound_seconds, sound_with};
use decant_audio::{Error, Limits, Options, Progress, Quality, SampleRate, convert, probe};
use support::stand_in::{StandIn, message};
use support::{assert_valid, convert_within, decoder, film, hear, mp3_of, mp3_with, titled};

/// The frames of a file's first sound track as FFmpeg copies them, and nothing else.
fn frames(file: &[u8]) -> Vec<u8> {
    let copy = ["-map", "0:a:0", "-c", "copy", "-write_xing", "0"];
    let bare = [
        "-id3v2_version",
        "0",
        "-write_id3v1",
        "0",
        "-fflags",
        "+bitexact",
    ];
    ffmpeg_from(file, "mp3", &[&copy[..], &bare].concat())
}

/// A WAV whose sound is this stretch of MP3, whatever that is.
fn in_wav(mp3: &[u8], rate_hz: u32, channels: u16) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend((mp3.len() as u32 + 50).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(30_u32.to_le_bytes());
    wav.extend(0x55_u16.to_le_bytes());
    wav.extend(channels.to_le_bytes());
    wav.extend(rate_hz.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend([1, 0, 0, 0, 12, 0, 1, 0, 2, 0, 0, 0, 0x71, 5, 1, 0, 0x71, 5]);
    wav.extend(b"data");
    wav.extend((mp3.len() as u32).to_le_bytes());
    wav.extend(mp3);
    wav
}

/// MP3 without any tag.
fn bare(seconds: u32, more: &[&str]) -> Vec<u8> {
    let tagless = [
        "-c:a",
        "libmp3lame",
        "-write_xing",
        "0",
        "-id3v2_version",
        "0",
    ];
    sound_with("mp3", seconds, &[&tagless[..], more].concat())
}

fn is_encoded_by_us(mp3: &[u8]) -> bool {
    // LAME writes its version into the tag frame; a copy's says another or none.
    mp3[..1000].windows(9).any(|at| at == b"LAME3.100")
}

#[track_caller]
fn assert_copied(video: &[u8], what: &str) {
    let (made, mp3) = mp3_of(video.to_vec()).expect(what);
    assert_valid(&mp3);
    assert!(
        mp3[made.head.len()..] == frames(video),
        "{what}: other frames"
    );
    let heard = hear(&mp3);
    assert_eq!(u128::from(heard.rate_hz), u128::from(made.sample_rate_hz));
    let samples = heard.left.len() as u128 * 1_000_000_000;
    assert_eq!(
        made.duration.as_nanos(),
        samples / u128::from(heard.rate_hz),
        "{what}"
    );
    // Matroska knows the end, but counts the decoder's delay of 529 samples in.
    let more = (sound_seconds(video) - heard.seconds()) * f64::from(heard.rate_hz);
    let is_either = more.abs() < 2.0 || (more - 529.0).abs() < 2.0; // of 48 kHz, counted by another
    assert!(is_either, "{what}: {more} samples are missing");
}

#[test]
fn an_mp3_track_is_copied_frame_by_frame_out_of_every_container() {
    let lame = ["-c:a", "libmp3lame"];
    for (extension, video) in [
        ("mp4", &["-c:v", "libx264", "-preset", "ultrafast"][..]),
        ("mov", &["-c:v", "mpeg4"]),
        ("mkv", &["-c:v", "mpeg4"]),
        ("avi", &["-c:v", "mpeg4"]),
        ("flv", &["-c:v", "flv"]),
        ("ts", &["-c:v", "mpeg2video"]),
    ] {
        let video = clip_with(extension, 3, &[video, &lame].concat());
        assert_copied(&video, extension);
    }
}

/// FFmpeg has no format here that pictures of MPEG-2 are, and MP3 is the one that these come nearest to.
#[test]
fn pictures_that_look_like_mp3_are_not_taken_for_sound() {
    let picture = ["-f", "lavfi", "-i", "testsrc", "-f", "lavfi", "-i", "sine"];
    let codecs = ["-t", "5", "-c:v", "mpeg2video", "-c:a", "libmp3lame"];
    let video = ffmpeg("mpg", &[&picture[..], &codecs].concat());
    let found = probe(Cursor::new(&video), &decoder()).expect("it can be looked into");
    assert_eq!(found.tracks.len(), 1);
    assert_copied(&video, "mpg");
}

#[test]
fn every_rate_layout_and_bitrate_gets_a_tag_that_fits() {
    for (rate, channels, quality) in [
        ("44100", "2", ["-q:a", "0"]),
        ("48000", "1", ["-b:a", "320k"]),
        ("44100", "1", ["-b:a", "32k"]),
        ("32000", "2", ["-b:a", "128k"]),
        ("22050", "2", ["-q:a", "4"]),
        ("24000", "1", ["-b:a", "8k"]),
        ("8000", "1", ["-b:a", "16k"]),
    ] {
        let sound = ["-c:a", "libmp3lame", "-ar", rate, "-ac", channels];
        let video = sound_with("mkv", 2, &[&sound[..], &quality].concat());
        assert_copied(
            &video,
            &format!("{rate} Hz, {channels} channels, {quality:?}"),
        );
    }
}

#[test]
fn a_gapless_mp3_stays_gapless_to_the_sample_and_sounds_the_same() {
    let plain = sound_with("mp3", 4, &["-c:a", "libmp3lame", "-b:a", "192k"]);
    let source = hear(&plain);
    assert_eq!(source.left.len(), 4 * 44_100);
    // Once with the tag frame told apart by FFmpeg, once among the packets.
    for video in [
        plain.clone(),
        in_wav(&plain[id3_bytes(&plain)..], 44_100, 2),
    ] {
        let (_, mp3) = mp3_of(video).expect("it converts");
        assert_valid(&mp3);
        let copy = hear(&mp3);
        assert!(copy.left == source.left && copy.right == source.right);
    }
}

/// How long the tag before an MP3 is.
fn id3_bytes(mp3: &[u8]) -> usize {
    assert_eq!(&mp3[..3], b"ID3");
    let size = mp3[6..10]
        .iter()
        .fold(0, |size, byte| size << 7 | usize::from(*byte));
    10 + size
}

#[test]
fn what_a_copy_cannot_give_is_encoded_and_what_it_is_already_is_copied() {
    let stereo = sound_with("mkv", 2, &["-c:a", "libmp3lame", "-b:a", "96k"]);
    let mono = sound_with("mkv", 2, &["-c:a", "libmp3lame", "-b:a", "96k", "-ac", "1"]);
    let rate = |hz: u32| Some(SampleRate::try_from(hz).expect("one of the nine"));
    let plain = || titled("A clip");
    for (video, options, is_copied) in [
        (&stereo, plain(), true),
        (
            &stereo,
            Options {
                quality: Some(Quality::V4),
                ..plain()
            },
            false,
        ),
        (
            &stereo,
            Options {
                quality: Some(Quality::default()),
                ..plain()
            },
            false,
        ),
        (
            &stereo,
            Options {
                mono: true,
                ..plain()
            },
            false,
        ),
        (
            &mono,
            Options {
                mono: true,
                ..plain()
            },
            true,
        ),
        (
            &stereo,
            Options {
                sample_rate: rate(44_100),
                ..plain()
            },
            true,
        ),
        (
            &stereo,
            Options {
                sample_rate: rate(48_000),
                ..plain()
            },
            false,
        ),
    ] {
        let (made, mp3) = mp3_with(video.clone(), &options).expect("it converts");
        assert_valid(&mp3);
        assert_eq!(
            mp3[made.head.len()..] == frames(video),
            is_copied,
            "{options:?}"
        );
        assert_eq!(made.channels == 1, options.mono, "{options:?}");
        let wanted_hz = options.sample_rate.map_or(44_100, SampleRate::hz);
        assert_eq!(made.sample_rate_hz, wanted_hz, "{options:?}");
    }
}

#[test]
fn a_track_that_changes_in_the_middle_is_encoded_from_its_start() {
    let stereo = bare(2, &["-b:a", "128k"]);
    for (other, what) in [
        (bare(2, &["-b:a", "128k", "-ac", "1"]), "mono"),
        (bare(2, &["-b:a", "128k", "-ar", "48000"]), "another rate"),
    ] {
        let video = in_wav(&[&stereo[..], &other].concat(), 44_100, 2);
        let (made, mp3) = mp3_of(video.clone()).expect(what);
        assert_valid(&mp3);
        assert!(is_encoded_by_us(&mp3), "{what}");
        assert_eq!(made.sample_rate_hz, 44_100, "{what}");
        let apart = (hear(&mp3).seconds() - sound_seconds(&video)).abs();
        assert!(apart < 0.03, "{what}: {apart} s of difference");
    }
}

/// Frames of 320 kbit/s, more of them than are held back.
fn large(more: &[u8]) -> Vec<u8> {
    let piece = bare(20, &["-b:a", "320k"]);
    let pieces = (25 << 20) / piece.len() + 1;
    in_wav(&[&piece.repeat(pieces)[..], more].concat(), 44_100, 2)
}

#[test]
fn a_track_too_large_to_be_held_back_is_copied_or_encoded_just_as_well() {
    let video = large(&[]);
    let (made, mp3) = mp3_of(video.clone()).expect("it converts");
    assert!(mp3[made.head.len()..] == frames(&video));
    assert!(
        made.read_bytes > 2 * video.len() as u64,
        "{}",
        made.read_bytes
    );
    assert_valid(&mp3);

    let video = large(&bare(1, &["-ac", "1"]));
    let (_, mp3) = mp3_of(video).expect("it converts");
    assert!(is_encoded_by_us(&mp3));
}

/// How alike two drawings are: 1 for those that differ in their height alone.
fn correlation(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let mean = |points: &[u8]| {
        points.iter().map(|&point| f64::from(point)).sum::<f64>() / points.len() as f64
    };
    let (mean_one, mean_other) = (mean(one), mean(other));
    let mut sums = [0.0; 3];
    for (&a, &b) in one.iter().zip(other) {
        let (a, b) = (f64::from(a) - mean_one, f64::from(b) - mean_other);
        sums[0] += a * b;
        sums[1] += a * a;
        sums[2] += b * b;
    }
    sums[0] / (sums[1] * sums[2]).sqrt()
}

#[test]
fn a_copy_is_drawn_by_what_its_frames_say_of_themselves() {
    let film = film();
    let film = film.to_str().expect("a plain path");
    let whole = ["-i", film, "-map", "0:a:0", "-c:a", "libmp3lame"];
    let part = [
        "-ss",
        "440",
        "-t",
        "90",
        "-i",
        film,
        "-map",
        "0:a:0",
        "-c:a",
        "libmp3lame",
    ];
    for (source, how) in [
        (&whole[..], &["-q:a", "2"][..]),
        (&part, &["-b:a", "128k"]),
        (&part, &["-b:a", "320k"]),
        (&part, &["-b:a", "64k", "-ar", "22050"]),
        (&part, &["-b:a", "64k", "-ac", "1"]),
        (&part, &["-b:a", "192k", "-joint_stereo", "0"]),
    ] {
        let mp3 = ffmpeg("mp3", &[source, how].concat());
        let (copied, file) = mp3_of(mp3.clone()).expect("it is copied");
        assert!(!is_encoded_by_us(&file));
        let options = Options {
            quality: Some(Quality::K320),
            ..titled("Decoded")
        };
        let (decoded, _) = mp3_with(mp3, &options).expect("it is encoded");
        let (estimate, seen) = (&copied.waveform, &decoded.waveform);
        assert_eq!(seen.len(), 1000);
        let alike = correlation(estimate, seen);
        let height = |points: &[u8]| points.iter().map(|&point| f64::from(point)).sum::<f64>();
        let higher = height(estimate) / height(seen);
        println!("{how:?}: correlation {alike:.3}, {higher:.2} times as high");
        assert!(alike >= 0.8, "{how:?}: {alike}");
        assert!((0.5..2.0).contains(&higher), "{how:?}: {higher}");
    }
}

#[test]
fn a_copy_of_silence_is_drawn_flat() {
    let silence = ["-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", "3"];
    let mp3 = ffmpeg("mp3", &[&silence[..], &["-c:a", "libmp3lame"]].concat());
    let (made, _) = mp3_of(mp3).expect("it is copied");
    assert_eq!(made.waveform, [0; 1000]);
}

#[test]
fn a_recording_that_begins_in_the_middle_of_a_stream_is_copied_and_its_first_frame_is_silent() {
    let whole = bare(3, &["-b:a", "128k"]);
    // Frames of 417 or 418 bytes, of which the later ones lean on those before.
    let starts = (1..whole.len()).filter(|&at| whole[at..].starts_with(&[0xFF, 0xFB]));
    let leans = |at: &usize| whole[at + 4] > 0;
    let start = starts
        .clone()
        .filter(leans)
        .nth(5)
        .expect("one that leans on others");
    let video = in_wav(&whole[start..], 44_100, 2);
    let (made, mp3) = mp3_of(video.clone()).expect("it converts");
    assert_valid(&mp3);
    let (ours, theirs) = (&mp3[made.head.len()..], frames(&video));
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(ours[4..36], [0; 32]);
    let tail = ours.len() - 4 * 418;
    assert!(ours[ours.len() - tail..] == theirs[theirs.len() - tail..]);
    let heard = hear(&mp3);
    assert!(heard.tone(&heard.left, 440.0) > 0.25);
}

#[test]
fn progress_never_goes_back_and_ends_at_the_duration_also_where_a_copy_is_given_up() {
    let (stereo, mono) = (bare(4, &["-b:a", "128k"]), bare(1, &["-ac", "1"]));
    for (video, what) in [
        (sound_with("mp3", 4, &["-c:a", "libmp3lame"]), "a copy"),
        (in_wav(&[stereo, mono].concat(), 44_100, 2), "no copy"),
    ] {
        let mut seen = Vec::new();
        let mut see = |progress: Progress| seen.push(progress.position);
        let options = titled("A clip");
        let made = convert(
            Cursor::new(video),
            &decoder(),
            &options,
            &mut sink(),
            &mut see,
        );
        let made = made.expect(what);
        assert!(seen.len() >= 4 && seen.is_sorted(), "{what}: {seen:?}");
        assert_eq!(seen.last(), Some(&made.duration), "{what}");
    }
}

#[test]
fn a_copy_may_be_no_longer_than_a_sound_may_be() {
    let limits = Limits {
        sound: Duration::from_secs(2),
        ..Limits::default()
    };
    let made = convert_within(limits, sound_with("mkv", 4, &["-c:a", "libmp3lame"]));
    assert!(matches!(made, Err(Error::TooMuchSound(_))), "{made:?}");
}

#[test]
fn a_decoder_that_calls_anything_mp3_is_not_believed() {
    let copying = message(8, &[[0xFF; 8], [0; 8]].concat());
    let trim = |start: u32, end: u32| {
        let both = [start.to_le_bytes(), end.to_le_bytes()].concat();
        [message(10, &both), message(6, &[])].concat()
    };
    let frame: Vec<u8> = [&[0xFF, 0xFB, 0x90, 0x44][..], &[0; 413]].concat();
    let good = message(9, &frame.repeat(3));
    for (said, what) in [
        (message(9, &[7; 100]), "packets out of the blue"),
        (
            [copying.clone(), message(9, &[7; 5000])].concat(),
            "something else",
        ),
        ([copying.clone(), trim(0, 0)].concat(), "nothing"),
        (
            [copying.clone(), good.clone(), trim(1105, u32::MAX)].concat(),
            "no such end",
        ),
        (
            [copying.clone(), good.clone(), trim(3000, 3000)].concat(),
            "less than nothing",
        ),
        (
            [copying.clone(), good.clone(), message(6, &[])].concat(),
            "no ends",
        ),
        (
            [copying.clone(), good.clone(), message(11, &[])].concat(),
            "not a copy, twice",
        ),
    ] {
        let made = StandIn::saying(&said, "exec sleep 60").convert();
        let error = made.expect_err(what);
        assert_eq!(error.code(), "decoder-crashed", "{what}: {error}");
    }
    let said = [copying, good, trim(1105, 0)].concat();
    let made = StandIn::saying(&said, "exec sleep 60")
        .convert()
        .expect("three frames");
    let samples = 3 * 1152 - 1105;
    assert_eq!(
        made.duration,
        Duration::from_nanos(samples * 1_000_000_000 / 44_100)
    );
}
