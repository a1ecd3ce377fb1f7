//! Video bytes in, MP3 bytes out. No network, no database, no async.
//!
//! ```text
//! input ─▶ extent ─▶ boxed ─▶ shaped ─▶ blocks ┬▶ segment ─▶ lame (native) ─┬▶ tag_frame ─▶ output
//! seek+read  whole?   ▲  │    cut,      of 49  ├▶ segment ─▶ lame           ─┤  summary
//!                     │  │    faded,    frames └▶ segment ─▶ lame           ─┘
//!                     │  │    loud enough
//! └─────────── the caller's thread ────────────┘└── a thread each (parallel) ──┘└ the caller's ┘
//!                     │  │ byte ranges                           ▲
//!                     │  ▼                                       │ PCM, or a typed error
//!                   ┌─┴──────────────────────────────────────────┴─┐
//!                   │ child: demux (native) ─▶ decode ─▶ resample  │  a process in a box: two pipes,
//!                   │          packets, of     frames   f32 planes│  memory, time, and nothing else
//!                   │          one track                          │
//!                   └──────────────────────────────────────────────┘
//! ```
//!
//! [`convert`] reads and writes on the caller's thread, in bounded memory and without temporary files. FFmpeg demuxes,
//! decodes and resamples what strangers made, so it does that in a child process, the program `decant-decode` (`child`),
//! which closes a box around itself before it sees a byte of media. `protocol` is what the two say to each other;
//! `process` and `boxed` are the parent's side and believe nothing that isn't checked.
//!
//! What people ask for beyond that is done to the PCM in the parent: `clip` takes a part of it, `fade` makes its ends
//! rise and fall, `waveform` draws it. Where a `loudness` is asked for, all of this happens twice, the first time only to
//! measure and to `forecast` what the `limiter` will leave of it; what was read of the input is `kept` for the second time, as
//! far as memory goes.
//!
//! LAME encodes in the parent, on as many threads as there are cores. The segments' frames, one after the other, are byte
//! for byte those that one encoder would make of the whole. Sounds of less than half a minute, or all where there is one
//! core, go through one LAME on the caller's thread.
//!
//! A track that is MP3 already isn't decoded: the child hands over its packets, `copy` takes them apart into frames, and if
//! all of them fit together they get a fresh tag (`source_tag`) and that is it. What they look like is guessed from their
//! `side_info`.
//!
//! Both libraries come from `scripts/native-libs`, and everything `unsafe` is in `native`.

mod blocks;
mod boxed;
mod boxes;
mod check;
mod child;
mod clip;
mod contents;
mod convert;
mod copy;
mod cuts;
mod decode;
mod decoder;
mod ebml;
mod error;
mod extent;
mod fade;
mod fields;
mod forecast;
mod frame;
mod gated;
mod input;
mod kept;
mod language;
mod limiter;
mod loudness;
mod mp3;
#[expect(
    unsafe_code,
    reason = "LAME has no safe binding; ffmpeg-next no call for discarding, refusing, limits and slices; no crate one \
              for closing all descriptors, resetting signals, replacing a program and tuning the allocator"
)]
mod native;
mod options;
mod parallel;
mod pcm;
mod pipe;
mod probe;
mod process;
mod progress;
mod protocol;
mod resample;
mod segment;
mod shaped;
mod side_info;
mod source_tag;
mod tag;
mod tag_frame;
mod track;
mod true_peak;
mod waveform;
mod weighting;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(feature = "test-media")]
pub mod media;

pub use child::decode_in_a_box;
#[cfg(feature = "test-media")]
pub use child::decode_without_a_box;
pub use convert::convert;
#[cfg(feature = "test-media")]
pub use convert::convert_cut;
pub use decoder::{Decoder, Limits, Missing, Stop};
pub use error::Error;
pub use mp3::Mp3;
pub use native::confine::ExitsWithoutMemory;
pub use native::memory::free_blocks_at_once;
pub use options::{
    Cover, CoverFormat, Loudness, NotAnOption, Options, Quality, SampleRate, Tags, Track,
};
pub use pipe::Pipe;
pub use probe::{Chapter, Probe, TrackInfo, probe};
pub use progress::Progress;
