//! The input as FFmpeg reads it: somewhere else, and fetched in blocks.

use std::io::{self, Read, Seek, SeekFrom};

use super::pictures::Pictures;
use super::tracks::Tracks;
use crate::input::{ENDLESS, sought};
use crate::protocol::MAX_READ_BYTES;

/// Where blocks come from. Never fails.
pub(crate) trait Source {
    /// Fills `block` with the bytes from `offset` on, all of which there are.
    fn read_block(&mut self, offset: u64, block: &mut [u8]);

    /// The same of a pipe that has come as far as `offset`: cuts `block` where the pipe ends.
    fn read_next(&mut self, offset: u64, block: &mut Vec<u8>);
}

/// A file or a pipe that is somewhere else.
pub(crate) struct Remote<S> {
    source: S,
    length: u64,
    position: u64,
    /// Where the block begins.
    start: u64,
    block: Vec<u8>,
    pictures: Pictures,
    tracks: Tracks,
}

impl<S: Source> Remote<S> {
    /// With so many bytes, [`ENDLESS`] for a pipe.
    pub(crate) fn new(source: S, length: u64) -> Self {
        Self {
            source,
            length,
            position: 0,
            start: 0,
            block: Vec::new(),
            pictures: Pictures::new(),
            tracks: Tracks::new(),
        }
    }

    /// Gets the block that the position is in. Blocks begin at multiples of their size, wherever FFmpeg wants to read.
    fn fetch(&mut self) {
        let offset = self.position - self.position % MAX_READ_BYTES as u64;
        let left = self.length - offset;
        let asked = left.min(MAX_READ_BYTES as u64) as usize;
        self.block.resize(asked, 0);
        if self.length == ENDLESS {
            self.source.read_next(offset, &mut self.block);
            if self.block.len() < asked {
                self.length = offset + self.block.len() as u64;
            }
        } else {
            self.source.read_block(offset, &mut self.block);
        }
        self.start = offset;
        let is_last = self.block.len() as u64 == left;
        self.pictures.look(self.start, &self.block, is_last);
        self.tracks.hide(self.start, &mut self.block);
    }

    /// Where in the block the position is, if it is.
    fn within(&self) -> Option<usize> {
        let offset = usize::try_from(self.position.checked_sub(self.start)?).ok()?;
        (offset < self.block.len()).then_some(offset)
    }
}

impl<S: Source> Read for Remote<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length {
            return Ok(0);
        }
        if self.within().is_none() {
            let unwanted = match self.length {
                ENDLESS => 0, // a pipe gives everything
                length => {
                    let unwanted = self.pictures.unwanted(self.position);
                    unwanted.min(length - self.position)
                }
            };
            if unwanted > 0 {
                let length = buffer
                    .len()
                    .min(usize::try_from(unwanted).unwrap_or(usize::MAX));
                buffer[..length].fill(0);
                self.position += length as u64;
                return Ok(length);
            }
            self.fetch();
        }
        let at_hand = self.block.get(self.within().unwrap_or(0)..);
        let at_hand = at_hand.unwrap_or_default();
        let length = at_hand.len().min(buffer.len());
        buffer[..length].copy_from_slice(&at_hand[..length]);
        self.position += length as u64;
        Ok(length)
    }
}

impl<S> Seek for Remote<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.length)?;
        Ok(self.position)
    }
}
