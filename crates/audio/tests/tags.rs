//! What a container says of itself, found and carried over into the MP3.

mod support;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use decant_audio::media::{self, Container};
use decant_audio::{Cover, CoverFormat, Error, Options, Probe, Tags, TrackInfo, probe};
use lofty::file::TaggedFileExt;
use lofty::picture::PictureType;
use lofty::tag::{Accessor, Tag};
use support::stand_in::{StandIn, found, message, pcm};
use support::{assert_valid, decoder, mp3_with, titled};
use tempfile::TempDir;

const TITLE: &str = "Grüße aus Köln 🎧";
const ARTIST: &str = "Jörg & die Ärzte";
const ALBUM: &str = "Füße hoch 👣";
const COMMENT: &str = "Aufgenommen in Düren; nicht für Kinder";
const CHAPTERS: [(u64, u64, &str); 3] = [
    (0, 1000, "Anfang 🌅"),
    (1000, 2500, "Über die Brücke"),
    (2500, 4000, "Schluß"),
];

/// A folder with a picture and with what FFmpeg takes metadata from.
struct Kit {
    folder: TempDir,
    picture: Vec<u8>,
}

impl Kit {
    fn new(chapters: &[(u64, u64, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let picture = media::ffmpeg(
            "jpg",
            &["-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1"],
        );
        fs::write(folder.path().join("cover.jpg"), &picture).expect("a picture");
        let mut text = format!(
            ";FFMETADATA1\ntitle={TITLE}\nartist={ARTIST}\nalbum={ALBUM}\ndate=2021-05-03\ncomment={}\n",
            COMMENT.replace(';', "\\;")
        );
        for (start, end, title) in chapters {
            text +=
                &format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n");
        }
        fs::write(folder.path().join("metadata"), text).expect("metadata");
        Self { folder, picture }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Four seconds of two tones (input 0), a picture (1) and metadata (2) in one file.
    fn file(&self, extension: &str, arguments: &[&str]) -> Vec<u8> {
        let (picture, metadata) = (self.path("cover.jpg"), self.path("metadata"));
        let mut all = vec!["-f", "lavfi", "-i", "sine=440:sample_rate=44100:duration=4"];
        all.extend([
            "-i",
            &picture,
            "-i",
            &metadata,
            "-map_metadata",
            "2",
            "-map_chapters",
            "2",
        ]);
        all.extend(["-map", "0:a"]);
        all.extend(arguments);
        media::ffmpeg(extension, &all)
    }

    fn mkv(&self, mimetype: &str) -> Vec<u8> {
        let picture = self.path("cover.jpg");
        let mimetype = format!("mimetype={mimetype}");
        self.file(
            "mkv",
            &[
                "-c:a",
                "aac",
                "-attach",
                &picture,
                "-metadata:s:t",
                &mimetype,
            ],
        )
    }
}

fn look_into(file: &[u8]) -> Probe {
    probe(Cursor::new(file), &decoder()).expect("it can be looked into")
}

fn lofty_reads(mp3: &[u8]) -> Tag {
    let tagged = lofty::probe::Probe::new(Cursor::new(mp3))
        .guess_file_type()
        .expect("a type")
        .read()
        .expect("a tag");
    tagged.primary_tag().expect("an ID3 tag").clone()
}

/// Milliseconds and titles, by ffprobe.
fn chapters_of(mp3: &[u8]) -> Vec<(u64, u64, String)> {
    let mut file = tempfile::Builder::new()
        .suffix(".mp3")
        .tempfile()
        .expect("a file");
    file.write_all(mp3).expect("the MP3 is written");
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "chapter=start,end,time_base:chapter_tags=title",
        ])
        .args(["-of", "compact=p=0"])
        .arg(file.path())
        .output()
        .expect("ffprobe runs");
    assert!(
        probed.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&probed.stderr)
    );
    let lines = String::from_utf8(probed.stdout).expect("UTF-8");
    let chapters = lines.lines().map(|line| {
        let field = |name: &str| {
            let field = line.split('|').find_map(|field| field.strip_prefix(name));
            field.unwrap_or_default().to_owned()
        };
        assert_eq!(field("time_base="), "1/1000");
        let number = |name| field(name).parse().expect("a number");
        (number("start="), number("end="), field("tag:title="))
    });
    chapters.collect()
}

fn owned(chapters: &[(u64, u64, &str)]) -> Vec<(u64, u64, String)> {
    let chapters = chapters
        .iter()
        .map(|&(start, end, title)| (start, end, title.to_owned()));
    chapters.collect()
}

