//! From one file into another.

use crate::{Desk, fails, ffprobe, succeeds};
use decant_audio::media::{self, Container};
use serde_json::Value;

#[test]
fn a_video_becomes_an_mp3_as_the_flags_want_it() {
    let desk = Desk::with("Ferien.mp4", &media::clip(Container::Mp4, 2));
    let jpeg = media::ffmpeg(
        "jpg",
        &["-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1"],
    );
    desk.put("cover.jpg", &jpeg);
    let printed = succeeds(desk.run(&["convert", "Ferien.mp4", "plain.mp3"]));
    assert!(printed.is_empty());
    let plain = ffprobe(&desk.path("plain.mp3"));
    for line in [
        "TAG:title=Ferien\n",
        "codec_name=mp3\n",
        "channels=2\n",
        "sample_rate=44100\n",
    ] {
        assert!(plain.contains(line), "{line}: {plain}");
    }

    let wishes = [
        "--quality=128k",
        "--mono",
        "--sample-rate=32000",
        "--title=Köln 🎧",
        "--artist=Jörg",
        "--album=Füße",
        "--year=1999",
        "--comment=na so was",
        "--cover=cover.jpg",
        "--encoders=1",
    ];
    let arguments = [
        &["convert", "Ferien.mp4", "wished.mp3", "--json"][..],
        &wishes,
    ]
    .concat();
    let printed = succeeds(desk.run(&arguments));
    let wished = ffprobe(&desk.path("wished.mp3"));
    for line in [
        "codec_name=mp3\n",
        "codec_name=mjpeg\n",
        "sample_rate=32000\n",
        "channels=1\n",
        "bit_rate=128000\n",
        "TAG:title=Köln 🎧\n",
        "TAG:artist=Jörg\n",
        "TAG:album=Füße\n",
        "TAG:date=1999\n",
        "TAG:comment=na so was\n",
    ] {
        assert!(wished.contains(line), "{line}: {wished}");
    }
    let json: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(json["output"], "wished.mp3");
    assert_eq!(json["size_bytes"], desk.read("wished.mp3").len());
    assert_eq!(
        (&json["channels"], &json["sample_rate_hz"]),
        (&1.into(), &32_000.into())
    );
    let seconds = json["duration_seconds"].as_f64().unwrap();
    assert!((seconds - 2.0).abs() < 0.1, "{seconds}");
    assert_eq!(
        desk.names(),
        ["Ferien.mp4", "cover.jpg", "plain.mp3", "wished.mp3"]
    );
}

#[test]
fn what_is_there_is_overwritten_only_by_force() {
    let desk = Desk::with("clip.mp4", &media::clip(Container::Mp4, 1));
    desk.put("out.mp3", b"dear old song");
    fails(desk.run(&["convert", "clip.mp4", "out.mp3"]), 1, "--force");
    assert_eq!(desk.read("out.mp3"), b"dear old song");
    desk.put("text.mp4", &media::text_file());
    fails(
        desk.run(&["convert", "text.mp4", "out.mp3", "--force"]),
        3,
        "can't be read",
    );
    assert_eq!(desk.read("out.mp3"), b"dear old song");
    succeeds(desk.run(&["convert", "clip.mp4", "out.mp3", "--force"]));
    assert!(desk.read("out.mp3").starts_with(b"ID3"));
    fails(
        desk.run(&["convert", "clip.mp4", "/dev/null", "--force"]),
        1,
        "is no file",
    );
    assert_eq!(desk.names(), ["clip.mp4", "out.mp3", "text.mp4"]);
}
