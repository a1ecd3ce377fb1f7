//! What can go wrong, and whose fault it is.

use std::io;
use std::time::Duration;

use ffmpeg_next::Error as Ffmpeg;
use ffmpeg_next::error::ENOMEM;

use crate::NotAnOption;
use crate::native::limits::MAX_ALLOCATION_BYTES;

/// Why a conversion failed.
///
/// The sentence of a hopeless error is for the person who uploaded the file; the others are for operators.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no audio stream, or one without any sound in it.
    #[error("This video has no sound track. Upload a video that has one.")]
    NoAudio,

    /// Not a container FFmpeg knows, or one in which nothing can be decoded.
    #[error(
        "This file can't be read as a video. Play it to see whether it is damaged, then upload an MP4, MKV, WebM, AVI or MOV file."
    )]
    Unreadable {
        /// FFmpeg's words, for the log.
        reason: String,
    },

    /// Not the track that was asked for, but others.
    #[error(
        "This video doesn't have the sound track that was asked for. Choose one that it has: {}.", numbered(.languages)
    )]
    NoSuchTrack {
        /// Those of the sound tracks that there are, as ISO 639-2/T.
        languages: Vec<Option<String>>,
    },

    /// The sound ends before the part of it that was asked for.
    #[error(
        "The sound of this video is {} long, so nothing is left of it from the start that was asked for. Choose an earlier one.", clock(.0)
    )]
    NothingLeft(
        /// How long it is.
        Duration,
    ),

    /// Something was asked for that can't be done with any video.
    #[error("This can't be done: {0}. Choose something else and try again.")]
    NotAnOption(NotAnOption),

    /// The audio codec is not among those that are built in.
    #[error(
        "The sound of this video is in a format that can't be decoded here ({codec}). Save the video with AAC, MP3 or Opus sound and upload it again."
    )]
    UnsupportedCodec {
        /// FFmpeg's short name of the codec, such as `g723_1`, and what else is unusual about the sound.
        codec: String,
    },

    /// The file ends before its container's own sizes say.
    #[error(
        "This file is incomplete: it should have at least {declared_bytes} bytes but ends after {actual_bytes}. Copy it again from where it was recorded and upload the whole file."
    )]
    Truncated {
        /// Bytes that the container says it has; a lower bound where only a missing part is known of.
        declared_bytes: u64,
        /// Bytes that there are.
        actual_bytes: u64,
    },

    /// A [`Pipe`](crate::Pipe) that can't be read in order.
    #[error(
        "This video can't be read from a pipe, since its index comes last. Give the file itself, or save it for streaming first (faststart)."
    )]
    NotInOrder,

    /// More sound than [`Limits::sound`](crate::Limits::sound).
    #[error(
        "This video has more than {} of sound, which is more than can be converted at once. Please split it and upload the parts.", hours(.0)
    )]
    TooMuchSound(Duration),

    /// Hardly any of the sound came that the container says there is.
    #[error(
        "This file says that it has {} of sound, but only {} can be read. It may be damaged: save it again with another program and upload that.", clock(.stated), clock(.heard)
    )]
    TooLittleSound {
        /// How much came.
        heard: Duration,
        /// How much there should be.
        stated: Duration,
    },

    /// The MP3 is larger than [`Limits::mp3_bytes`](crate::Limits::mp3_bytes).
    #[error(
        "The MP3 of this video would be larger than {} MB, which is more than can be stored. Ask for a lower quality or for a part of it, or split it and upload the parts.", .0 / 1_000_000
    )]
    Mp3TooLarge(u64),

    /// Decoding took longer on a processor than [`Limits::cpu`](crate::Limits::cpu).
    #[error(
        "This file takes more work to read than a video should. It may be damaged: save it again with another program and upload that."
    )]
    TooMuchWork(Duration),

    /// Decoding needed more memory than [`Limits::memory_bytes`](crate::Limits::memory_bytes).
    #[error(
        "This file takes more memory to read than a video should. It may be damaged: save it again with another program and upload that."
    )]
    TooMuchMemory,

    /// More tracks than [`Limits::streams`](crate::Limits::streams).
    #[error(
        "This video has more than {limit} tracks. Save it with its picture and one sound track and upload it again."
    )]
    TooManyStreams {
        /// As many would do.
        limit: u32,
    },

    /// The decoder said nothing for as long as [`Limits::silence`](crate::Limits::silence).
    #[error(
        "Reading this file leads nowhere. It may be damaged: save it again with another program and upload that."
    )]
    Stalled(Duration),

    /// The decoder crashed, or said what it never would unless something had got hold of it.
    #[error(
        "This file makes the decoder fail. It may be damaged: save it again with another program and upload that."
    )]
    Crashed(
        /// What happened, for the log.
        String,
    ),

    /// The decoder was killed from outside: by the system, for want of memory, or by a person.
    #[error("the decoder was killed")]
    Killed,

    /// The conversion was ended by its [`Stop`](crate::Stop).
    #[error("the conversion was stopped")]
    Stopped,

    /// The decoder's box doesn't hold, so nothing is given to it.
    #[error("the decoder's box doesn't hold: {0}")]
    Unconfined(
        /// What can be done inside.
        String,
    ),

    /// The caller's reader failed. Carries its own error.
    #[error("reading the input failed")]
    Input(#[source] io::Error),

    /// The caller's writer failed. Carries its own error.
    #[error("writing the output failed")]
    Output(#[source] io::Error),

    /// FFmpeg or LAME failed for reasons of their own, or the decoder couldn't be started.
    #[error("the audio engine failed: {0}")]
    Engine(String),
}

impl Error {
    /// A stable name in kebab-case, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAudio => "no-audio",
            Self::Unreadable { .. } => "unreadable",
            Self::NoSuchTrack { .. } => "no-such-track",
            Self::NothingLeft(_) => "nothing-left",
            Self::NotAnOption(_) => "not-an-option",
            Self::UnsupportedCodec { .. } => "unsupported-codec",
            Self::Truncated { .. } => "truncated",
            Self::NotInOrder => "not-in-order",
            Self::TooMuchSound(_) => "too-much-sound",
            Self::TooLittleSound { .. } => "too-little-sound",
            Self::Mp3TooLarge(_) => "mp3-too-large",
            Self::TooMuchWork(_) => "too-much-work",
            Self::TooMuchMemory => "too-much-memory",
            Self::TooManyStreams { .. } => "too-many-tracks",
            Self::Stalled(_) => "decoder-stalled",
            Self::Crashed(_) => "decoder-crashed",
            Self::Killed => "decoder-killed",
            Self::Stopped => "stopped",
            Self::Unconfined(_) => "unconfined",
            Self::Input(_) => "input-failed",
            Self::Output(_) => "output-failed",
            Self::Engine(_) => "engine-failed",
        }
    }

    /// Whether the file itself is at fault, or what was asked of it, so that trying again can't help.
    pub fn is_hopeless(&self) -> bool {
        match self {
            Self::NoAudio
            | Self::Unreadable { .. }
            | Self::NoSuchTrack { .. }
            | Self::NothingLeft(_)
            | Self::NotAnOption(_)
            | Self::UnsupportedCodec { .. }
            | Self::Truncated { .. }
            | Self::NotInOrder
            | Self::TooMuchSound(_)
            | Self::TooLittleSound { .. }
            | Self::Mp3TooLarge(_)
            | Self::TooMuchWork(_)
            | Self::TooMuchMemory
            | Self::TooManyStreams { .. }
            | Self::Stalled(_)
            | Self::Crashed(_) => true,
            // A kill says nothing about the file: the next try counts.
            Self::Killed
            | Self::Stopped
            | Self::Unconfined(_)
            | Self::Input(_)
            | Self::Output(_)
            | Self::Engine(_) => false,
        }
    }

    pub(crate) fn unreadable(reason: impl ToString) -> Self {
        Self::Unreadable {
            reason: reason.to_string(),
        }
    }

    /// What FFmpeg says of a file. It is the file's fault, unless memory is short.
    ///
    /// FFmpeg runs out of memory also where a file makes it ask for more than it may have in one piece. That much is
    /// never used for a sound, so memory is short only if the box wouldn't give it either.
    pub(crate) fn of_file(reason: Ffmpeg) -> Self {
        let mut memory = Vec::<u8>::new();
        match reason {
            Ffmpeg::Other { errno: ENOMEM }
                if memory.try_reserve_exact(MAX_ALLOCATION_BYTES).is_err() =>
            {
                Self::TooMuchMemory
            }
            _ => {
                std::hint::black_box(&mut memory); // or the compiler may take the reservation for granted
                Self::unreadable(reason)
            }
        }
    }

    pub(crate) fn engine(reason: impl ToString) -> Self {
        Self::Engine(reason.to_string())
    }
}

/// "12 hours", or shorter times in minutes and seconds.
fn hours(time: &Duration) -> String {
    match time.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{} hours", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

/// "1 (deu), 2 (eng), 3".
fn numbered(languages: &[Option<String>]) -> String {
    let tracks = languages.iter().enumerate().map(|(index, language)| {
        let number = index + 1;
        match language {
            Some(language) => format!("{number} ({language})"),
            None => number.to_string(),
        }
    });
    tracks.collect::<Vec<_>>().join(", ")
}

/// "1:02:03", "2:03", or "3.25 seconds".
fn clock(time: &Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.2} seconds", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
