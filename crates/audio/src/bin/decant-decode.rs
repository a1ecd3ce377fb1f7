//! Demuxes, decodes and resamples one file in a box. Started by the functions, and of no use alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    decant_audio::decode_in_a_box()
}
