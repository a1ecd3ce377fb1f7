//! The containers and codecs that people have, and how the `ffmpeg` command makes a clip of each.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use Lane::{Eight, Five, Mono, Sixteen, Stereo};

/// The sound that goes into a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Two channels that differ, at 48 kHz.
    Stereo,
    /// Two channels at 44.1 kHz, for those that don't take 48.
    Five,
    /// One at 48 kHz.
    Mono,
    /// One at 8 kHz.
    Eight,
    /// One at 16 kHz.
    Sixteen,
}

impl Lane {
    /// Rate and channels, as arguments.
    pub(crate) fn arguments(self) -> [&'static str; 4] {
        let (rate, channels) = match self {
            Stereo => ("48000", "2"),
            Five => ("44100", "2"),
            Mono => ("48000", "1"),
            Eight => ("8000", "1"),
            Sixteen => ("16000", "1"),
        };
        ["-ar", rate, "-ac", channels]
    }
}

/// One clip: what it is called in this table, and how it is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The format of the container, as ffmpeg's muxers are called.
    pub(crate) format: &'static str,
    /// What makes its picture; none in files of sound alone.
    pub(crate) picture: Option<&'static str>,
    /// What makes its sound.
    pub(crate) encoder: &'static str,
    /// What ffmpeg calls the codec of that sound.
    pub(crate) codec: &'static str,
    pub(crate) lane: Lane,
    pub(crate) more: &'static [&'static str],
}

impl Row {
    const fn new(format: &'static str, encoder: &'static str, codec: &'static str) -> Self {
        Self {
            format,
            picture: None,
            encoder,
            codec,
            lane: Stereo,
            more: &[],
        }
    }

    const fn on(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }

    const fn with(self, more: &'static [&'static str]) -> Self {
        Self { more, ..self }
    }

    const fn under(self, picture: &'static str) -> Self {
        Self {
            picture: Some(picture),
            ..self
        }
    }

    /// Such as `mp4: aac -movflags faststart`.
    pub(crate) fn name(&self) -> String {
        let Self {
            format,
            codec,
            more,
            ..
        } = self;
        match more {
            [] => format!("{format}: {codec}"),
            more => format!("{format}: {codec} {}", more.join(" ")),
        }
    }

    /// The arguments for `ffmpeg` after its inputs, a picture and a sound.
    pub(crate) fn arguments(&self) -> Vec<&'static str> {
        let mut all = match self.picture {
            Some(codec) => vec!["-map", "0:v", "-map", "1:a", "-c:v", codec],
            None => vec!["-map", "1:a"],
        };
        all.extend(["-c:a", self.encoder, "-strict", "-2"]);
        all.extend(self.lane.arguments());
        all.extend(self.more);
        all.extend(["-f", self.format]);
        all
    }
}

const fn row(format: &'static str, encoder: &'static str, codec: &'static str) -> Row {
    Row::new(format, encoder, codec)
}

/// Whose encoder has the name of the codec.
const fn plain(format: &'static str, codec: &'static str) -> Row {
    Row::new(format, codec, codec)
}

