//! A reader whose bytes stay in memory, so that they needn't be fetched again.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

/// What a piece costs besides its bytes: whoever reads byte by byte must not take more memory than there is room.
const PIECE_BYTES: usize = 128;

/// Keeps what is read the first time, as far as there is room for it.
pub(crate) struct Kept<I> {
    reader: I,
    /// Where the next byte comes from.
    position: u64,
    /// Where the reader itself stands; unknown at first and after an error.
    reader_position: Option<u64>,
    /// What there is, by where it begins.
    pieces: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    room_bytes: usize,
}

impl<I> Kept<I> {
    /// With room for so many bytes, which may be none.
    pub(crate) fn new(reader: I, room_bytes: usize) -> Self {
        Self {
            reader,
            position: 0,
            reader_position: None,
            pieces: BTreeMap::new(),
            bytes: 0,
            room_bytes,
        }
    }

    /// How much memory that takes, after which nothing is added.
    pub(crate) fn close(&mut self) -> u64 {
        self.room_bytes = 0;
        self.bytes as u64
    }

    /// What there is from the position on.
    fn at_hand(&self) -> Option<&[u8]> {
        let (start, piece) = self.pieces.range(..=self.position).next_back()?;
        let offset = usize::try_from(self.position - start).ok()?;
        piece.get(offset..).filter(|rest| !rest.is_empty())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let cost = bytes.len() + PIECE_BYTES;
        if bytes.is_empty() || cost > self.room_bytes {
            return;
        }
        self.room_bytes -= cost;
        self.bytes += cost;
        self.pieces.insert(self.position, bytes.to_vec());
    }
}

impl<I: Read + Seek> Read for Kept<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = if let Some(at_hand) = self.at_hand() {
            let length = at_hand.len().min(buffer.len());
            buffer[..length].copy_from_slice(&at_hand[..length]);
            length
        } else {
            if self.reader_position.take() != Some(self.position) {
                self.reader.seek(SeekFrom::Start(self.position))?;
            }
            let read = self.reader.read(buffer)?;
            self.keep(buffer.get(..read).unwrap_or_default());
            self.reader_position = Some(self.position.saturating_add(read as u64));
            read
        };
        self.position = self.position.saturating_add(read as u64);
        Ok(read)
    }
}

impl<I: Seek> Seek for Kept<I> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(_) => {
                let position = self.reader.seek(to)?;
                self.reader_position = Some(position);
                Some(position)
            }
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// Counts what is read.
    struct Counting(Cursor<Vec<u8>>, usize);

    impl Read for Counting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 += read;
            Ok(read)
        }
    }

    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn bytes() -> Vec<u8> {
        (0..1000_u32).map(|n| (n * 7 % 251) as u8).collect()
    }

    fn read_all(reader: &mut (impl Read + Seek), ranges: &[(u64, usize)]) -> Vec<Vec<u8>> {
        let read = |&(offset, length): &(u64, usize)| {
            let mut piece = vec![0; length];
            reader.seek(SeekFrom::Start(offset)).expect("it seeks");
            reader.read_exact(&mut piece).expect("it reads");
            piece
        };
        ranges.iter().map(read).collect()
    }

    #[test]
    fn what_was_read_once_is_not_read_again() {
        let mut kept = Kept::new(Counting(Cursor::new(bytes()), 0), 2000);
        let ranges = [(0, 300), (700, 300), (300, 100)];
        let first = read_all(&mut kept, &ranges);
        assert_eq!(kept.close(), 700 + 3 * 128);
        assert_eq!(read_all(&mut kept, &ranges), first);
        assert_eq!(kept.reader.1, 700);
    }

    #[test]
    fn what_there_was_no_room_for_is_read_again() {
        let mut kept = Kept::new(Counting(Cursor::new(bytes()), 0), 700);
        let ranges = [(0, 300), (300, 300), (600, 100)];
        let first = read_all(&mut kept, &ranges);
        assert_eq!(kept.close(), 400 + 2 * 128);
        assert_eq!(read_all(&mut kept, &ranges), first);
        assert_eq!(kept.reader.1, 1000);
    }

    proptest! {
        #[test]
        fn it_reads_what_its_reader_reads(
            ranges in prop::collection::vec((0_u64..900, 0_usize..100), 0..40),
            room in 0_usize..1500,
        ) {
            let mut kept = Kept::new(Cursor::new(bytes()), room);
            let expected = read_all(&mut Cursor::new(bytes()), &ranges);
            prop_assert_eq!(&read_all(&mut kept, &ranges), &expected);
            prop_assert!(kept.close() <= room as u64);
            let kept_bytes: usize = kept.pieces.values().map(|piece| piece.len() + 128).sum();
            prop_assert_eq!(kept.bytes, kept_bytes);
            prop_assert_eq!(&read_all(&mut kept, &ranges), &expected);
        }
    }
}
