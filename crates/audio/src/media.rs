//! Clips for tests, made by the `ffmpeg` command of the system: another build than the one under test.
//!
//! Everything here panics when `ffmpeg` is missing or fails: a test without its clip is no test.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The containers that people upload, each with the codecs it usually holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// H.264 and AAC.
    Mp4,
    /// VP8 and Opus.
    Webm,
    /// H.264 and Vorbis.
    Mkv,
    /// MPEG-4 and MP3.
    Avi,
    /// H.264 and AAC.
    Mov,
}

impl Container {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Mp4, Self::Webm, Self::Mkv, Self::Avi, Self::Mov];

    /// As in a file name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
            Self::Mkv => "mkv",
            Self::Avi => "avi",
            Self::Mov => "mov",
        }
    }

    fn codecs(self) -> &'static [&'static str] {
        match self {
            Self::Mp4 | Self::Mov => &["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"],
            Self::Webm => &[
                "-c:v",
                "libvpx",
                "-deadline",
                "realtime",
                "-cpu-used",
                "8",
                "-c:a",
                "libopus",
            ],
            Self::Mkv => &[
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-c:a",
                "libvorbis",
            ],
            Self::Avi => &["-c:v", "mpeg4", "-c:a", "libmp3lame"],
        }
    }
}

/// A test picture with two tones, one per ear.
pub fn clip(container: Container, seconds: u32) -> Vec<u8> {
    clip_with(container.extension(), seconds, container.codecs())
}

/// A test picture with two tones at 44.1 kHz, made with more arguments: codecs, rates, formats.
pub fn clip_with(extension: &str, seconds: u32, arguments: &[&str]) -> Vec<u8> {
    let seconds = seconds.to_string();
    let mut all = picture().to_vec();
    all.extend(tones());
    all.extend(["-t", &seconds]);
    all.extend(arguments);
    ffmpeg(extension, &all)
}

/// Two tones, one per ear, without a picture.
pub fn sound_with(extension: &str, seconds: u32, arguments: &[&str]) -> Vec<u8> {
    let seconds = seconds.to_string();
    let mut all = tones().to_vec();
    all.extend(["-t", &seconds]);
    all.extend(arguments);
    ffmpeg(extension, &all)
}

/// An MP4 without a sound track.
pub fn silent_video() -> Vec<u8> {
    let mut arguments = picture().to_vec();
    arguments.extend(["-t", "1", "-c:v", "libx264", "-preset", "ultrafast"]);
    ffmpeg("mp4", &arguments)
}

/// Some prose.
pub fn text_file() -> Vec<u8> {
    "Dear diary, today I uploaded the wrong file.\n"
        .repeat(100)
        .into_bytes()
}

/// An MP4 that lost its last third on the way.
pub fn truncated_mp4() -> Vec<u8> {
    let mut video = clip(Container::Mp4, 2);
    video.truncate(video.len() / 3 * 2);
    video
}

/// A WebM as a browser records it: written to a pipe, so without sizes, duration or index.
pub fn live_webm(seconds: u32) -> Vec<u8> {
    clip_with(
        "webm",
        seconds,
        &["-c:v", "libvpx", "-c:a", "libopus", "-live", "1"],
    )
}

/// The length of the first sound track in seconds, counted in the samples that FFmpeg decodes.
pub fn sound_seconds(file: &[u8]) -> f64 {
    let pcm = ffmpeg_from(
        file,
        "raw",
        &["-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "s16le"],
    );
    pcm.len() as f64 / 2.0 / 48_000.0
}

/// What `ffmpeg` makes with these arguments, the format told by the extension.
pub fn ffmpeg(extension: &str, arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make(folder.path(), extension, arguments)
}

/// What `ffmpeg` makes of a file with these arguments.
pub fn ffmpeg_from(file: &[u8], extension: &str, arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("input");
    fs::write(&input, file).expect("the input is written");
    let mut all = vec!["-i", input.to_str().expect("a plain path")];
    all.extend(arguments);
    make(folder.path(), extension, &all)
}

fn make(folder: &Path, extension: &str, arguments: &[&str]) -> Vec<u8> {
    let output = folder.join(format!("output.{extension}"));
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(&output)
        .output()
        .expect("ffmpeg runs: apt-get install ffmpeg");
    assert!(
        run.status.success(),
        "ffmpeg {arguments:?}: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    fs::read(&output).expect("ffmpeg has written a file")
}

fn picture() -> [&'static str; 4] {
    ["-f", "lavfi", "-i", "testsrc=size=160x90:rate=25"]
}

fn tones() -> [&'static str; 4] {
    [
        "-f",
        "lavfi",
        "-i",
        "aevalsrc=0.3*sin(440*2*PI*t)|0.3*sin(660*2*PI*t):s=44100",
    ]
}