/// Video files, each with all that is usual in it.
pub(crate) const VIDEOS: &[Row] = &[
    plain("mp4", "aac").under("mpeg4"),
    plain("mp4", "aac")
        .under("mpeg4")
        .with(&["-movflags", "faststart"]),
    plain("mp4", "aac")
        .under("mpeg4")
        .with(&["-movflags", "frag_keyframe+empty_moov"]),
    row("mp4", "libmp3lame", "mp3").under("mpeg4"),
    row("mp4", "mp2", "mp3").under("mpeg4"), // MP4 has one name for both
    plain("mp4", "ac3").under("mpeg4"),
    plain("mp4", "eac3").under("mpeg4"),
    row("mp4", "dca", "dts").under("mpeg4"),
    plain("mp4", "alac").under("mpeg4"),
    plain("mp4", "flac").under("mpeg4"),
    row("mp4", "libopus", "opus").under("mpeg4"),
    row("mp4", "libvorbis", "vorbis").under("mpeg4"),
    plain("mp4", "truehd").under("mpeg4"),
    plain("ipod", "aac").under("mpeg4"),
    plain("3gp", "aac").under("mpeg4"),
    row("3gp", "libopencore_amrnb", "amr_nb")
        .under("mpeg4")
        .on(Eight),
    row("3gp", "libvo_amrwbenc", "amr_wb")
        .under("mpeg4")
        .on(Sixteen),
    plain("mov", "aac").under("mpeg4"),
    plain("mov", "alac").under("mpeg4"),
    plain("mov", "ac3").under("mpeg4"),
    plain("mov", "pcm_s16le").under("mpeg4"),
    plain("mov", "pcm_s16be").under("mpeg4"),
    plain("mov", "pcm_s24le").under("mpeg4"),
    plain("mov", "pcm_s24be").under("mpeg4"),
    plain("mov", "pcm_s32le").under("mpeg4"),
    plain("mov", "pcm_f32be").under("mpeg4"),
    plain("mov", "pcm_f64le").under("mpeg4"),
    plain("mov", "pcm_alaw").under("mpeg4"),
    plain("mov", "pcm_mulaw").under("mpeg4"),
    plain("mov", "adpcm_ima_qt").under("mpeg4").on(Five),
    plain("mov", "adpcm_ima_wav").under("mpeg4").on(Five),
    plain("mov", "adpcm_ms").under("mpeg4").on(Five),
    plain("matroska", "aac").under("mpeg4"),
    row("matroska", "libmp3lame", "mp3").under("mpeg4"),
    plain("matroska", "mp2").under("mpeg4"),
    plain("matroska", "ac3").under("mpeg4"),
    plain("matroska", "eac3").under("mpeg4"),
    row("matroska", "dca", "dts").under("mpeg4"),
    plain("matroska", "truehd").under("mpeg4"),
    plain("matroska", "mlp").under("mpeg4"),
    row("matroska", "libopus", "opus").under("mpeg4"),
    row("matroska", "libvorbis", "vorbis").under("mpeg4"),
    plain("matroska", "flac").under("mpeg4"),
    plain("matroska", "alac").under("mpeg4"),
    plain("matroska", "wavpack").under("mpeg4"),
    plain("matroska", "tta").under("mpeg4"),
    plain("matroska", "wmav2").under("mpeg4"),
    plain("matroska", "pcm_s16le").under("mpeg4"),
    plain("matroska", "pcm_s16be").under("mpeg4"),
    plain("matroska", "pcm_s24le").under("mpeg4"),
    plain("matroska", "pcm_f32le").under("mpeg4"),
    row("webm", "libopus", "opus").under("libvpx"),
    row("webm", "libvorbis", "vorbis").under("libvpx"),
    row("webm", "libopus", "opus")
        .under("libvpx")
        .with(&["-live", "1"]),
    row("avi", "libmp3lame", "mp3").under("mpeg4"),
    plain("avi", "mp2").under("mpeg4"),
    plain("avi", "aac").under("mpeg4"),
    plain("avi", "ac3").under("mpeg4"),
    row("avi", "dca", "dts").under("mpeg4"),
    plain("avi", "pcm_s16le").under("mpeg4"),
    plain("avi", "pcm_u8").under("mpeg4"),
    plain("avi", "pcm_mulaw").under("mpeg4").on(Eight),
    plain("avi", "adpcm_ms").under("mpeg4").on(Five),
    plain("avi", "adpcm_ima_wav").under("mpeg4").on(Five),
    plain("avi", "wmav1").under("mpeg4").on(Five),
    plain("avi", "wmav2").under("mpeg4").on(Five),
    plain("flv", "aac").under("flv"),
    row("flv", "libmp3lame", "mp3").under("flv").on(Five),
    plain("flv", "adpcm_swf").under("flv").on(Five),
    plain("flv", "nellymoser").under("flv").on(Eight),
    row("flv", "libspeex", "speex").under("flv").on(Sixteen),
    plain("flv", "pcm_s16le").under("flv").on(Five),
    plain("flv", "pcm_alaw").under("flv").on(Eight),
    plain("flv", "pcm_mulaw").under("flv").on(Eight),
    plain("mpegts", "aac").under("mpeg2video"),
    row("mpegts", "aac", "aac_latm")
        .under("mpeg2video")
        .with(&["-mpegts_flags", "latm"]),
    plain("mpegts", "mp2").under("mpeg2video"),
    row("mpegts", "libmp3lame", "mp3").under("mpeg2video"),
    plain("mpegts", "ac3").under("mpeg2video"),
    plain("mpegts", "eac3").under("mpeg2video"),
    row("mpegts", "dca", "dts").under("mpeg2video"),
    plain("mpegts", "truehd").under("mpeg2video"),
    row("mpegts", "libopus", "opus").under("mpeg2video"),
    plain("mpegts", "s302m").under("mpeg2video"),
    plain("mpegts", "pcm_bluray")
        .under("mpeg2video")
        .with(&["-mpegts_m2ts_mode", "1"]),
    plain("mpeg", "mp2").under("mpeg1video"),
    row("mpeg", "libmp3lame", "mp3").under("mpeg1video"),
    plain("vob", "mp2").under("mpeg2video"),
    plain("vob", "ac3").under("mpeg2video"),
    row("vob", "dca", "dts").under("mpeg2video"),
    plain("vob", "pcm_dvd").under("mpeg2video"),
    plain("asf", "wmav1").under("wmv2").on(Five),
    plain("asf", "wmav2").under("wmv2").on(Five),
    row("asf", "libmp3lame", "mp3").under("mpeg4"),
    plain("asf", "ac3").under("mpeg4"),
    plain("asf", "pcm_s16le").under("mpeg4"),
    row("ogv", "libvorbis", "vorbis").under("libtheora"),
    row("ogv", "libopus", "opus").under("libtheora"),
    plain("ogv", "flac").under("libtheora"),
    plain("mxf", "pcm_s16le").under("mpeg2video"),
    plain("mxf", "pcm_s24le").under("mpeg2video"),
    plain("mxf_opatom", "pcm_s16le").on(Mono),
];

