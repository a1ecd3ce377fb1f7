//! What comes out for what goes in.

mod support;

use decant_audio::media::{self, Container};
use decant_audio::{Mp3, Options, Quality};
use lofty::file::TaggedFileExt;
use lofty::prelude::*;
use support::{assert_same_length, assert_valid, hear, mp3_of, mp3_with, titled};

/// Converts, and lets every judge look at the result.
fn converts(video: Vec<u8>) -> (Mp3, support::Heard) {
    let expected = media::sound_seconds(&video);
    let (mp3, file) = mp3_of(video).expect("it converts");
    assert_valid(&file);
    assert_same_length(mp3.duration.as_secs_f64(), expected);
    let heard = hear(&file);
    assert_same_length(heard.seconds(), expected);
    assert_eq!(heard.rate_hz, mp3.sample_rate_hz);
    assert_eq!(heard.right.is_empty(), mp3.channels == 1);
    (mp3, heard)
}

/// The two tones of the clip are where they belong.
fn sounds_right(heard: &support::Heard) {
    assert!(
        heard.tone(&heard.left, 440.0) > 0.25 && heard.tone(&heard.left, 660.0) < 0.02,
        "left"
    );
    assert!(
        heard.tone(&heard.right, 660.0) > 0.25 && heard.tone(&heard.right, 440.0) < 0.02,
        "right"
    );
}

#[test]
fn the_five_containers_convert() {
    for container in Container::ALL {
        let (mp3, heard) = converts(media::clip(container, 3));
        assert_eq!(
            mp3.sample_rate_hz,
            if container == Container::Webm {
                48_000
            } else {
                44_100
            },
            "{container:?}"
        );
        assert_eq!(mp3.channels, 2, "{container:?}");
        sounds_right(&heard);
    }
}

