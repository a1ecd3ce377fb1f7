//! What a container says of itself, told without its sound.

mod support;

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::time::Duration;

use decant_audio::media;
use decant_audio::{Error, Tags, TrackInfo, probe};
use support::decoder;
use support::kit::{ARTIST, CHAPTERS, Kit, TITLE, look_into, words};
use support::stand_in::{StandIn, found, message, pcm};

#[test]
fn a_cover_beside_a_moving_picture_is_found() {
    let kit = Kit::new(&CHAPTERS);
    let file = kit.file(
        "mp4",
        &words(
            "-map 1:v -map 1:v -pix_fmt:v:0 yuv420p -c:v:0 libx264 -preset ultrafast -c:v:1 copy \
             -disposition:v:1 attached_pic -c:a aac -movflags +faststart",
        ),
    );
    let found = look_into(&file);
    assert!(
        found
            .tags
            .cover
            .is_some_and(|cover| cover.bytes == kit.picture)
    );
    assert_eq!(found.tracks.len(), 1);
    assert_eq!(found.chapters.len(), 3);
}

#[test]
fn opus_and_vorbis_have_their_tags_in_the_track() {
    let kit = Kit::new(&[]);
    for codec in ["libopus", "libvorbis"] {
        let found = look_into(&kit.file("ogg", &["-c:a", codec]));
        assert_eq!(found.container, "ogg");
        assert_eq!(found.tags.title.as_deref(), Some(TITLE));
        assert_eq!(found.tags.artist.as_deref(), Some(ARTIST));
    }
}

#[test]
fn latin_1_of_old_files_becomes_readable() {
    let mut avi = media::sound_with("avi", 1, &words("-c:a mp3 -metadata title=Gr__e"));
    let at = avi
        .windows(5)
        .position(|five| five == b"Gr__e")
        .expect("the title");
    avi[at + 2..at + 4].copy_from_slice(&[0xFC, 0xDF]);
    assert_eq!(look_into(&avi).tags.title.as_deref(), Some("Grüße"));
}

#[test]
fn every_sound_track_is_told_with_its_language_and_its_title() {
    let mut arguments = words(
        "-map 0:v -map 1:a -map 1:a -map 1:a -c:v mpeg4 -c:a:0 aac -c:a:1 ac3 -ac:a:1 6 -ar:a:1 48000 -c:a:2 libopus \
         -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng -disposition:a:0 0 -disposition:a:1 default",
    );
    arguments.extend(["-metadata:s:a:1", "title=Director’s cut"]);
    let file = media::clip_with("mkv", 2, &arguments);
    let found = look_into(&file);
    assert_eq!(found.container, "matroska,webm");
    let seconds = found.duration.expect("a duration").as_secs_f64();
    assert!((seconds - 2.0).abs() < 0.1, "{seconds}");
    assert_eq!(found.tags, Tags::default());
    let told: Vec<_> = found
        .tracks
        .iter()
        .map(|track: &TrackInfo| {
            (
                track.number,
                track.codec.as_str(),
                track.channels,
                track.sample_rate_hz,
                track.language.as_deref(),
                track.title.as_deref(),
                track.is_default,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, "aac", 2, 44_100, Some("ger"), None, false),
            (
                2,
                "ac3",
                6,
                48_000,
                Some("eng"),
                Some("Director’s cut"),
                true
            ),
            (3, "opus", 2, 48_000, None, None, false),
        ]
    );
}

#[test]
fn a_video_without_sound_has_no_tracks_and_what_is_no_video_fails() {
    let found = look_into(&media::silent_video());
    assert!(found.container.contains("mp4"));
    assert_eq!(found.tracks, []);
    let text = probe(Cursor::new(media::text_file()), &decoder());
    assert!(matches!(text, Err(Error::Unreadable { .. })), "{text:?}");
}

#[test]
fn a_look_reads_little_of_a_long_file() {
    struct Counting(Cursor<Vec<u8>>, u64);
    impl Read for Counting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 += read as u64;
            Ok(read)
        }
    }
    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
    let wav = media::sound_with("wav", 120, &[]);
    let mut input = Counting(Cursor::new(wav), 0);
    let found = probe(&mut input, &decoder()).expect("it can be looked into");
    assert_eq!(found.duration, Some(Duration::from_secs(120)));
    assert!(input.1 < 1_000_000, "{} bytes", input.1);
}

#[test]
fn contents_that_are_out_of_shape_are_a_crash_and_so_are_second_ones() {
    let garbage = message(16, &[0xFF; 300]);
    for said in [
        garbage.clone(),
        message(16, &[]),
        vec![16, 0xFF, 0xFF, 0xFF, 0x7F],
    ] {
        let stand_in = StandIn::saying(&said, "");
        let ended = stand_in.convert();
        assert!(matches!(ended, Err(Error::Crashed(_))), "{ended:?}");
        let ended = probe(Cursor::new(vec![7; 1000]), &stand_in.decoder);
        assert!(matches!(ended, Err(Error::Crashed(_))), "{ended:?}");
    }
    // No name, no time, no texts, no cover, no tracks, no chapters.
    let nothing = [&[0; 2][..], &[0xFF; 8], &[0; 10], &[0; 4], &[0; 2]].concat();
    let nothing = message(16, &nothing);
    let sound = [found(44_100, 1), pcm(&[0.0; 100]), message(6, &[])].concat();
    let once = [nothing.clone(), sound.clone()].concat();
    assert!(StandIn::saying(&once, "").convert().is_ok());
    let twice = [nothing.clone(), nothing, sound].concat();
    let ended = StandIn::saying(&twice, "").convert();
    assert!(matches!(ended, Err(Error::Crashed(_))), "{ended:?}");
    let unasked = probe(
        Cursor::new(vec![7; 1000]),
        &StandIn::saying(&found(44_100, 1), "").decoder,
    );
    assert!(matches!(unasked, Err(Error::Crashed(_))), "{unasked:?}");
}
