//! The MP3 on its way into the caller's output.

use std::io;
use std::time::Duration;

use crate::pcm::Spec;
use crate::{Error, Options, Probe, tag};

/// A finished MP3, of which all but the head has been written.
#[derive(Debug, Clone)]
pub struct Mp3 {
    /// The ID3v2.3 tag and the LAME/Xing frame: replaces as many bytes at the start of what was written.
    pub head: Vec<u8>,
    /// Exactly the sound, without what the encoder adds at both ends.
    pub duration: Duration,
    /// The whole MP3, head included.
    pub size_bytes: u64,
    /// One of MPEG's nine, 8000 to 48000.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u8,
    /// What it looks like: up to 1,000 values, one for each of as many equal parts, which is the greatest level in it, from
    /// 0 to 255 for full scale. Of a track that was copied, and so not decoded, it is an estimate.
    pub waveform: Vec<u8>,
    /// How much of the input was read.
    pub read_bytes: u64,
}

/// Collects what encoders give in drops, cuts what they give in buckets, and counts.
pub(crate) struct Writer<'a> {
    tag: Vec<u8>,
    output: &'a mut dyn io::Write,
    unwritten: Vec<u8>,
    written_bytes: u64,
}

impl<'a> Writer<'a> {
    const WRITE_BYTES: usize = 64 * 1024;

    /// Begins with the ID3 tag.
    pub(crate) fn new(
        options: &Options,
        found: Option<&Probe>,
        output: &'a mut dyn io::Write,
    ) -> Result<Self, Error> {
        let tag = tag::encode(options, found)?;
        Ok(Self {
            unwritten: tag.clone(),
            tag,
            output,
            written_bytes: 0,
        })
    }

    /// Where to append to what is to be written at the next [`send`](Self::send).
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.unwritten
    }

    /// Writes what has come together, unless it isn't worth it yet.
    pub(crate) fn send(&mut self) -> Result<(), Error> {
        if self.unwritten.len() >= Self::WRITE_BYTES {
            self.write_out()
        } else {
            Ok(())
        }
    }

    /// Nothing is missing but the tag frame, for which there was a placeholder.
    pub(crate) fn finish(
        mut self,
        spec: Spec,
        samples: u64,
        tag_frame: Vec<u8>,
    ) -> Result<Mp3, Error> {
        self.write_out()?;
        self.output.flush().map_err(Error::Output)?;
        let mut head = self.tag;
        head.extend(tag_frame);
        Ok(Mp3 {
            head,
            duration: spec.duration(samples),
            size_bytes: self.written_bytes,
            sample_rate_hz: spec.rate_hz,
            channels: spec.channels,
            waveform: Vec::new(),
            read_bytes: 0, // counted by who has the input
        })
    }

    fn write_out(&mut self) -> Result<(), Error> {
        for piece in self.unwritten.chunks(Self::WRITE_BYTES) {
            self.output.write_all(piece).map_err(Error::Output)?;
        }
        self.written_bytes += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }
}