/// Files of sound alone.
pub(crate) const SOUNDS: &[Row] = &[
    plain("wav", "pcm_s16le"),
    plain("wav", "pcm_s16le").with(&["-rf64", "always"]),
    plain("wav", "pcm_s24le"),
    plain("wav", "pcm_s32le"),
    plain("wav", "pcm_f32le"),
    plain("wav", "pcm_f64le"),
    plain("wav", "pcm_u8"),
    plain("wav", "pcm_alaw").on(Eight),
    plain("wav", "pcm_mulaw").on(Eight),
    plain("wav", "adpcm_ms").on(Five),
    plain("wav", "adpcm_ima_wav").on(Five),
    plain("wav", "adpcm_swf").on(Five),
    plain("wav", "adpcm_yamaha"),
    row("wav", "g722", "adpcm_g722").on(Sixteen),
    row("wav", "g726", "adpcm_g726").on(Eight),
    row("wav", "libgsm_ms", "gsm_ms").on(Eight),
    plain("wav", "ac3"),
    row("wav", "libmp3lame", "mp3"),
    plain("wav", "wmav2").on(Five),
    plain("w64", "pcm_s16le"),
    plain("w64", "pcm_f32le"),
    plain("flac", "flac"),
    plain("flac", "flac").with(&["-sample_fmt", "s32"]),
    row("mp3", "libmp3lame", "mp3"),
    row("mp3", "libmp3lame", "mp3").on(Eight),
    plain("mp2", "mp2"),
    plain("ipod", "aac"),
    plain("ipod", "alac"),
    plain("adts", "aac"),
    row("latm", "aac", "aac_latm"),
    row("ogg", "libvorbis", "vorbis"),
    row("ogg", "libopus", "opus"),
    row("opus", "libopus", "opus"),
    row("ogg", "libspeex", "speex").on(Sixteen),
    row("ogg", "libspeex", "speex").on(Eight),
    plain("ogg", "flac"),
    plain("oga", "flac"),
    row("amr", "libopencore_amrnb", "amr_nb").on(Eight),
    row("amr", "libvo_amrwbenc", "amr_wb").on(Sixteen),
    plain("ac3", "ac3"),
    plain("eac3", "eac3"),
    row("dts", "dca", "dts"),
    plain("truehd", "truehd"),
    plain("mlp", "mlp"),
    plain("aiff", "pcm_s16be"),
    plain("aiff", "pcm_s24be"),
    plain("aiff", "pcm_s8"),
    plain("aiff", "pcm_s16le"),
    plain("aiff", "pcm_f32be"),
    plain("aiff", "adpcm_ima_qt").on(Five),
    plain("caf", "pcm_s16be"),
    plain("caf", "pcm_s24le"),
    plain("caf", "alac"),
    row("caf", "libopus", "opus"),
    plain("asf", "wmav1").on(Five),
    plain("asf", "wmav2").on(Five),
    plain("au", "pcm_s16be"),
    plain("au", "pcm_s24be"),
    plain("au", "pcm_f64be"),
    plain("au", "pcm_mulaw").on(Eight),
    plain("au", "pcm_alaw").on(Eight),
    plain("wv", "wavpack"),
    plain("tta", "tta"),
];