#[test]
fn title_artist_album_year_comment_cover_and_chapters_come_over_from_every_container() {
    let kit = Kit::new(&CHAPTERS);
    let attached = [
        "-map",
        "1:v",
        "-c:v",
        "copy",
        "-disposition:v:0",
        "attached_pic",
    ];
    let with = |more: &[&'static str]| [&attached[..], more].concat();
    for (name, file, has_chapters) in [
        ("m4a", kit.file("m4a", &with(&["-c:a", "aac"])), true),
        ("mkv", kit.mkv("image/jpeg"), true),
        ("mkv, of no kind", kit.mkv("application/octet-stream"), true),
        (
            "mp3",
            kit.file(
                "mp3",
                &with(&[
                    "-id3v2_version",
                    "3",
                    "-metadata:s:v",
                    "comment=Cover (front)",
                ]),
            ),
            true,
        ),
        ("flac", kit.file("flac", &attached), false),
    ] {
        let found = look_into(&file);
        let (_, mp3) = mp3_with(file, &titled("not this one")).expect("it converts");
        assert_valid(&mp3);
        let tag = lofty_reads(&mp3);
        assert_eq!(tag.title().as_deref(), Some(TITLE), "{name}");
        assert_eq!(tag.artist().as_deref(), Some(ARTIST), "{name}");
        assert_eq!(tag.album().as_deref(), Some(ALBUM), "{name}");
        assert_eq!(tag.year(), Some(2021), "{name}");
        assert_eq!(tag.comment().as_deref(), Some(COMMENT), "{name}");
        assert_eq!(tag.picture_count(), 1, "{name}");
        let picture = &tag.pictures()[0];
        assert_eq!(picture.pic_type(), PictureType::CoverFront, "{name}");
        assert_eq!(
            picture.mime_type().map(|kind| kind.as_str()),
            Some("image/jpeg"),
            "{name}"
        );
        assert!(
            picture.data() == kit.picture,
            "{name}: the picture is another"
        );
        let expected = if has_chapters {
            owned(&CHAPTERS)
        } else {
            vec![]
        };
        assert_eq!(chapters_of(&mp3), expected, "{name}");

        assert_eq!(found.tags.title.as_deref(), Some(TITLE), "{name}");
        assert_eq!(found.tags.year.as_deref(), Some("2021"), "{name}");
        let cover = Cover {
            format: CoverFormat::Jpeg,
            bytes: kit.picture.clone(),
        };
        assert!(found.tags.cover == Some(cover), "{name}");
        assert_eq!(found.chapters.len(), expected.len(), "{name}");
    }
}

#[test]
fn a_cover_beside_a_moving_picture_is_found() {
    let kit = Kit::new(&CHAPTERS);
    let file = kit.file(
        "mp4",
        &[
            "-map",
            "1:v",
            "-map",
            "1:v",
            "-pix_fmt:v:0",
            "yuv420p",
            "-c:v:0",
            "libx264",
            "-preset",
            "ultrafast",
            "-c:v:1",
            "copy",
            "-disposition:v:1",
            "attached_pic",
            "-c:a",
            "aac",
            "-movflags",
            "+faststart",
        ],
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
    let mut avi = media::sound_with("avi", 1, &["-c:a", "mp3", "-metadata", "title=Gr__e"]);
    let at = avi
        .windows(5)
        .position(|five| five == b"Gr__e")
        .expect("the title");
    avi[at + 2..at + 4].copy_from_slice(&[0xFC, 0xDF]);
    assert_eq!(look_into(&avi).tags.title.as_deref(), Some("Grüße"));
}

#[test]
fn options_win_field_by_field() {
    let kit = Kit::new(&[]);
    let png = media::ffmpeg(
        "png",
        &["-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1"],
    );
    let options = Options {
        title: Some("the last resort".into()),
        tags: Tags {
            title: Some("Der Titel".into()),
            artist: Some("\0 \n".into()),
            year: Some("1999".into()),
            cover: Some(Cover::try_from(png.clone()).expect("a cover")),
            ..Tags::default()
        },
        ..Options::default()
    };
    let (_, mp3) = mp3_with(kit.mkv("image/jpeg"), &options).expect("it converts");
    assert_valid(&mp3);
    let tag = lofty_reads(&mp3);
    assert_eq!(tag.title().as_deref(), Some("Der Titel"));
    assert_eq!(tag.artist().as_deref(), Some(ARTIST), "blank is nothing");
    assert_eq!(tag.album().as_deref(), Some(ALBUM));
    assert_eq!(tag.year(), Some(1999));
    assert_eq!(tag.picture_count(), 1);
    assert_eq!(
        tag.pictures()[0].mime_type().map(|kind| kind.as_str()),
        Some("image/png")
    );
    assert!(tag.pictures()[0].data() == png);

    let plain = media::sound_with("wav", 1, &["-bitexact"]);
    let (_, mp3) = mp3_with(plain, &titled("the last resort")).expect("it converts");
    assert_eq!(
        lofty_reads(&mp3).title().as_deref(),
        Some("the last resort")
    );
}

#[test]
fn chapters_follow_the_part_that_is_taken() {
    let kit = Kit::new(&CHAPTERS);
    for (start, end, expected) in [
        (
            500,
            None,
            &[
                (0, 500, "Anfang 🌅"),
                (500, 2000, "Über die Brücke"),
                (2000, 3500, "Schluß"),
            ][..],
        ),
        (1000, Some(2500), &[(0, 1500, "Über die Brücke")]),
        (
            1200,
            Some(3000),
            &[(0, 1300, "Über die Brücke"), (1300, 1800, "Schluß")],
        ),
    ] {
        let options = Options {
            start: Duration::from_millis(start),
            end: end.map(Duration::from_millis),
            ..Options::default()
        };
        let (_, mp3) = mp3_with(kit.mkv("image/jpeg"), &options).expect("it converts");
        assert_eq!(chapters_of(&mp3), owned(expected), "{start} to {end:?}");
    }
}

#[test]
fn the_head_stays_small_and_chapters_go_before_the_cover() {
    let title = "x".repeat(300);
    let many: Vec<_> = (0..255)
        .map(|at| (at * 10, at * 10 + 10, title.as_str()))
        .collect();
    let kit = Kit::new(&many);
    let file = kit.mkv("image/jpeg");
    let (mp3, bytes) = mp3_with(file.clone(), &Options::default()).expect("it converts");
    assert!(mp3.head.len() < 255 * 1024);
    let chapters = chapters_of(&bytes);
    assert_eq!(chapters.len(), 255);
    assert_eq!(chapters[254], (2540, 2550, "x".repeat(200)));

    let mut picture = kit.picture.clone();
    picture.resize(Cover::MAX_BYTES, 0);
    let text = || Some("🎧".repeat(100_000));
    let options = Options {
        tags: Tags {
            title: text(),
            artist: text(),
            album: text(),
            comment: text(),
            cover: Some(Cover::try_from(picture.clone()).expect("a cover")),
            ..Tags::default()
        },
        ..Options::default()
    };
    let (mp3, bytes) = mp3_with(file, &options).expect("it converts");
    assert!(mp3.head.len() < 255 * 1024, "{}", mp3.head.len());
    assert_valid(&bytes);
    let tag = lofty_reads(&bytes);
    assert_eq!(tag.title().map(|title| title.chars().count()), Some(1000));
    assert_eq!(
        tag.comment().map(|comment| comment.chars().count()),
        Some(4000)
    );
    assert!(tag.pictures()[0].data() == picture);
    assert_eq!(chapters_of(&bytes), []);
}

#[test]
fn a_picture_that_is_too_large_or_none_is_left_out() {
    let kit = Kit::new(&[]);
    let noise = "color=gray:size=400x400,format=rgb24,noise=alls=100";
    let large = media::ffmpeg("png", &["-f", "lavfi", "-i", noise, "-frames:v", "1"]);
    assert!(large.len() > Cover::MAX_BYTES);
    for (mimetype, content) in [
        ("image/png", large),
        ("image/jpeg", b"<svg onload=alert(1)>".to_vec()),
    ] {
        fs::write(Path::new(&kit.path("cover.jpg")), &content).expect("a picture");
        let file = {
            let picture = kit.path("cover.jpg");
            let mimetype = format!("mimetype={mimetype}");
            media::sound_with(
                "mkv",
                1,
                &[
                    "-c:a",
                    "aac",
                    "-attach",
                    &picture,
                    "-metadata:s:t",
                    &mimetype,
                ],
            )
        };
        assert_eq!(look_into(&file).tags.cover, None, "{mimetype}");
        let (mp3, _) = mp3_with(file, &titled("no cover")).expect("it converts");
        assert!(mp3.head.len() < 5000);
    }
}

#[test]
fn every_sound_track_is_told_with_its_language_and_its_title() {
    let file = media::clip_with(
        "mkv",
        2,
        &[
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-map",
            "1:a",
            "-map",
            "1:a",
            "-c:v",
            "mpeg4",
            "-c:a:0",
            "aac",
            "-c:a:1",
            "ac3",
            "-ac:a:1",
            "6",
            "-ar:a:1",
            "48000",
            "-c:a:2",
            "libopus",
            "-metadata:s:a:0",
            "language=ger",
            "-metadata:s:a:1",
            "language=eng",
            "-metadata:s:a:1",
            "title=Director’s cut",
            "-disposition:a:0",
            "0",
            "-disposition:a:1",
            "default",
        ],
    );
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
    impl std::io::Read for Counting {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 += read as u64;
            Ok(read)
        }
    }
    impl std::io::Seek for Counting {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
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

#[test]
fn a_clip_without_any_words_makes_an_mp3_without_a_tag() {
    let (mp3, _) =
        mp3_with(media::clip(Container::Mp4, 1), &Options::default()).expect("it converts");
    assert!(mp3.head.starts_with(&[0xFF]));
}

#[test]
fn chapters_count_from_where_the_sound_begins() {
    let kit = Kit::new(&CHAPTERS);
    let metadata = kit.path("metadata");
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=32x32:rate=25:duration=5",
        "-itsoffset",
        "1",
        "-f",
        "lavfi",
        "-i",
        "sine=440:duration=3",
        "-i",
        &metadata,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map_chapters",
        "2",
        "-c:v",
        "mpeg4",
        "-c:a",
        "flac",
    ];
    let file = media::ffmpeg("mkv", &arguments);
    let (_, mp3) = mp3_with(file, &Options::default()).expect("it converts");
    let expected = [(0, 1500, "Über die Brücke"), (1500, 3000, "Schluß")];
    assert_eq!(chapters_of(&mp3), owned(&expected));
}
