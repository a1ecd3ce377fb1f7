//! Video bytes in, MP3 bytes out. No network, no database, no async.
//!
//! ```text
//! input ─▶ extent ─▶ boxed ─▶ blocks ┬▶ segment ─▶ lame (native) ─┬▶ tag_frame ─▶ output
//! seek+read  whole?   ▲  │    of 49  ├▶ segment ─▶ lame           ─┤  summary
//!                     │  │    frames └▶ segment ─▶ lame           ─┘
//! └───── the caller's thread ───────┘└── a thread each (parallel) ──┘└ the caller's ┘
//!                     │  │ byte ranges                           ▲
//!                     │  ▼                                       │ PCM, or a typed error
//!                   ┌─┴──────────────────────────────────────────┴─┐
//!                   │ child: demux (native) ─▶ decode ─▶ resample  │  a process in a box: two pipes,
//!                   │          packets          frames   f32 planes│  memory, time, and nothing else
//!                   └──────────────────────────────────────────────┘
//! ```
//!
//! [`convert`] reads and writes on the caller's thread, in bounded memory and without temporary files. FFmpeg demuxes,
//! decodes and resamples what strangers made, so it does that in a child process, the program `decant-decode` (`child`),
//! which closes a box around itself before it sees a byte of media. `protocol` is what the two say to each other;
//! `process` and `boxed` are the parent's side and believe nothing that isn't checked.
//!
//! LAME encodes in the parent, on as many threads as there are cores. The segments' frames, one after the other, are byte
//! for byte those that one encoder would make of the whole. Sounds of less than half a minute, or all where there is one
//! core, go through one LAME on the caller's thread.
//!
//! Both libraries come from `scripts/native-libs`, and everything `unsafe` is in `native`.

mod blocks;
mod boxed;
mod child;
mod convert;
mod cuts;
mod decode;
mod decoder;
mod error;
mod extent;
mod frame;
mod input;
mod mp3;
#[expect(
    unsafe_code,
    reason = "LAME has no safe binding; ffmpeg-next no call for discarding, refusing, limits and slices; no crate one \
              for closing all descriptors, resetting signals and replacing a program"
)]
mod native;
mod options;
mod parallel;
mod pcm;
mod process;
mod protocol;
mod resample;
mod segment;
mod tag;
mod tag_frame;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(feature = "test-media")]
pub mod media;

pub use child::decode_in_a_box;
#[cfg(feature = "test-media")]
pub use child::decode_without_a_box;
#[cfg(feature = "test-media")]
pub use convert::convert_cut;
pub use convert::{Progress, convert};
pub use decoder::{Decoder, Limits, Missing, Stop};
pub use error::Error;
pub use mp3::Mp3;
pub use native::confine::ExitsWithoutMemory;
pub use options::{
    Cover, CoverFormat, Loudness, NotAnOption, Options, Quality, SampleRate, Tags, Track,
};
