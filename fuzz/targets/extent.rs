//! What the parent itself reads of a file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decant_audio::fuzzing::extent(bytes));
