//! Video bytes in, MP3 bytes out. No network, no database, no async.
//!
//! ```text
//! input ─▶ extent ─▶ demux (native) ─▶ decode ─▶ resample ─▶ lame (native) ─▶ output
//! seek+read  whole?     packets          frames     f32 planes   MP3 frames
//! ```
//!
//! [`convert`] runs all of it on the caller's thread, in constant memory and without temporary files. FFmpeg demuxes,
//! decodes and resamples; LAME encodes. Both come from `scripts/native-libs`, and everything `unsafe` about them is in
//! `native`.

mod convert;
mod decode;
mod error;
mod extent;
mod input;
#[expect(
    unsafe_code,
    reason = "LAME has no safe binding, ffmpeg-next no call for discarding, refusing, limits and slices"
)]
mod native;
mod resample;
mod tag;

#[cfg(feature = "test-media")]
pub mod media;

pub use convert::{Mp3, Options, Progress, Quality, convert};
pub use error::Error;
