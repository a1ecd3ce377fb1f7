//! `decant-decode` without its box, for the test that its absence is noticed.

use std::process::ExitCode;

fn main() -> ExitCode {
    decant_audio::decode_without_a_box()
}
