//! `cargo run -p decant-audio --example clips -- FOLDER`: a small clip of each row of the formats' table, and some with words,
//! covers, chapters and indexes of other kinds, for `fuzz/run` to begin with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(dead_code, unreachable_pub, reason = "the test uses the rest")]
#[path = "../tests/formats/table.rs"]
mod table;

/// Short, so that many can be tried in a second.
const SECONDS: &str = "0.3";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("usage: clips FOLDER")?;
    fs::create_dir_all(&folder)?;
    let sound = ["-f", "lavfi", "-i", "sine=duration=0.3"].map(Into::into);
    for (number, row) in table::VIDEOS.iter().chain(table::SOUNDS).enumerate() {
        let clip = folder.join(format!("{number:03}"));
        if let Err(reason) = table::make(row, &sound, SECONDS, &clip) {
            eprintln!("{}: left out: {}", row.name(), reason.trim());
            let _nothing_was_made = fs::remove_file(&clip);
        }
    }
    for (name, _, bytes) in table::CLIPS {
        fs::write(folder.join(name), bytes)?;
    }
    more(&folder)
}

/// With words and chapters in each: what of a file reaches the tag of an MP3, and how the sound is found in it.
const MORE: [(&str, &str); 18] = [
    (
        "cover.mp3",
        "-map 0:a -map 1:v -c:v copy -disposition:v attached_pic",
    ),
    (
        "cover.m4a",
        "-map 0:a -map 1:v -c:v copy -disposition:v attached_pic",
    ),
    (
        "cover.flac",
        "-map 0:a -map 1:v -c:v copy -disposition:v attached_pic",
    ),
    (
        "cover.mkv",
        "-map 0:a -c:a aac -attach cover.jpg -metadata:s:t mimetype=image/jpeg",
    ),
    ("words.ogg", "-map 0:a -c:a libvorbis"),
    ("words.mov", "-map 0:a -map 1:v -c:v mpeg4 -c:a aac"),
    ("words.wma", "-map 0:a -c:a wmav2"),
    ("words.aiff", "-map 0:a -write_id3v2 1"),
    ("words.wav", "-map 0:a"),
    (
        "two.mkv",
        "-map 0:a -map 0:a -c:a aac -metadata:s:a:0 language=deu -metadata:s:a:1 language=eng",
    ),
    ("delay.mp4", "-map 0:a -c:a libmp3lame -ss 0.05"),
    (
        "sidx.mp4",
        "-map 0:a -map 1:v -c:v mpeg4 -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof+global_sidx",
    ),
    (
        "dash.mp4",
        "-map 0:a -map 1:v -c:v mpeg4 -c:a libmp3lame -movflags frag_every_frame+dash",
    ),
    (
        "pictures.mkv",
        "-map 0:a -map 1:v -c:v rawvideo -allow_raw_vfw 1 -pix_fmt rgb24 -s 160x120 -c:a libmp3lame -t 0.1",
    ),
    (
        "mp3.mpg",
        "-map 0:a -map 1:v -c:v mpeg2video -c:a libmp3lame",
    ),
    ("mp3.mov", "-map 0:a -map 1:v -c:v mpeg4 -c:a libmp3lame"),
    (
        "large.mp3",
        "-map 0:a -c:a libmp3lame -b:a 320k -ac 2 -write_xing 0",
    ),
    (
        "mp3.ts",
        "-map 0:a -map 1:v -c:v mpeg2video -c:a libmp3lame",
    ),
];

fn more(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let beside = folder.with_extension("beside");
    fs::create_dir_all(&beside)?;
    fs::write(
        beside.join("words"),
        ";FFMETADATA1\ntitle=Grüße\nartist=Jörg\nalbum=Köln\ndate=2021-05-03\ncomment=so\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=100\ntitle=Anfang\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=100\nEND=300\ntitle=Schluß\n",
    )?;
    let ffmpeg = |arguments: &str| {
        Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(arguments.split_whitespace())
            .current_dir(&beside)
            .status()
    };
    ffmpeg("-f lavfi -i testsrc=size=16x16 -frames:v 1 cover.jpg")?;
    let inputs =
        "-f lavfi -i sine=duration=0.3 -i cover.jpg -i words -map_metadata 2 -map_chapters 2";
    for (name, how) in MORE {
        if !ffmpeg(&format!("{inputs} {how} {name}"))?.success() {
            eprintln!("{name}: left out");
            continue;
        }
        fs::rename(beside.join(name), folder.join(name))?;
    }
    fs::remove_dir_all(&beside)?;
    Ok(())
}
