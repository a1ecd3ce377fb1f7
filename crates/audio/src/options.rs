//! What a caller may ask for.

mod cover;

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

pub use cover::{Cover, CoverFormat};

/// How the MP3 should be.
///
/// A track that is MP3 already is copied as it is where no quality, part, fade or loudness is asked for and it has the channels
/// and the rate that are.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How good it should sound; [`Quality::default`] if `None`, or whatever an MP3 track has that can be copied.
    pub quality: Option<Quality>,
    /// Mix all channels into one. Otherwise mono stays mono and everything else becomes stereo.
    pub mono: bool,
    /// The MP3's sample rate; the nearest to the source's if `None`.
    pub sample_rate: Option<SampleRate>,
    /// Sound before this is left out.
    pub start: Duration,
    /// So is sound from here on. Both count from the start of the source's sound and are exact to the sample.
    pub end: Option<Duration>,
    /// How long the sound that is left takes to fade in, and to fade out at its end.
    pub fade: Duration,
    /// Brings the sound that is left to this loudness, as far as 40 dB more of it are enough and its peaks can be limited that much.
    /// Silence, and what is shorter than 0.4 s, stays as it is.
    pub loudness: Option<Loudness>,
    /// Which sound track of several; the one that players would choose if `None`.
    pub track: Option<Track>,
    /// The title where `tags` and the container have none.
    pub title: Option<String>,
    /// What the MP3 says of itself. Wins over what the container says.
    pub tags: Tags,
    /// How many threads encode; as many as the process may use cores if `None`. The MP3 is the same for any number.
    pub encoders: Option<NonZeroUsize>,
}

/// A loudness by EBU R128.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Integrated loudness, -70 to -5 LUFS.
    pub target_lufs: f64,
    /// No true peak above this, -9 to 0 dBTP: what would be beyond is limited.
    pub true_peak_dbtp: f64,
}

impl Default for Loudness {
    /// What podcasts and phones agree on: -16 LUFS, -1.5 dBTP.
    fn default() -> Self {
        Self {
            target_lufs: -16.0,
            true_peak_dbtp: -1.5,
        }
    }
}

/// One of a container's sound tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Track {
    /// The first sound track is 1, other tracks aren't counted.
    Number(u32),
    /// The first in this language, an ISO 639 code of two or three letters, in lower case: `de`, `deu` and `ger` are one.
    Language(String),
}

/// What an ID3 tag says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// Of the sound.
    pub title: Option<String>,
    /// Who made it.
    pub artist: Option<String>,
    /// What it is a part of.
    pub album: Option<String>,
    /// When it appeared: four digits.
    pub year: Option<String>,
    /// Anything else.
    pub comment: Option<String>,
    /// The front cover.
    pub cover: Option<Cover>,
}

/// LAME's quality levels of variable bitrate, and constant bitrates.
///
/// Below 32 kHz, MP3 has no bitrates above 160 kbit/s, and below 16 kHz none above 64: then the highest is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quality {
    /// Variable, about 245 kbit/s.
    V0,
    /// Variable, about 190 kbit/s: hardly anybody hears a difference from the source.
    #[default]
    V2,
    /// Variable, about 165 kbit/s.
    V4,
    /// Variable, about 115 kbit/s.
    V6,
    /// Constant, 128 kbit/s.
    K128,
    /// Constant, 160 kbit/s.
    K160,
    /// Constant, 192 kbit/s.
    K192,
    /// Constant, 224 kbit/s.
    K224,
    /// Constant, 256 kbit/s.
    K256,
    /// Constant, 320 kbit/s.
    K320,
}

/// What a [`Quality`] is to LAME.
pub(crate) enum Bitrate {
    /// A level from 0, the best, to 9.
    Variable(i32),
    /// In kbit/s.
    Constant(i32),
}

impl Quality {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::V0,
        Self::V2,
        Self::V4,
        Self::V6,
        Self::K128,
        Self::K160,
        Self::K192,
        Self::K224,
        Self::K256,
        Self::K320,
    ];

    /// As people write it: `v2`, `192k`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V2 => "v2",
            Self::V4 => "v4",
            Self::V6 => "v6",
            Self::K128 => "128k",
            Self::K160 => "160k",
            Self::K192 => "192k",
            Self::K224 => "224k",
            Self::K256 => "256k",
            Self::K320 => "320k",
        }
    }

    pub(crate) fn bitrate(self) -> Bitrate {
        match self {
            Self::V0 => Bitrate::Variable(0),
            Self::V2 => Bitrate::Variable(2),
            Self::V4 => Bitrate::Variable(4),
            Self::V6 => Bitrate::Variable(6),
            Self::K128 => Bitrate::Constant(128),
            Self::K160 => Bitrate::Constant(160),
            Self::K192 => Bitrate::Constant(192),
            Self::K224 => Bitrate::Constant(224),
            Self::K256 => Bitrate::Constant(256),
            Self::K320 => Bitrate::Constant(320),
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One of the nine sample rates that an MP3 can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SampleRate(u32);

impl SampleRate {
    /// Those of MPEG-1, 2 and 2.5, in Hz, from low to high.
    pub const ALL_HZ: [u32; 9] = [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
    ];

    /// In Hz.
    pub fn hz(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for SampleRate {
    type Error = NotAnOption;

    fn try_from(hz: u32) -> Result<Self, NotAnOption> {
        Self::ALL_HZ
            .contains(&hz)
            .then_some(Self(hz))
            .ok_or(NotAnOption(
                "a sample rate is one of 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000",
            ))
    }
}

/// Something was asked for that there isn't. Says what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnOption(pub(crate) &'static str);
