//! What can go wrong, and whose fault it is.

use std::io;

use ffmpeg_next::Error as Ffmpeg;
use ffmpeg_next::error::ENOMEM;

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

    /// The caller's reader failed. Carries its own error.
    #[error("reading the input failed")]
    Input(#[source] io::Error),

    /// The caller's writer failed. Carries its own error.
    #[error("writing the output failed")]
    Output(#[source] io::Error),

    /// FFmpeg or LAME failed for reasons of their own, such as a lack of memory.
    #[error("the audio engine failed: {0}")]
    Engine(String),
}

impl Error {
    /// A stable name in kebab-case, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAudio => "no-audio",
            Self::Unreadable { .. } => "unreadable",
            Self::UnsupportedCodec { .. } => "unsupported-codec",
            Self::Truncated { .. } => "truncated",
            Self::Input(_) => "input-failed",
            Self::Output(_) => "output-failed",
            Self::Engine(_) => "engine-failed",
        }
    }

    /// Whether the file itself is at fault, so that trying again can't help.
    pub fn is_hopeless(&self) -> bool {
        match self {
            Self::NoAudio
            | Self::Unreadable { .. }
            | Self::UnsupportedCodec { .. }
            | Self::Truncated { .. } => true,
            Self::Input(_) | Self::Output(_) | Self::Engine(_) => false,
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
    /// never used for a sound, so memory is short only if the system wouldn't give it either.
    pub(crate) fn of_file(reason: Ffmpeg) -> Self {
        let mut memory = Vec::<u8>::new();
        match reason {
            Ffmpeg::Other { errno: ENOMEM }
                if memory.try_reserve_exact(MAX_ALLOCATION_BYTES).is_err() =>
            {
                Self::engine("FFmpeg is out of memory")
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
