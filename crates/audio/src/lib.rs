//! Video bytes in, MP3 bytes out. No network, no database, no async.
//!
//! ```text
//! input ─▶ extent ─▶ demux (native) ─▶ decode ─▶ resample ─▶ blocks ┬▶ segment ─▶ lame (native) ─┬▶ tag_frame ─▶ output
//! seek+read  whole?     packets          frames     f32 planes  of 49 ├▶ segment ─▶ lame           ─┤  summary
//!                                                             frames └▶ segment ─▶ lame           ─┘
//! └──────────────────── the caller's thread ───────────────────────┘└── a thread each (parallel) ──┘└ the caller's ┘
//! ```
//!
//! [`convert`] works in bounded memory and without temporary files. FFmpeg demuxes, decodes and resamples on the
//! caller's thread; LAME encodes, on as many threads as there are cores. The segments' frames, one after the other, are
//! byte for byte those that one encoder would make of the whole. Sounds of less than half a minute, or all where there
//! is one core, go through one LAME on the caller's thread.
//!
//! FFmpeg and LAME come from `scripts/native-libs`, and everything `unsafe` about them is in `native`.

mod blocks;
mod convert;
mod cuts;
mod decode;
mod error;
mod extent;
mod frame;
mod input;
mod mp3;
#[expect(
    unsafe_code,
    reason = "LAME has no safe binding, ffmpeg-next no call for discarding, refusing, limits and slices"
)]
mod native;
mod options;
mod parallel;
mod pcm;
mod resample;
mod segment;
mod tag;
mod tag_frame;

#[cfg(feature = "test-media")]
pub mod media;

#[cfg(feature = "test-media")]
pub use convert::convert_cut;
pub use convert::{Progress, convert};
pub use error::Error;
pub use mp3::Mp3;
pub use options::{NotAnOption, Options, Quality, SampleRate};
