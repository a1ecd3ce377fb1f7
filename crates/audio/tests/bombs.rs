//! Files that name other files and addresses, that have too much of something, or end too early: a clear code each.
//!
//! That nothing is opened and nobody is called is the box's doing (`sandbox.rs` proves that it can't be) and FFmpeg's,
//! which has no protocol and isn't asked. Here is a listener that nobody connects to, and a file of which no word comes out.

mod support;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use decant_audio::media::{self, Container};
use decant_audio::{Error, Limits};
use support::mp4::{atom, replace};
use support::{convert_within, mp3_of};

fn code(file: Vec<u8>) -> &'static str {
    match mp3_of(file) {
        Ok(_) => "converted",
        Err(error) => {
            assert!(error.is_hopeless(), "{error:?}");
            error.code()
        }
    }
}

/// A listener, and its port. Nobody may have called when it is given to [`assert_unheard`].
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.set_nonblocking(true).expect("a flag");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn assert_unheard(listener: &TcpListener, name: &str) {
    let called = listener.accept().map(|(_, caller)| caller);
    assert!(
        called
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
        "{name}: {called:?}"
    );
}

#[test]
fn a_listener_that_is_called_is_noticed() {
    let (listener, port) = listener();
    let _caller = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    assert!(std::panic::catch_unwind(|| assert_unheard(&listener, "a call")).is_err());
}

#[test]
fn playlists_and_scripts_lead_nowhere() {
    let (listener, port) = listener();
    let here = format!("http://127.0.0.1:{port}/a.ts");
    for target in [
        here.as_str(),
        "file:///etc/passwd",
        "/etc/passwd",
        "data:audio/wav;base64,UklGRg==",
        "subfile,,start,0,end,100,,:/etc/passwd",
        "concat:/etc/passwd|/etc/hostname",
    ] {
        for (name, file) in [
            (
                "hls",
                format!(
                    "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"
                ),
            ),
            (
                "hls key",
                format!(
                    "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI=\"{target}\"\n#EXTINF:9,\n{target}\n"
                ),
            ),
            (
                "ffconcat",
                format!("ffconcat version 1.0\nfile '{target}'\n"),
            ),
            (
                "dash",
                format!(
                    "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period><AdaptationSet mimeType=\"audio/mp4\"><Representation id=\"1\"><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
                ),
            ),
            (
                "sdp",
                format!(
                    "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\na={target}\n"
                ),
            ),
            (
                "asx",
                format!("<asx version=\"3.0\"><entry><ref href=\"{target}\"/></entry></asx>"),
            ),
            ("bare", target.to_owned()),
        ] {
            assert_eq!(code(file.into_bytes()), "unreadable", "{name} to {target}");
            assert_unheard(&listener, name);
        }
    }
}

/// A sound whose bytes are said to be in another file.
#[test]
fn a_mov_whose_sound_is_elsewhere_is_not_followed() {
    let (listener, port) = listener();
    let plain = media::sound_with("mov", 1, &["-c:a", "pcm_s16le"]);
    for (kind, target) in [
        (b"url ", "file:///etc/passwd".to_owned()),
        (b"url ", format!("http://127.0.0.1:{port}/a.mov")),
        (b"alis", "/etc/passwd".to_owned()),
    ] {
        // Version and flags: zeros mean that the data is not in this file.
        let reference = match kind {
            b"url " => atom(kind, &[&[0; 4], target.as_bytes(), &[0]].concat()),
            _ => atom(kind, &[&[0; 4], alias(&target).as_slice()].concat()),
        };
        let data = atom(
            b"dref",
            &[&[0, 0, 0, 0, 0, 0, 0, 1], reference.as_slice()].concat(),
        );
        let mut file = plain.clone();
        replace(
            &mut file,
            &[b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"],
            &data,
        );
        let code = code(file);
        // The offsets also hold for this file, where FFmpeg then finds the sound; with an alias it gives up.
        assert!(
            ["converted", "no-audio", "unreadable"].contains(&code),
            "{target}: {code}"
        );
        assert_unheard(&listener, &target);
    }
}

/// What FFmpeg reads of a Macintosh alias record: volume, name, and a path in a field of kind 2.
fn alias(path: &str) -> Vec<u8> {
    let mut record = vec![0; 150];
    record[10] = 4;
    record[11..15].copy_from_slice(b"disk");
    record[50] = 6;
    record[51..57].copy_from_slice(b"passwd");
    record.extend([0, 2]);
    record.extend((path.len() as u16).to_be_bytes());
    record.extend(path.as_bytes());
    record.extend([0xFF, 0xFF, 0, 0]);
    record
}

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

#[test]
fn each_container_cut_at_twenty_places_converts_or_says_why_not() {
    let fragmented = ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"];
    let mut clips: Vec<(&str, Vec<u8>)> = Container::ALL
        .into_iter()
        .map(|container| (container.extension(), media::clip(container, 1)))
        .collect();
    clips.extend([
        ("fragmented", media::clip_with("mp4", 1, &fragmented)),
        ("live", media::live_webm(1)),
        ("ts", media::clip_with("ts", 1, &["-c:a", "aac"])),
        (
            "mpg",
            media::clip_with("mpg", 1, &["-c:v", "mpeg1video", "-c:a", "mp2"]),
        ),
        (
            "flv",
            media::clip_with("flv", 1, &["-c:v", "flv", "-c:a", "libmp3lame"]),
        ),
        (
            "wmv",
            media::clip_with("wmv", 1, &["-c:v", "wmv2", "-c:a", "wmav2"]),
        ),
        (
            "ogv",
            media::clip_with("ogv", 1, &["-c:v", "libtheora", "-c:a", "libvorbis"]),
        ),
        (
            "mxf",
            media::clip_with(
                "mxf",
                1,
                &["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
            ),
        ),
    ]);
    for (name, clip) in clips {
        for place in 0..20 {
            let cut = clip.len() * place / 20 + place % 7;
            let code = code(clip[..cut].to_vec());
            let expected = ["converted", "truncated", "unreadable", "no-audio"];
            assert!(expected.contains(&code), "{name} at {cut}: {code}");
        }
    }
}
