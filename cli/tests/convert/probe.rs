//! `decant probe`.

use crate::{Desk, succeeds};
use decant_audio::media;
use serde_json::Value;

#[test]
fn a_probe_prints_what_it_found() {
    let desk = Desk::new();
    let words = [
        "-metadata",
        "title=Köln 🎧",
        "-metadata:s:a:0",
        "language=deu",
        "-metadata",
        "date=2021",
    ];
    let arguments = [&["-c:v", "mpeg4", "-c:a", "aac"][..], &words].concat();
    desk.put("clip.mkv", &media::clip_with("mkv", 2, &arguments));
    let printed = String::from_utf8(succeeds(desk.run(&["probe", "clip.mkv"]))).unwrap();
    for line in [
        "container  matroska,webm\n",
        "track 1    aac, stereo, 44100 Hz, deu, default\n",
        "title      Köln 🎧\n",
        "year       2021\n",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }

    let printed = succeeds(desk.pipe(&["probe", "-", "--json"], &desk.read("clip.mkv")));
    let json: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(json["tracks"][0]["language"], "deu");
    assert_eq!(json["tracks"][0]["default"], true);
    assert_eq!(json["tags"]["title"], "Köln 🎧");
    assert_eq!(json["tags"]["cover"], Value::Null);
    assert!((json["duration_seconds"].as_f64().unwrap() - 2.0).abs() < 0.1);
    assert_eq!(json["chapters"], Value::Array(vec![]));

    desk.put("text.mp4", &media::text_file());
    let failed = desk.run(&["probe", "text.mp4", "--json"]);
    assert_eq!(failed.status.code(), Some(3));
    let json: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(json["error"]["code"], "unreadable");
}
