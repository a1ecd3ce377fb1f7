//! What the parent hears of a child that was taken over.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decant_audio::fuzzing::protocol(bytes));
