//! Files that can't be converted, and what their owners are told.

mod support;

use decant_audio::Error;
use decant_audio::media::{self, Container};
use support::{assert_valid, mp3_of};

fn rejection(file: Vec<u8>) -> Error {
    let error = mp3_of(file).expect_err("it is rejected");
    assert!(error.is_hopeless(), "{error:?}");
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("Th") && sentence.ends_with('.'),
        "{sentence}"
    );
    error
}

#[test]
fn a_text_file_is_unreadable() {
    assert_eq!(rejection(media::text_file()).code(), "unreadable");
}

#[test]
fn an_empty_file_is_unreadable() {
    assert_eq!(rejection(vec![]).code(), "unreadable");
}

#[test]
fn a_picture_and_noise_are_unreadable() {
    let picture = media::ffmpeg("png", &["-f", "lavfi", "-i", "testsrc", "-frames:v", "1"]);
    assert_eq!(rejection(picture).code(), "unreadable");
    let noise = (0_u32..200_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    assert_eq!(rejection(noise).code(), "unreadable");
}

#[test]
fn a_video_without_sound_has_no_audio() {
    assert_eq!(rejection(media::silent_video()).code(), "no-audio");
}

#[test]
fn a_codec_that_is_lacking_is_named() {
    let file = media::sound_with(
        "wav",
        1,
        &["-c:a", "g723_1", "-ar", "8000", "-ac", "1", "-b:a", "6300"],
    );
    let error = rejection(file);
    assert!(
        matches!(&error, Error::UnsupportedCodec { codec } if codec == "g723_1"),
        "{error:?}"
    );
}

#[test]
fn a_track_that_can_be_decoded_is_preferred_to_one_that_cannot() {
    let file = media::clip_with(
        "mkv",
        2,
        &[
            "-map", "1:a", "-map", "1:a", "-c:a:0", "ra_144", "-ar:a:0", "8000", "-ac:a:0", "1",
            "-c:a:1", "aac",
        ],
    );
    mp3_of(file).expect("the second track converts");
}

#[test]
fn an_mp4_that_lost_exactly_its_index_is_truncated() {
    let mut file = media::clip(Container::Mp4, 1);
    let index = file
        .windows(4)
        .rposition(|bytes| bytes == b"moov")
        .expect("an index at the end")
        - 4;
    file.truncate(index);
    assert_eq!(rejection(file).code(), "truncated");
}

#[test]
fn a_track_with_hardly_any_of_its_sound_is_no_success_decoded_or_copied() {
    for extension in ["flac", "mp3"] {
        let mut file = media::sound_with(extension, 4, &[]);
        file.truncate(file.len() / 10);
        let error = rejection(file);
        let Error::TooLittleSound { heard, stated } = error else {
            panic!("{extension}: {error:?}")
        };
        assert_eq!(stated.as_secs(), 4, "{extension}");
        assert!((100..1000).contains(&heard.as_millis()), "{heard:?}");
    }
}

#[test]
fn a_short_sound_under_long_pictures_is_all_there_is() {
    let file = media::clip_with("mkv", 30, &["-af", "atrim=end=0.2"]);
    let (mp3, _) = mp3_of(file).expect("it converts");
    assert!(mp3.duration.as_millis() < 300, "{:?}", mp3.duration);
}

#[test]
fn bytes_after_the_end_do_no_harm() {
    for container in Container::ALL {
        let mut file = media::clip(container, 1);
        file.extend([0; 1000]);
        mp3_of(file).expect("it converts");
    }
}

#[test]
fn a_file_damaged_in_places_converts_without_them() {
    for container in Container::ALL {
        let mut file = media::clip(container, 16);
        // Matroska finds its feet again at the next cluster, at most five seconds later.
        let middle = file.len() / 2;
        file[middle..middle + 2000].fill(0xA5);
        let (mp3, mp3_file) =
            mp3_of(file).unwrap_or_else(|error| panic!("{container:?}: {error:?}"));
        assert!(
            (10.0..16.2).contains(&mp3.duration.as_secs_f64()),
            "{container:?}: {:?}",
            mp3.duration
        );
        assert_valid(&mp3_file);
    }
}
