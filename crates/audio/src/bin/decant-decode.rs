//! Demuxes, decodes and resamples one file in a box. Started by the functions, and of no use alone.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: decant_audio::ExitsWithoutMemory = decant_audio::ExitsWithoutMemory;

fn main() -> ExitCode {
    decant_audio::decode_in_a_box()
}
