//! Through pipes, on one side or both.

use crate::{Desk, fails, ffprobe, succeeds};
use decant_audio::media::{self, Container};
use serde_json::Value;
use std::{fs::File, io::Write, process::Stdio};

#[test]
fn pipes_on_both_sides_make_the_same_mp3_as_files() {
    let desk = Desk::new();
    for (extension, arguments) in [
        ("mkv", &["-c:v", "mpeg4", "-c:a", "libvorbis"][..]),
        (
            "webm",
            &["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"],
        ),
        ("ts", &["-c:v", "mpeg2video", "-c:a", "mp2"]),
        ("flv", &["-c:v", "flv", "-c:a", "aac"]),
        (
            "mp4",
            &["-c:v", "mpeg4", "-c:a", "aac", "-movflags", "+faststart"],
        ),
        (
            "mp4",
            &[
                "-c:v",
                "mpeg4",
                "-c:a",
                "aac",
                "-movflags",
                "+frag_keyframe+empty_moov",
            ],
        ),
        ("avi", &["-c:v", "mpeg4", "-c:a", "ac3"]),
    ] {
        let name = format!("clip.{extension}");
        desk.put(&name, &media::clip_with(extension, 3, arguments));
        same_through_pipes(&desk, &name);
    }
    for extension in ["wav", "flac", "ogg"] {
        let name = format!("sound.{extension}");
        desk.put(&name, &media::sound_with(extension, 3, &[]));
        same_through_pipes(&desk, &name);
    }
}

#[test]
fn an_mp3_through_a_pipe_keeps_at_most_the_padding_at_its_end() {
    let desk = Desk::with("sound.mp3", &media::sound_with("mp3", 3, &[]));
    let arguments = ["convert", "-", "out.mp3", "--json"];
    let printed = succeeds(desk.pipe(&arguments, &desk.read("sound.mp3")));
    let json: Value = serde_json::from_slice(&printed).unwrap();
    let seconds = json["duration_seconds"].as_f64().unwrap();
    // FFmpeg takes the padding away only where it knows how large the file is.
    assert!((3.0..3.03).contains(&seconds), "{seconds}");
}

fn same_through_pipes(desk: &Desk, name: &str) {
    succeeds(desk.run(&["convert", name, "out.mp3", "--force", "--title=T"]));
    let piped = succeeds(desk.pipe(&["convert", "-", "-", "--title=T"], &desk.read(name)));
    assert!(
        piped == desk.read("out.mp3"),
        "{name}: {} bytes",
        piped.len()
    );
}

#[test]
fn a_pipe_that_is_to_be_read_twice_is_kept() {
    let desk = Desk::with("clip.mp4", &media::clip(Container::Mp4, 2));
    let wishes = ["--loudness=-20", "--title=T"];
    succeeds(desk.run(&[&["convert", "clip.mp4", "out.mp3"][..], &wishes].concat()));
    let arguments = [&["convert", "-", "-"][..], &wishes].concat();
    let piped = succeeds(desk.pipe(&arguments, &desk.read("clip.mp4")));
    assert!(piped == desk.read("out.mp3"));
}

#[test]
fn a_file_as_standard_input_can_seek() {
    let desk = Desk::with("clip.mp4", &media::clip(Container::Mp4, 1));
    let mut command = desk.command(&["convert", "-", "out.mp3"]);
    let file = File::open(desk.path("clip.mp4")).unwrap();
    succeeds(command.stdin(file).output().unwrap());
    assert!(ffprobe(&desk.path("out.mp3")).contains("codec_name=mp3"));
}

#[test]
fn an_mp4_with_its_index_last_is_refused_by_pipes_before_all_of_it_is_read() {
    let desk = Desk::new();
    let mp4 = media::clip(Container::Mp4, 1);
    fails(
        desk.pipe(&["convert", "-", "-"], &mp4),
        3,
        "its index comes last",
    );
    fails(desk.pipe(&["probe", "-"], &mp4), 3, "its index comes last");
    // The rest never comes.
    let mut command = desk.command(&["convert", "-", "out.mp3"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(&mp4[..1000]).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(desk.names().is_empty());
}
