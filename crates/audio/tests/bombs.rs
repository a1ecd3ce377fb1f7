//! Files that have too much of something, or something odd: a clear code each.

mod support;

use std::time::{Duration, Instant};

use decant_audio::media;
use decant_audio::{Error, Limits};
use support::mp4::{atom, replace};
use support::{code, convert_within};

#[test]
fn a_thousand_tracks_are_too_many_and_a_hundred_are_not() {
    let one = media::sound_with("mov", 1, &["-c:a", "pcm_s16le"]);
    let tracks = |count: usize| {
        let mut file = one.clone();
        let moov = file
            .windows(4)
            .position(|kind| kind == b"moov")
            .expect("an index")
            - 4;
        let trak = file
            .windows(4)
            .position(|kind| kind == b"trak")
            .expect("a track")
            - 4;
        let size =
            |at: usize| u32::from_be_bytes(one[at..at + 4].try_into().expect("four")) as usize;
        let more = one[trak..trak + size(trak)].repeat(count - 1);
        let grown = (size(moov) + more.len()) as u32;
        file[moov..moov + 4].copy_from_slice(&grown.to_be_bytes());
        file.splice(trak..trak, more);
        file
    };
    assert_eq!(code(tracks(1000)), "too-many-tracks");
    assert_eq!(code(tracks(101)), "too-many-tracks");
    assert_eq!(code(tracks(100)), "converted");
}

#[test]
fn tracks_that_show_up_on_the_way_are_counted_too() {
    // A transport stream announces its tracks in a table that may come again with more of them.
    let mut file = media::sound_with("ts", 1, &["-c:a", "mp2"]);
    let tracks: Vec<&str> = std::iter::repeat_n(["-map", "0:a"], 8).flatten().collect();
    file.extend(media::sound_with(
        "ts",
        1,
        &[&tracks[..], &["-c:a", "mp2"]].concat(),
    ));
    let limits = Limits {
        streams: 4,
        ..Limits::default()
    };
    let made = convert_within(limits, file);
    assert!(
        matches!(made, Err(Error::TooManyStreams { limit: 4 })),
        "{made:?}"
    );
}

#[test]
fn ten_hours_of_silence_in_a_small_file_are_too_much_where_a_minute_is_allowed() {
    let file = media::ffmpeg(
        "mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            "anullsrc=r=8000:cl=mono:d=36000",
            "-c:a",
            "flac",
            "-frame_size",
            "65535",
        ],
    );
    assert!(file.len() < 2_000_000, "{}", file.len());
    let limits = Limits {
        sound: Duration::from_secs(60),
        ..Limits::default()
    };
    let made = convert_within(limits, file.clone());
    assert!(matches!(made, Err(Error::TooMuchSound(_))), "{made:?}");
}

#[test]
fn much_work_ends_at_the_limit() {
    // Nothing of it is ever sound, so that only the decoder works: FLAC frames of a rate that is not taken.
    let mut file = support::flac::Flac::new(1, u16::MAX);
    for _ in 0..200_000 {
        file.push(support::flac::Frame {
            rate_hz: 1,
            samples: u16::MAX,
        });
    }
    let limits = Limits {
        cpu: Duration::from_secs(1),
        ..Limits::default()
    };
    let began = Instant::now();
    let made = convert_within(limits, file.finish());
    assert!(matches!(made, Err(Error::TooMuchWork(_))), "{made:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn odd_rates_and_channel_counts_convert_or_say_why_not() {
    for (rate, channels, expected) in [
        ("1", "1", "unsupported-codec"),
        ("999", "2", "unsupported-codec"),
        ("1000", "1", "converted"),
        ("7999", "3", "converted"),
        ("44101", "5", "converted"),
        ("47999", "7", "converted"),
        ("192000", "8", "converted"),
        ("655350", "2", "converted"),
        ("768001", "1", "unsupported-codec"),
        ("48000", "24", "unsupported-codec"),
        ("48000", "65", "unsupported-codec"),
    ] {
        let samples = (rate.parse::<usize>().expect("a number") / 4).max(4)
            * channels.parse::<usize>().expect("a number");
        let found = code(wav(
            rate.parse().expect("a rate"),
            channels.parse().expect("channels"),
            samples,
        ));
        assert_eq!(found, expected, "{rate} Hz, {channels} channels");
    }
}

/// 8 bits per sample.
fn wav(rate_hz: u32, channels: u16, samples: usize) -> Vec<u8> {
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz.wrapping_mul(channels.into())).to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(b"\x08\0data");
    file.extend((samples as u32).to_le_bytes());
    file.extend((0..samples).map(|n| (n % 251) as u8));
    file
}

/// Offsets in an index cost four bytes each, and may all be the same: a second of sound, heard for half a day.
#[test]
fn a_sound_that_is_heard_again_and_again_is_too_much() {
    const TIMES: u32 = 40_000;
    let mut file = media::sound_with("mov", 1, &["-c:a", "pcm_s16le"]);
    let mdat = file.windows(4).position(|kind| kind == b"mdat");
    let offset = mdat.expect("a sound") as u32 + 4;
    let table = |fields: &[u32]| -> Vec<u8> {
        let version_and_flags = 0;
        let all = std::iter::once(version_and_flags).chain(fields.iter().copied());
        all.flat_map(u32::to_be_bytes).collect()
    };
    let offsets: Vec<u32> = std::iter::once(TIMES)
        .chain(std::iter::repeat_n(offset, TIMES as usize))
        .collect();
    let samples = 44_100 * TIMES;
    // An edit list would end it after a second.
    let edits = file.windows(4).position(|kind| kind == b"edts");
    let edits = edits.expect("an edit list");
    file[edits..edits + 4].copy_from_slice(b"free");
    for (kind, content) in [
        (b"stts", table(&[1, samples, 1])),
        (b"stsc", table(&[1, 1, 44_100, 1])),
        (b"stsz", table(&[4, samples])),
        (b"stco", table(&offsets)),
    ] {
        let path = [b"moov", b"trak", b"mdia", b"minf", b"stbl", kind];
        replace(&mut file, &path, &atom(kind, &content));
    }
    assert!(file.len() < 1_000_000, "{}", file.len());
    let limits = Limits {
        sound: Duration::from_secs(60),
        ..Limits::default()
    };
    let made = convert_within(limits, file);
    assert!(matches!(made, Err(Error::TooMuchSound(_))), "{made:?}");
}
