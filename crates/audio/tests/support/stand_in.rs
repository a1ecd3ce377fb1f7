//! Programs in the decoder's place: shell scripts that crash, hang and lie.

use std::fs;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use decant_audio::{Decoder, Error, Mp3, Options, convert};
use tempfile::TempDir;

pub struct StandIn {
    folder: TempDir,
    pub decoder: Decoder,
}

impl StandIn {
    /// Runs `script`, in which `$here` is its own folder.
    pub fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (text, program) = (folder.path().join("text"), folder.path().join("decoder"));
        fs::write(&text, format!("#!/bin/sh\nhere=${{0%/*}}\n{script}\n")).expect("a script");
        // By another process: a file that this one had open for writing might, for a moment, not be started.
        let installed = Command::new("install")
            .args(["-m", "755"])
            .args([&text, &program])
            .status();
        assert!(installed.expect("install runs").success());
        let mut decoder = Decoder::new(program);
        decoder.limits.silence = Duration::from_secs(2);
        Self { folder, decoder }
    }

    /// Says that it is confined, then these bytes, then does `then`.
    pub fn saying(bytes: &[u8], then: &str) -> Self {
        let stand_in = Self::new(&format!("cat \"$here/said\"\n{then}"));
        let mut said = message(1, &[0]);
        said.extend(bytes);
        fs::write(stand_in.file("said"), said).expect("what it says");
        stand_in
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What becomes of a file of 1000 bytes.
    pub fn convert(&self) -> Result<Mp3, Error> {
        convert(
            Cursor::new(vec![7; 1000]),
            &self.decoder,
            &Options::default(),
            &mut io::sink(),
            &mut |_| {},
        )
    }
}

/// A message as `protocol.rs` has it.
pub fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((payload.len() as u32).to_le_bytes());
    message.extend(payload);
    message
}

/// Wants bytes of the input.
pub fn read(offset: u64, length: u32) -> Vec<u8> {
    let mut payload = offset.to_le_bytes().to_vec();
    payload.extend(length.to_le_bytes());
    message(3, &payload)
}

/// Has found sound of unknown length.
pub fn found(rate_hz: u32, channels: u8) -> Vec<u8> {
    let mut payload = rate_hz.to_le_bytes().to_vec();
    payload.push(channels);
    payload.extend([0xFF; 8]);
    payload.extend([0; 8]);
    message(4, &payload)
}

pub fn pcm(samples: &[f32]) -> Vec<u8> {
    let payload: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    message(5, &payload)
}
