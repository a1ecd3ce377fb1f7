//! What many encoders make together is, byte for byte, what one encoder makes without its bit reservoir: frames and tag
//! frame. On a film's sound, whose loud and quiet places, fades and silences are what an encoder remembers.

mod support;

use std::fs;
use std::io::{Cursor, Seek, Write};
use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::time::Duration;

use decant_audio::{Loudness, Options, Quality, SampleRate, convert, convert_cut, media};
use lofty::file::AudioFile;
use proptest::prelude::*;
use support::{assert_valid, decoder, film, hear};

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// Where the film is loud and then all but silent: from and to second.
const PLACES: [(f64, f64); 4] = [
    (84.0, 90.0),   // a crash, and next to nothing
    (366.0, 374.0), // something soft, and a blow
    (448.0, 464.0), // music fades, silence, a beat, silence, music
    (530.0, 536.0), // the loudest music fades
];

/// What of it is silenced entirely, in seconds of the excerpts: longer than any pre-roll.
const SILENCE: (f64, f64) = (14.0, 20.0);

/// The places of the film one after the other, as a WAV of this rate and so many channels.
fn excerpts(rate_hz: u32, channels: u32) -> Vec<u8> {
    let film = film();
    let cuts: Vec<_> = PLACES
        .iter()
        .map(|(from, to)| format!("between(t,{from},{to})"))
        .collect();
    let (from, to) = SILENCE;
    let filter = format!(
        "aselect='{}',asetpts=N/SR/TB,volume=0:enable='between(t,{from},{to})'",
        cuts.join("+")
    );
    let (rate_hz, channels) = (rate_hz.to_string(), channels.to_string());
    media::ffmpeg(
        "wav",
        &[
            "-i",
            film.to_str().expect("a plain path"),
            "-map",
            "0:a:0",
            "-af",
            &filter,
            "-ar",
            &rate_hz,
            "-ac",
            &channels,
        ],
    )
}

/// Two encoders, and cuts after so many blocks.
fn joined(video: &[u8], quality: Quality, cuts: &[usize]) -> Vec<u8> {
    let options = Options {
        quality: Some(quality),
        encoders: Some(TWO),
        ..support::titled("Excerpts")
    };
    let mut file = Vec::new();
    let mp3 = convert_cut(
        Cursor::new(video.to_vec()),
        &decoder(),
        &options,
        cuts,
        &mut file,
    )
    .expect("it converts");
    assert_eq!(file.len() as u64, mp3.size_bytes);
    file[..mp3.head.len()].copy_from_slice(&mp3.head);
    file
}

/// One encoder from start to end, and the tag frame as LAME makes it.
fn whole(video: &[u8], quality: Quality) -> Vec<u8> {
    let options = Options {
        quality: Some(quality),
        encoders: Some(NonZeroUsize::MIN),
        ..support::titled("Excerpts")
    };
    support::mp3_with(video.to_vec(), &options)
        .expect("it converts")
        .1
}

#[track_caller]
fn assert_same(joined: &[u8], whole: &[u8], what: &str) {
    let differs = joined.iter().zip(whole).position(|(a, b)| a != b);
    assert_eq!(differs, None, "{what}: the first byte that differs");
    assert_eq!(joined.len(), whole.len(), "{what}: bytes");
}

#[test]
fn every_setting_joins_to_what_one_encoder_makes() {
    use Quality::{K128, K192, K320, V0, V2, V4};
    for rate_hz in [44_100, 48_000, 32_000, 22_050] {
        for channels in [2, 1] {
            let video = excerpts(rate_hz, channels);
            for quality in [V0, V2, V4, K128, K192, K320] {
                // At each rate one of the cuts has only silence in its pre-roll.
                let joined = joined(&video, quality, &[1, 4, 3, 3, 4, 1, 6, 5]);
                let what = format!("{quality}, {rate_hz} Hz, {channels} channels");
                assert_same(&joined, &whole(&video, quality), &what);
                if quality == V2 {
                    assert_valid(&joined);
                }
            }
        }
    }
}

#[test]
fn nothing_that_is_asked_for_makes_a_difference() {
    let video = excerpts(44_100, 2);
    let options = Options {
        start: Duration::from_millis(1_250),
        end: Some(Duration::from_millis(34_500)),
        fade: Duration::from_secs(7),
        loudness: Some(Loudness::default()),
        encoders: Some(NonZeroUsize::MIN),
        ..support::titled("Excerpts")
    };
    let (whole, one) = support::mp3_with(video.clone(), &options).expect("it converts");
    let mut many = Vec::new();
    let input = Cursor::new(video);
    let cuts = [1, 4, 3, 3, 4, 1, 6];
    let mp3 = convert_cut(input, &decoder(), &options, &cuts, &mut many).expect("it converts");
    many[..mp3.head.len()].copy_from_slice(&mp3.head);
    assert_same(&many, &one, "cut, faded and louder");
    assert_eq!(mp3.waveform, whole.waveform);
    assert_eq!(mp3.duration, Duration::from_millis(33_250));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn cuts_anywhere_make_no_difference(
        lengths in prop::collection::vec(1_usize..10, 0..12),
        setting in 0_usize..10,
    ) {
        static VIDEO: LazyLock<Vec<u8>> = LazyLock::new(|| excerpts(44_100, 2));
        let quality = Quality::ALL[setting];
        let joined = joined(&VIDEO, quality, &lengths);
        assert_same(&joined, &whole(&VIDEO, quality), quality.name());
    }
}