/// What an `ffmpeg` may lack: Debian's has it only with `libavcodec-extra59`. Everything else must be there.
pub(crate) const MAY_BE_LACKING: &[&str] = &["libopencore_amrnb", "libvo_amrwbenc"];

/// Decoders that are built in, but that no encoder of FFmpeg's makes anything for: they are not seen by this test.
pub(crate) const NEVER_SEEN: &[&str] = &[
    "gsm",         // in MOV: the same code as gsm_ms
    "mp1float",    // layer I, of the nineties
    "mp3adufloat", // of Internet streams
    "mp3on4float", // MP3 in MP4 with more than two channels
    "qdm2",        // old QuickTime
    "wmalossless",
    "wmapro",
    "wmavoice",
];

/// Demuxers that are built in, but that no muxer of FFmpeg's makes anything for.
pub(crate) const NEVER_SEEN_DEMUXERS: &[&str] = &["dtshd"];

/// Clips that Debian's command can't make, made elsewhere (see `clips/README.md`), and what is in them.
pub(crate) const CLIPS: &[(&str, &str, &[u8])] = &[
    ("nb.amr", "amr_nb", include_bytes!("clips/nb.amr")),
    ("nb.3gp", "amr_nb", include_bytes!("clips/nb.3gp")),
    ("wb.amr", "amr_wb", include_bytes!("clips/wb.amr")),
    ("wb.3gp", "amr_wb", include_bytes!("clips/wb.3gp")),
    ("he.aac", "aac", include_bytes!("clips/he.aac")),
    ("he.m4a", "aac", include_bytes!("clips/he.m4a")),
    ("hev2.aac", "aac", include_bytes!("clips/hev2.aac")),
    ("hev2.m4a", "aac", include_bytes!("clips/hev2.m4a")),
];

/// Makes the row's clip of so many seconds, with a sound from an input as ffmpeg's arguments name it.
pub(crate) fn make(
    row: &Row,
    sound: &[OsString],
    seconds: &str,
    clip: &Path,
) -> Result<(), String> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(["-f", "lavfi", "-i", "testsrc=size=96x64:rate=25"])
        .args(sound)
        .args(["-t", seconds])
        .args(row.arguments())
        .arg(clip)
        .output()
        .map_err(|error| format!("ffmpeg can't be run: {error}"))?;
    let said = String::from_utf8_lossy(&run.stderr);
    run.status
        .success()
        .then_some(())
        .ok_or_else(|| format!("ffmpeg: {said}"))
}
