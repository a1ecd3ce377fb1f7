//! The child's two pipes, and its parent's bytes behind them.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};
use std::process;

use rustix::io::{Errno, read, write};

use super::pictures::Pictures;
use crate::input::{ENDLESS, sought};
use crate::protocol::{MAX_READ_BYTES, Said};

/// Standard input and output, unbuffered: messages are large.
pub(super) struct Pipes {
    from: BorrowedFd<'static>,
    to: BorrowedFd<'static>,
    message: Vec<u8>,
}

impl Pipes {
    pub(super) fn standard() -> Self {
        // The handles are static, so what they lend out is too.
        static STDIN: std::sync::LazyLock<io::Stdin> = std::sync::LazyLock::new(io::stdin);
        static STDOUT: std::sync::LazyLock<io::Stdout> = std::sync::LazyLock::new(io::stdout);
        Self {
            from: STDIN.as_fd(),
            to: STDOUT.as_fd(),
            message: Vec::new(),
        }
    }

    /// A parent that doesn't listen has gone: there is nothing left to do.
    pub(super) fn say(&mut self, said: &Said) {
        self.send(|message| *message = said.encode());
    }

    /// Sends what `put` puts into an empty message.
    pub(super) fn send(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.message.clear();
        put(&mut self.message);
        let mut rest = self.message.as_slice();
        while !rest.is_empty() {
            match write(self.to, rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(_) => process::exit(1),
            }
        }
    }
}

impl Read for Pipes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(read(self.from, buffer)?)
    }
}

/// The parent's input, fetched in blocks. Never fails: without its parent the child ends.
pub(super) struct Remote {
    pipes: Pipes,
    length: u64,
    position: u64,
    /// Where the block begins.
    start: u64,
    block: Vec<u8>,
    pictures: Pictures,
}

impl Remote {
    pub(super) fn new(length: u64) -> Self {
        Self {
            pipes: Pipes::standard(),
            length,
            position: 0,
            start: 0,
            block: Vec::new(),
            pictures: Pictures::new(),
        }
    }

    /// Gets the block that the position is in. Blocks begin at multiples of their size, wherever FFmpeg wants to read.
    fn fetch(&mut self) {
        let offset = self.position - self.position % MAX_READ_BYTES as u64;
        let left = self.length - offset;
        let mut length = left.min(MAX_READ_BYTES as u64) as usize;
        self.pipes.say(&Said::Read { offset, length });
        if self.length == ENDLESS {
            length = self.hear_length(offset, length);
        }
        self.block.resize(length, 0);
        if self.pipes.read_exact(&mut self.block).is_err() {
            process::exit(1);
        }
        self.start = offset;
        let is_last = length as u64 == left;
        self.pictures.look(self.start, &self.block, is_last);
    }

    /// How much more a pipe has. Less than was asked for is the last.
    fn hear_length(&mut self, offset: u64, asked: usize) -> usize {
        let mut length = [0; 4];
        if self.pipes.read_exact(&mut length).is_err() {
            process::exit(1);
        }
        let length = (u32::from_le_bytes(length) as usize).min(asked);
        if length < asked {
            self.length = offset + length as u64;
        }
        length
    }

    /// Where in the block the position is, if it is.
    fn within(&self) -> Option<usize> {
        let offset = usize::try_from(self.position.checked_sub(self.start)?).ok()?;
        (offset < self.block.len()).then_some(offset)
    }
}

impl Read for Remote {
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

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.length)?;
        Ok(self.position)
    }
}
