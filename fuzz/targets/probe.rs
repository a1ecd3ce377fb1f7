//! A look into a container, in one process and without a box.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decant_audio::fuzzing::probe(bytes));
