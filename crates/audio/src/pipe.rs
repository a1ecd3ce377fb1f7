//! Inputs that can't seek.

use std::io::{self, Read, Seek, SeekFrom};

use crate::input::{ENDLESS, sought};

/// As much of the start is kept, to be looked at before it is read.
pub(crate) const PEEK_BYTES: u64 = 64 * 1024;

/// A reader that can't seek, such as a pipe or a socket, as an input of [`convert`](crate::convert()) and
/// [`probe`](crate::probe()).
///
/// It is read once, in order and in constant memory. That works for containers that are made to be streamed: MKV, WebM,
/// MPEG-TS, FLV, MP3 and MP4 whose index comes first; the others fail with [`Error::NotInOrder`](crate::Error::NotInOrder)
/// or as unreadable. Where the container tells its length, a pipe that ends too early fails as
/// [`Error::Truncated`](crate::Error::Truncated); where it doesn't, as in MPEG-TS, FLV, MP3 and what is recorded live, it makes a
/// short MP3.
#[derive(Debug)]
pub struct Pipe<R> {
    reader: R,
    start: Vec<u8>,
    position: u64,
    /// How much the reader has given.
    given: u64,
}

impl<R: Read> Pipe<R> {
    /// `reader` from where it is.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            start: Vec::new(),
            position: 0,
            given: 0,
        }
    }

    /// Has the start at hand up to the position, if the pipe is long enough.
    fn keep(&mut self, wanted: u64) -> io::Result<()> {
        if self.given == self.start.len() as u64 && self.given < wanted.min(PEEK_BYTES) {
            let missing = wanted.min(PEEK_BYTES) - self.given;
            let read = self
                .reader
                .by_ref()
                .take(missing)
                .read_to_end(&mut self.start);
            self.given = self.start.len() as u64;
            read?;
        }
        Ok(())
    }
}

impl<R: Read> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.keep(self.position.saturating_add(buffer.len() as u64))?;
        let kept = usize::try_from(self.position).ok();
        let kept = kept.and_then(|position| self.start.get(position..));
        let read = match kept {
            Some(kept) if !kept.is_empty() => {
                let length = kept.len().min(buffer.len());
                buffer[..length].copy_from_slice(&kept[..length]);
                length
            }
            _ if self.position == self.given => {
                let read = self.reader.read(buffer)?;
                self.given += read as u64;
                read
            }
            // Beyond the end of a short one.
            _ if self.position > self.given && self.given < PEEK_BYTES => 0,
            _ => {
                let message = "this needs to go back to what was read before, which a pipe can't: give the file itself";
                return Err(io::Error::new(io::ErrorKind::NotSeekable, message));
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read> Seek for Pipe<R> {
    /// Only moves the position: a read from where the pipe has passed fails. The end is nowhere.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, ENDLESS)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that tell where they are, a few at a time.
    struct Trickle {
        at: usize,
        length: usize,
    }

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1000).min(self.length - self.at);
            for byte in &mut buffer[..length] {
                *byte = (self.at % 251) as u8;
                self.at += 1;
            }
            Ok(length)
        }
    }

    fn pipe(length: usize) -> Pipe<Trickle> {
        Pipe::new(Trickle { at: 0, length })
    }

    fn expected(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn the_start_can_be_looked_at_and_all_of_it_is_read_then() -> io::Result<()> {
        for length in [0, 10, 999, 65_535, 65_536, 65_537, 300_000] {
            let mut pipe = pipe(length);
            assert_eq!(pipe.seek(SeekFrom::End(0))?, ENDLESS);
            let mut peeked = [0; 8];
            for at in [0, 5, 60_000, 65_528, 17] {
                pipe.seek(SeekFrom::Start(at as u64))?;
                let read = pipe.read(&mut peeked)?;
                assert_eq!(
                    peeked[..read],
                    expected(length).get(at..at + read).unwrap_or_default()[..]
                );
                assert_eq!(read, length.saturating_sub(at).min(8), "{length} {at}");
            }
            pipe.rewind()?;
            let mut all = Vec::new();
            pipe.read_to_end(&mut all)?;
            assert!(all == expected(length), "{length}");
        }
        Ok(())
    }

    #[test]
    fn what_has_passed_is_not_to_be_had_again() -> io::Result<()> {
        let mut pipe = pipe(300_000);
        pipe.read_exact(&mut [0; 200_000])?;
        pipe.seek(SeekFrom::Start(100_000))?;
        let error = pipe.read(&mut [0; 8]).map_err(|error| error.kind());
        assert_eq!(error, Err(io::ErrorKind::NotSeekable));
        Ok(())
    }
}
