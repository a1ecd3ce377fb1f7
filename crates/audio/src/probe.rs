//! What a container says of itself.

use std::io::{Read, Seek};
use std::time::Duration;

use crate::boxed::Sound;
use crate::extent::Extent;
use crate::input::Input;
use crate::pcm::Wish;
use crate::{Decoder, Error, Tags, convert};

/// What a container says of itself. Damaged ones say anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// FFmpeg's names of the format, with commas in between: `matroska,webm`.
    pub container: String,
    /// Of the longest track. Unknown for some, and a guess for others.
    pub duration: Option<Duration>,
    /// The sound tracks, in their order.
    pub tracks: Vec<TrackInfo>,
    /// Title, artist and so on. A cover only if it is small enough.
    pub tags: Tags,
    /// At most 255.
    pub chapters: Vec<Chapter>,
}

/// A sound track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrackInfo {
    /// From 1. Tracks that aren't sound aren't counted.
    pub number: u32,
    /// FFmpeg's short name of the codec, such as `aac`.
    pub codec: String,
    /// 0 if unknown.
    pub channels: u16,
    /// 0 if unknown.
    pub sample_rate_hz: u32,
    /// As the container has it: usually an ISO 639-2 code.
    pub language: Option<String>,
    /// What people may call it, such as `Director's commentary`.
    pub title: Option<String>,
    /// The one that is converted unless another is asked for.
    pub is_default: bool,
}

/// A part of the sound that has a name. Times count from the start of the sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chapter {
    /// Its first moment.
    pub start: Duration,
    /// The first moment after it.
    pub end: Duration,
    /// What it is called.
    pub title: Option<String>,
}

/// Looks into a video or sound file: at its container, and at as much of its sound as it takes to know its kind.
///
/// A file without sound is no error: then it has no tracks. Neither is one that ends too early.
///
/// # Errors
/// [`Error::Input`] and those of the decoder, as [`convert`](convert()) has them.
pub fn probe<I: Read + Seek>(input: I, decoder: &Decoder) -> Result<Probe, Error> {
    let mut input = Input::new(input).map_err(Error::Input)?;
    if input.is_pipe() {
        convert::check_extent(&mut input)?;
    }
    Sound::open(input, decoder, Wish::default(), Extent::Bytes(None))?.look()
}
