//! What is asked for beyond an MP3 of all of it: a part, a fade, another track, and what it looks like.

mod support;

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use decant_audio::media;
use decant_audio::{Error, Options, Track, convert};
use support::counting::Counting;
use support::wav::{tone, wav};
use support::{assert_valid, decoder, hear, mp3_with, titled};

const RATE_HZ: u32 = 44_100;

/// A tone for each ear.
fn stereo(samples: usize) -> [Vec<f32>; 2] {
    [tone(RATE_HZ, 440.0, samples), tone(RATE_HZ, 660.0, samples)]
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The time of a sample.
fn at(sample: usize) -> Duration {
    seconds(sample as f64 / f64::from(RATE_HZ))
}

fn mp3_of(channels: &[Vec<f32>], options: &Options) -> Vec<u8> {
    mp3_with(wav(RATE_HZ, channels), options)
        .expect("it converts")
        .1
}

#[test]
fn a_part_is_what_one_gets_of_just_those_samples() {
    for (samples, start, end) in [
        (100_000, 0, Some(50_000)),
        (100_000, 1, Some(99_999)),
        (100_000, 33_333, None),
        (100_000, 16_384, Some(32_768)),
        (100_000, 99_999, None),
        (100_000, 50_000, Some(1_000_000)),
        (35 * 44_100, 44_101, Some(33 * 44_100 + 7)),
    ] {
        let channels = stereo(samples);
        let options = Options {
            start: at(start),
            end: end.map(at),
            encoders: NonZeroUsize::new(2),
            ..titled("A part")
        };
        let part = mp3_of(&channels, &options);
        let left = start..end.unwrap_or(samples).min(samples);
        let parts = channels.map(|channel| channel[left.clone()].to_vec());
        let options = Options {
            encoders: NonZeroUsize::new(2),
            ..titled("A part")
        };
        assert!(
            part == mp3_of(&parts, &options),
            "{start}..{end:?} of {samples}"
        );
    }
}

#[test]
fn parts_are_counted_in_samples_of_the_mp3_whatever_the_source() {
    let video = media::clip_with("mp4", 3, &["-c:a", "aac", "-ar", "48000"]);
    for rate_hz in [48_000, 22_050] {
        let options = Options {
            sample_rate: Some(rate_hz.try_into().expect("one of the nine")),
            start: seconds(0.5),
            end: Some(seconds(2.2)),
            ..titled("A part")
        };
        let (mp3, file) = mp3_with(video.clone(), &options).expect("it converts");
        assert_eq!(mp3.duration, seconds(1.7));
        assert_eq!(hear(&file).left.len(), rate_hz as usize * 17 / 10);
    }
}

#[test]
fn a_start_at_or_after_the_end_of_the_sound_leaves_nothing() {
    for start in [100_000, 100_001, 10_000_000] {
        let options = Options {
            start: at(start),
            ..titled("Nothing")
        };
        let error =
            mp3_with(wav(RATE_HZ, &stereo(100_000)), &options).expect_err("nothing is left");
        assert!(matches!(error, Error::NothingLeft(_)), "{error:?}");
        assert!(error.is_hopeless());
        assert_eq!(error.code(), "nothing-left");
        assert!(
            error.to_string().contains("is 2.27 seconds long"),
            "{error}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_read() {
    let options = Options {
        start: seconds(2.0),
        end: Some(seconds(1.0)),
        ..titled("Nothing")
    };
    let error = mp3_with(vec![], &options).expect_err("it can't be");
    assert!(matches!(error, Error::NotAnOption(_)), "{error:?}");
    assert!(error.is_hopeless() && error.to_string().contains("after the start"));
}

#[test]
fn nothing_is_read_far_beyond_the_end_and_progress_is_that_of_the_part() {
    let ten_minutes = [vec![0.0; 8_000 * 600]];
    let mut file = Counting::new(wav(8_000, &ten_minutes));
    let options = Options {
        start: seconds(1.0),
        end: Some(seconds(60.0)),
        ..Options::default()
    };
    let mut last = None;
    let mp3 = convert(
        &mut file,
        &decoder(),
        &options,
        &mut io::sink(),
        &mut |now| {
            last = Some(now);
        },
    );
    assert_eq!(mp3.expect("it converts").duration, seconds(59.0));
    let last = last.expect("progress");
    assert_eq!(last.position, seconds(59.0));
    assert_eq!(last.duration, Some(seconds(59.0)));
    // A minute is 2 MB of 19. The decoder works ahead as far as its pipe goes.
    assert!(file.given_bytes < 4_000_000, "{} bytes", file.given_bytes);
}

/// A fade in the plainest words.
fn faded(channel: &[f32], fade: usize) -> Vec<f32> {
    let fade = fade.min(channel.len() / 2);
    let mut faded = channel.to_vec();
    for n in 0..fade {
        let factor = (n as f64 / fade as f64) as f32;
        faded[n] *= factor;
        faded[channel.len() - 1 - n] *= factor;
    }
    faded
}

#[test]
fn both_ends_fade_by_the_sample_however_long_the_sound_is() {
    for (samples, start, end, fade) in [
        (100_000, 0, None, 10_000),
        (100_000, 0, None, 80_000),
        (100_000, 12_345, Some(77_777), 30_000),
        (100_000, 12_345, Some(1_000_000), 1),
        (33 * 44_100, 0, None, 12 * 44_100),
        (33 * 44_100, 0, None, 30 * 44_100),
    ] {
        let channels = stereo(samples);
        let options = Options {
            start: at(start),
            end: end.map(at),
            fade: at(fade),
            encoders: NonZeroUsize::new(2),
            ..titled("A fade")
        };
        let made = mp3_of(&channels, &options);
        let left = start..end.unwrap_or(samples).min(samples);
        let by_hand = channels.map(|channel| faded(&channel[left.clone()], fade));
        let options = Options {
            encoders: NonZeroUsize::new(2),
            ..titled("A fade")
        };
        assert!(made == mp3_of(&by_hand, &options), "{fade} of {samples}");
    }
}

/// Three tracks, 300, 500 and 700 Hz: English, German, and one that doesn't say. The second is the default.
fn three_tracks(extension: &str) -> Vec<u8> {
    let tones = ["sine=300:d=2", "sine=500:d=2", "sine=700:d=2"];
    let mut arguments = vec!["-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:d=2"];
    for tone in tones {
        arguments.extend(["-f", "lavfi", "-i", tone]);
    }
    arguments.extend(["-map", "1:a", "-map", "0:v", "-map", "2:a", "-map", "3:a"]);
    arguments.extend(["-c:v", "mpeg4", "-c:a", "aac"]);
    arguments.extend([
        "-metadata:s:a:0",
        "language=eng",
        "-metadata:s:a:1",
        "language=ger",
    ]);
    arguments.extend(["-disposition:a:0", "0", "-disposition:a:1", "default"]);
    media::ffmpeg(extension, &arguments)
}

fn track_of(video: &[u8], track: Option<Track>) -> Result<f64, Error> {
    let options = Options {
        track,
        ..titled("A track")
    };
    let (_, file) = mp3_with(video.to_vec(), &options)?;
    let heard = hear(&file);
    let loudest = [300.0, 500.0, 700.0]
        .into_iter()
        .max_by(|&a, &b| f64::total_cmp(&heard.tone(&heard.left, a), &heard.tone(&heard.left, b)));
    Ok(loudest.expect("three of them"))
}

fn language(code: &str) -> Option<Track> {
    Some(Track::Language(code.to_owned()))
}

#[test]
fn a_track_is_chosen_by_number_or_language_or_by_the_container() {
    for extension in ["mkv", "mp4", "ts"] {
        let video = three_tracks(extension);
        let heard = |track| track_of(&video, track).expect("it converts");
        for (number, hz) in [(1, 300.0), (2, 500.0), (3, 700.0)] {
            assert_eq!(heard(Some(Track::Number(number))), hz, "{extension}");
        }
        for (code, hz) in [
            ("en", 300.0),
            ("eng", 300.0),
            ("de", 500.0),
            ("deu", 500.0),
            ("ger", 500.0),
        ] {
            assert_eq!(heard(language(code)), hz, "{extension} {code}");
        }
        if extension != "ts" {
            assert_eq!(heard(None), 500.0, "{extension}");
        }
    }
}

#[test]
fn a_track_that_there_is_not_is_hopeless_and_the_others_are_named() {
    for extension in ["mkv", "mp4"] {
        let video = three_tracks(extension);
        for track in [
            Some(Track::Number(4)),
            Some(Track::Number(u32::MAX)),
            language("fr"),
        ] {
            let error = track_of(&video, track).expect_err("there is none");
            assert!(error.is_hopeless());
            assert_eq!(error.code(), "no-such-track");
            assert!(
                error
                    .to_string()
                    .contains("that it has: 1 (eng), 2 (deu), 3."),
                "{error}"
            );
        }
    }
    let error = track_of(&media::silent_video(), language("fr")).expect_err("there is none");
    assert!(matches!(error, Error::NoAudio), "{error:?}");
}

#[test]
fn languages_that_are_no_text_do_no_harm() {
    let mut video = three_tracks("mkv");
    let element = b"\x22\xb5\x9c\x83ger";
    let place = video
        .windows(element.len())
        .position(|window| window == element);
    let place = place.expect("an element Language") + 4;
    video[place..place + 3].copy_from_slice(b"\xff\xc0\x80");
    let error = track_of(&video, language("de")).expect_err("nobody says so any more");
    assert!(error.to_string().contains("1 (eng), 2, 3."), "{error}");
    assert_eq!(
        track_of(&video, Some(Track::Number(2))).expect("it converts"),
        500.0
    );
}

#[test]
fn a_waveform_shows_the_sound_that_is_left() {
    for (seconds_long, encoders) in [(4, 1), (40, 1), (40, 2)] {
        let samples = seconds_long * 44_100;
        let rising = |n: usize| n as f64 / samples as f64;
        let loud: Vec<f32> = (0..samples)
            .map(|n| ((n as f64 / 20.0).sin() * rising(n)) as f32)
            .collect();
        let channels = [vec![0.0; samples], loud];
        let options = Options {
            start: seconds(seconds_long as f64 / 2.0),
            encoders: NonZeroUsize::new(encoders),
            ..titled("It rises")
        };
        let (mp3, file) = mp3_with(wav(RATE_HZ, &channels), &options).expect("it converts");
        assert_valid(&file);
        assert_eq!(mp3.waveform.len(), 1000);
        for (n, &point) in mp3.waveform.iter().enumerate() {
            let expected = (0.5 + (n + 1) as f64 / 2000.0) * 255.0;
            assert!(
                (f64::from(point) - expected).abs() < 2.0,
                "{n}: {point}, {expected}"
            );
        }
    }
}

#[test]
fn a_waveform_of_silence_is_flat_and_one_of_a_blink_is_short() {
    let made = |samples| {
        let (mp3, _) =
            mp3_with(wav(RATE_HZ, &[vec![0.0; samples]]), &titled("Silence")).expect("it converts");
        mp3.waveform
    };
    assert_eq!(made(44_100), [0; 1000]);
    assert_eq!(made(7), [0; 7]);
}
