//! Video bytes in, MP3 bytes out. No network, no database, no async.
//!
//! ```text
//! input ─▶ extent ─▶ boxed ─────────────────────────────────────────▶ lame (native) ─▶ output
//! seek+read  whole?   ▲  │ byte ranges                           ▲        MP3 frames
//!                     │  ▼                                       │ PCM, or a typed error
//!                   ┌─┴──────────────────────────────────────────┴─┐
//!                   │ child: demux (native) ─▶ decode ─▶ resample  │  a process in a box: two pipes,
//!                   │          packets          frames   f32 planes│  memory, time, and nothing else
//!                   └──────────────────────────────────────────────┘
//! ```
//!
//! [`convert`] reads, encodes and writes on the caller's thread, in constant memory and without temporary files. FFmpeg
//! demuxes, decodes and resamples what strangers made, so it does that in a child process, the program `decant-decode`
//! (`child`), which closes a box around itself before it sees a byte of media. `protocol` is what the two say to each
//! other; `process` and `boxed` are the parent's side and believe nothing that isn't checked. LAME encodes in the parent.
//! Both libraries come from `scripts/native-libs`, and everything `unsafe` is in `native`.

mod boxed;
mod child;
mod convert;
mod decode;
mod decoder;
mod error;
mod extent;
mod input;
#[expect(
    unsafe_code,
    reason = "LAME has no safe binding; ffmpeg-next no call for discarding, refusing, limits and slices; no crate one \
              for closing all descriptors, resetting signals and replacing a program"
)]
mod native;
mod process;
mod protocol;
mod resample;
mod tag;

#[cfg(feature = "test-media")]
pub mod media;

pub use child::decode_in_a_box;
#[cfg(feature = "test-media")]
pub use child::decode_without_a_box;
pub use convert::{Mp3, Options, Progress, Quality, convert};
pub use decoder::{Decoder, Limits, Missing, Stop};
pub use error::Error;
pub use native::confine::ExitsWithoutMemory;
