//! An input that counts the bytes that it gives.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

pub struct Counting {
    pub file: Cursor<Vec<u8>>,
    pub given_bytes: u64,
}

impl Counting {
    pub fn new(file: Vec<u8>) -> Self {
        Self {
            file: Cursor::new(file),
            given_bytes: 0,
        }
    }
}

impl Read for &mut Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.given_bytes += read as u64;
        Ok(read)
    }
}

impl Seek for &mut Counting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