#[test]
fn the_whole_film_is_the_same_from_one_encoder_and_three() {
    let encode = |encoders| {
        let options = Options {
            encoders: NonZeroUsize::new(encoders),
            ..support::titled("The film")
        };
        let mut file = Vec::new();
        let film = fs::File::open(film()).expect("the film opens");
        let mp3 = convert(film, &decoder(), &options, &mut file, &mut |_| {}).expect("it converts");
        file[..mp3.head.len()].copy_from_slice(&mp3.head);
        file
    };
    let one = encode(1);
    assert_same(&encode(3), &one, "three encoders");
    assert_valid(&one);
}

/// A tone of exactly so many samples, another one in the other ear.
fn sound(rate_hz: u32, channels: u16, samples: u32) -> Vec<u8> {
    let bytes = samples * u32::from(channels) * 2;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(bytes.to_le_bytes());
    for n in 0..samples {
        for hz in [440.0, 660.0].into_iter().take(channels.into()) {
            let level = (f64::from(n) * hz / f64::from(rate_hz) * std::f64::consts::TAU).sin();
            file.extend(((level * 9_000.0) as i16).to_le_bytes());
        }
    }
    file
}

#[test]
fn lengths_around_borders_are_exact_to_the_sample() {
    const BLOCK: u32 = 49 * 1152;
    let around = |samples: u32| [samples - 1, samples, samples + 1];
    let lengths = [1, 100, 575, 576, 1151, 1152, 1153]
        .into_iter()
        .chain(around(BLOCK))
        .chain(around(2 * BLOCK))
        .chain([2 * BLOCK + 223, 2 * BLOCK + 224, 2 * BLOCK + 225])
        .chain(around(3 * BLOCK))
        .chain(around(3 * BLOCK - 1152))
        .chain(around(3 * BLOCK + 1152));
    for samples in lengths {
        let video = sound(44_100, 2, samples);
        let uncut = joined(&video, Quality::V2, &[]);
        let cut = joined(&video, Quality::V2, &[2, 1, 1]);
        assert_same(&cut, &uncut, &format!("{samples} samples"));
        assert_eq!(hear(&cut).left.len(), samples as usize);
    }
}

#[test]
fn sounds_around_half_a_minute_are_exact_to_the_sample() {
    for (rate_hz, channels) in [(44_100, 2), (22_050, 1)] {
        for samples in [30 * rate_hz - 1, 30 * rate_hz, 30 * rate_hz + 1] {
            let options = Options {
                encoders: Some(TWO),
                ..support::titled("Half a minute")
            };
            let (mp3, file) = support::mp3_with(sound(rate_hz, channels, samples), &options)
                .expect("it converts");
            assert_valid(&file);
            assert_eq!(mp3.duration.as_nanos(), {
                let nanos = u128::from(samples) * 1_000_000_000;
                nanos / u128::from(rate_hz)
            });
            assert_eq!(hear(&file).left.len(), samples as usize);
            // It goes by the tag frame's count of frames, with the encoder's delay and padding.
            let tagged = lofty::read_from(&mut as_file(&file)).expect("a tag");
            let more = tagged.properties().duration() - mp3.duration;
            assert!(more < Duration::from_millis(130), "{more:?}");
        }
    }
}

fn as_file(bytes: &[u8]) -> fs::File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("it takes the MP3");
    file.rewind().expect("it goes back");
    file
}

#[test]
fn any_sample_rate_may_be_asked_for_and_mono() {
    for rate_hz in SampleRate::ALL_HZ {
        let options = Options {
            mono: true,
            sample_rate: Some(rate_hz.try_into().expect("one of the nine")),
            quality: Some(Quality::K320), // as high as the rate allows
            encoders: Some(TWO),
            ..support::titled("A tone")
        };
        let (mp3, file) =
            support::mp3_with(sound(44_100, 2, 40 * 44_100), &options).expect("it converts");
        assert_valid(&file);
        assert_eq!((mp3.sample_rate_hz, mp3.channels), (rate_hz, 1));
        let heard = hear(&file);
        assert_eq!(heard.left.len(), 40 * rate_hz as usize);
        assert!(heard.tone(&heard.left, 440.0) > 0.1, "{rate_hz} Hz");
    }
}
