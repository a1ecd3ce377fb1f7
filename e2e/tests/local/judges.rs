//! What others say of our MP3s.

use decant_audio::media;
use lofty::{
    file::{FileType, TaggedFileExt},
    probe::Probe,
    tag::Accessor,
};
use std::{fs, io::Cursor, process::Command};

/// Asserts that players take the MP3, that it is as long as the sound of the video, and that it is called `title`.
pub(crate) fn assert_good_mp3(mp3: &[u8], video: &[u8], title: &str) {
    assert_playable(mp3, title);
    let (ours, theirs) = (media::sound_seconds(mp3), media::sound_seconds(video));
    assert!(
        (ours - theirs).abs() < 0.05,
        "{title}: {ours} s of {theirs} s"
    );
}

/// Asserts that players take the MP3 and that it is called `title`. Gives what mp3val says of it.
pub(crate) fn assert_playable(mp3: &[u8], title: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sound.mp3");
    fs::write(&path, mp3).expect("written");
    let path = path.to_str().expect("a plain path");
    let said = run("mpg123", &["--quiet", "--test", path]);
    assert_eq!(said, "", "{title}");
    let said = run("mp3val", &[path]);
    assert!(
        !said.contains("WARNING") && !said.contains("ERROR"),
        "{title}: {said}"
    );

    let probe = Probe::with_file_type(Cursor::new(mp3), FileType::Mpeg);
    let file = probe.read().expect("tags");
    let tag = file.primary_tag().expect("a tag");
    assert_eq!(tag.title().as_deref(), Some(title));
    said
}

/// All that a program says. It must succeed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; ./test installs it"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program}: {said}");
    said
}
