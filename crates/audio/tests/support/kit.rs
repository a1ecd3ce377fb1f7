//! Files with words, pictures and chapters in them.

use std::fs;
use std::io::Cursor;

use decant_audio::media;
use decant_audio::{Probe, probe};
use tempfile::TempDir;

use super::decoder;

pub const TITLE: &str = "Grüße aus Köln 🎧";
pub const ARTIST: &str = "Jörg & die Ärzte";
pub const ALBUM: &str = "Füße hoch 👣";
pub const COMMENT: &str = "Aufgenommen in Düren; nicht für Kinder";
pub const CHAPTERS: [(u64, u64, &str); 3] = [
    (0, 1000, "Anfang 🌅"),
    (1000, 2500, "Über die Brücke"),
    (2500, 4000, "Schluß"),
];

/// A folder with a picture and with what FFmpeg takes metadata from.
pub struct Kit {
    folder: TempDir,
    pub picture: Vec<u8>,
}

impl Kit {
    pub fn new(chapters: &[(u64, u64, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let picture = media::ffmpeg("jpg", &words("-f lavfi -i testsrc=size=64x64 -frames:v 1"));
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

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Four seconds of a tone (input 0), a picture (1) and metadata (2) in one file.
    pub fn file(&self, extension: &str, arguments: &[&str]) -> Vec<u8> {
        let (picture, metadata) = (self.path("cover.jpg"), self.path("metadata"));
        let mut all = vec!["-f", "lavfi", "-i", "sine=440:sample_rate=44100:duration=4"];
        all.extend(["-i", &picture, "-i", &metadata]);
        all.extend(words("-map_metadata 2 -map_chapters 2 -map 0:a"));
        all.extend(arguments);
        media::ffmpeg(extension, &all)
    }

    pub fn mkv(&self, mimetype: &str) -> Vec<u8> {
        let (picture, mimetype) = (self.path("cover.jpg"), format!("mimetype={mimetype}"));
        let mut all = words("-c:a aac -attach");
        all.extend([picture.as_str(), "-metadata:s:t", &mimetype]);
        self.file("mkv", &all)
    }
}

/// Arguments as they are written on a command line.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

pub fn look_into(file: &[u8]) -> Probe {
    probe(Cursor::new(file), &decoder()).expect("it can be looked into")
}
