//! The child's two pipes, and its parent's bytes behind them.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process;

use rustix::io::{Errno, read, write};

use super::remote::Source;
use crate::protocol::Said;

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

    fn hear(&mut self, bytes: &mut [u8]) {
        if self.read_exact(bytes).is_err() {
            process::exit(1);
        }
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

/// The parent has the input. Without it the child ends.
impl Source for Pipes {
    fn read_block(&mut self, offset: u64, block: &mut [u8]) {
        let length = block.len();
        self.say(&Said::Read { offset, length });
        self.hear(block);
    }

    fn read_next(&mut self, offset: u64, block: &mut Vec<u8>) {
        let length = block.len();
        self.say(&Said::Read { offset, length });
        let mut given = [0; 4];
        self.hear(&mut given);
        block.truncate(u32::from_le_bytes(given) as usize);
        self.hear(block);
    }
}