#[test]
fn less_common_containers_convert() {
    for (extension, arguments) in [
        ("ts", &["-c:v", "libx264", "-c:a", "aac"][..]),
        ("mpg", &["-c:v", "mpeg1video", "-c:a", "mp2"]),
        ("flv", &["-c:v", "flv", "-c:a", "libmp3lame"]),
        ("wmv", &["-c:v", "wmv2", "-c:a", "wmav2"]),
        ("ogv", &["-c:v", "libtheora", "-c:a", "libvorbis"]),
        ("3gp", &["-c:v", "h263", "-s", "176x144", "-c:a", "aac"]),
        (
            "mxf",
            &["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
        ),
        (
            "mp4",
            &[
                "-c:v",
                "libx264",
                "-c:a",
                "aac",
                "-movflags",
                "frag_keyframe+empty_moov",
            ],
        ),
        ("mkv", &["-c:v", "libx264", "-c:a", "eac3"]),
        (
            "mkv",
            &[
                "-c:v", "libx264", "-c:a", "dca", "-strict", "-2", "-ar", "48000",
            ],
        ),
        (
            "mkv",
            &["-c:v", "libx264", "-c:a", "truehd", "-strict", "-2"],
        ),
    ] {
        let (_, heard) = converts(media::clip_with(extension, 3, arguments));
        sounds_right(&heard);
    }
}

#[test]
fn sound_files_convert_too() {
    for (extension, arguments) in [
        ("mp3", &[][..]),
        ("flac", &[]),
        ("m4a", &["-c:a", "alac"]),
        ("m4a", &["-c:a", "aac"]),
        ("ogg", &["-c:a", "libopus"]),
        ("aac", &["-c:a", "aac"]),
        ("wma", &["-c:a", "wmav2"]),
        ("wav", &["-c:a", "pcm_s24le"]),
        ("wav", &["-c:a", "pcm_f32le"]),
        ("wav", &["-c:a", "adpcm_ms"]),
        ("aiff", &[]),
        ("ac3", &[]),
    ] {
        let (_, heard) = converts(media::sound_with(extension, 3, arguments));
        sounds_right(&heard);
    }
}

#[test]
fn uncompressed_sound_in_mov_and_avi_converts() {
    for extension in ["mov", "avi"] {
        let (_, heard) = converts(media::clip_with(
            extension,
            2,
            &["-c:v", "mpeg4", "-c:a", "pcm_s16le"],
        ));
        sounds_right(&heard);
    }
}

#[test]
fn a_live_webm_without_sizes_converts() {
    converts(media::live_webm(3));
}

#[test]
fn mono_stays_mono() {
    let (mp3, heard) = converts(media::clip_with("mp4", 2, &["-c:a", "aac", "-ac", "1"]));
    assert_eq!(mp3.channels, 1);
    assert!(heard.tone(&heard.left, 440.0) > 0.1);
}

#[test]
fn six_channels_become_two_without_clipping() {
    let loud = [
        "-f",
        "lavfi",
        "-i",
        "aevalsrc=s=48000:c=5.1:exprs=0.99*sin(440*2*PI*t)|0.99*sin(440*2*PI*t)|0.99*sin(440*2*PI*t)|0.99*sin(440*2*PI*t)|0.99*sin(440*2*PI*t)|0.99*sin(440*2*PI*t)",
    ];
    let mut arguments = loud.to_vec();
    arguments.extend(["-t", "2", "-c:a", "ac3", "-b:a", "640k"]);
    let (mp3, heard) = converts(media::ffmpeg("mkv", &arguments));
    assert_eq!(mp3.channels, 2);
    let loudest = heard
        .left
        .iter()
        .chain(&heard.right)
        .fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    assert!((0.8..1.05).contains(&loudest), "{loudest}");
}

#[test]
fn sample_rates_are_kept_or_rounded_up_to_what_mp3_has() {
    for (source, expected) in [
        (8_000, 8_000),
        (11_025, 11_025),
        (12_000, 12_000),
        (16_000, 16_000),
        (22_050, 22_050),
        (24_000, 24_000),
        (32_000, 32_000),
        (44_100, 44_100),
        (48_000, 48_000),
        (6_000, 8_000),
        (37_000, 44_100),
        (96_000, 48_000),
        (192_000, 48_000),
    ] {
        let (mp3, heard) = converts(media::sound_with("wav", 2, &["-ar", &source.to_string()]));
        assert_eq!(mp3.sample_rate_hz, expected, "{source} Hz");
        sounds_right(&heard);
    }
}

#[test]
fn a_change_of_rate_and_channels_in_mid_stream_is_followed() {
    let mut stream = media::sound_with("ts", 2, &["-c:a", "mp2", "-ar", "48000"]);
    stream.extend(media::sound_with(
        "ts",
        2,
        &["-c:a", "mp2", "-ar", "32000", "-ac", "1"],
    ));
    let (mp3, file) = mp3_of(stream).expect("it converts");
    assert_valid(&file);
    assert_eq!((mp3.sample_rate_hz, mp3.channels), (48_000, 2));
    assert!(
        (mp3.duration.as_secs_f64() - 4.0).abs() < 0.15,
        "{:?}",
        mp3.duration
    );
    let heard = hear(&file);
    let second_half = &heard.left[heard.left.len() / 2 + 4800..];
    assert!(heard.tone(second_half, 440.0) > 0.1, "the pitch stays");
}

#[test]
fn even_a_blink_of_sound_becomes_an_mp3() {
    let blink = media::ffmpeg(
        "wav",
        &[
            "-f",
            "lavfi",
            "-i",
            "sine=sample_rate=44100",
            "-frames:a",
            "1",
        ],
    );
    let (mp3, file) = mp3_of(blink).expect("it converts");
    assert!(mp3.duration.as_millis() < 100);
    assert_same_length(hear(&file).seconds(), mp3.duration.as_secs_f64());
}

#[test]
fn titles_can_be_read_back() {
    for title in [
        "Grüße aus Köln 🎧",
        "  plain  ",
        "日本語",
        &"ä🎶".repeat(400),
    ] {
        let options = titled(title);
        let (mp3, file) = mp3_with(media::clip(Container::Mp4, 1), &options).expect("it converts");
        assert!(mp3.head.starts_with(b"ID3\x03"));
        assert_valid(&file);
        let mut file = std::io::Cursor::new(file);
        let tagged = lofty::probe::Probe::new(&mut file)
            .guess_file_type()
            .expect("a type")
            .read()
            .expect("a tag");
        let tag = tagged.primary_tag().expect("an ID3 tag");
        assert_eq!(tag.title().as_deref(), Some(title));
    }
}

#[test]
fn an_mp3_without_a_title_has_no_tag_and_the_longest_head_is_small() {
    let (mp3, _) =
        mp3_with(media::clip(Container::Mp4, 1), &Options::default()).expect("it converts");
    assert!(mp3.head.starts_with(&[0xFF]));
    let options = titled(&"x\0🎧".repeat(1_000_000));
    let (mp3, file) = mp3_with(media::clip(Container::Mp4, 1), &options).expect("it converts");
    assert!(mp3.head.len() < 255 * 1024);
    assert_valid(&file);
}

#[test]
fn better_quality_takes_more_bytes() {
    let noise = media::ffmpeg("wav", &["-f", "lavfi", "-i", "anoisesrc=d=2:a=0.3:r=44100"]);
    let [v4, v2, v0] = [Quality::V4, Quality::V2, Quality::V0].map(|quality| {
        let (_, file) = mp3_with(
            noise.clone(),
            &Options {
                quality: Some(quality),
                ..titled("Noise")
            },
        )
        .expect("it converts");
        assert_valid(&file);
        file.len()
    });
    assert!(v4 < v2 && v2 < v0, "{v4} < {v2} < {v0}");
}
