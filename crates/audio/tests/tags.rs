//! What a container says of itself comes over into the MP3.

mod support;

use std::fs;
use std::io::{Cursor, Write};
use std::process::Command;
use std::time::Duration;

use decant_audio::media::{self, Container};
use decant_audio::{Cover, CoverFormat, Options, Tags};
use lofty::file::TaggedFileExt;
use lofty::picture::PictureType;
use lofty::tag::{Accessor, Tag};
use support::kit::{ALBUM, ARTIST, CHAPTERS, COMMENT, Kit, TITLE, look_into, words};
use support::{assert_valid, mp3_with, titled};

#[test]
fn title_artist_album_year_comment_cover_and_chapters_come_over_from_every_container() {
    let kit = Kit::new(&CHAPTERS);
    let attached = words("-map 1:v -c:v copy -disposition:v:0 attached_pic");
    let aac = [&attached[..], &["-c:a", "aac"]].concat();
    let mut two = words("-map 1:v -map 1:v -c:v:0 png -c:v:1 copy -id3v2_version 3");
    two.extend(["-metadata:s:v:1", "comment=Cover (front)"]);
    for (name, file, has_chapters) in [
        ("m4a", kit.file("m4a", &aac), true),
        ("mkv", kit.mkv("image/jpeg"), true),
        ("mkv, of no kind", kit.mkv("application/octet-stream"), true),
        ("mp3 with two", kit.file("mp3", &two), true),
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
        let expected = owned(if has_chapters { &CHAPTERS } else { &[] });
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
fn options_win_field_by_field() {
    let kit = Kit::new(&[]);
    let png = media::ffmpeg("png", &words("-f lavfi -i testsrc=size=32x32 -frames:v 1"));
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
        fs::write(kit.path("cover.jpg"), &content).expect("a picture");
        let file = kit.mkv(mimetype);
        assert_eq!(look_into(&file).tags.cover, None, "{mimetype}");
        let (mp3, _) = mp3_with(file, &titled("no cover")).expect("it converts");
        assert!(mp3.head.len() < 5000);
    }
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
    let mut arguments = words(
        "-f lavfi -i testsrc=size=32x32:rate=25:duration=5 -itsoffset 1 -f lavfi -i sine=440:duration=3 -i",
    );
    arguments.push(&metadata);
    arguments.extend(words(
        "-map 0:v -map 1:a -map_chapters 2 -c:v mpeg4 -c:a flac",
    ));
    let file = media::ffmpeg("mkv", &arguments);
    let (_, mp3) = mp3_with(file, &Options::default()).expect("it converts");
    let expected = [(0, 1500, "Über die Brücke"), (1500, 3000, "Schluß")];
    assert_eq!(chapters_of(&mp3), owned(&expected));
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
