//! The caller's reader as FFmpeg gets to see it.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// The length of what has no known one: a [`Pipe`](crate::Pipe), which is read in order.
pub(crate) const ENDLESS: u64 = u64::MAX;

/// Counts the bytes that a reader gives.
pub(crate) struct Counted<I> {
    reader: I,
    pub(crate) bytes: u64,
}

impl<I> Counted<I> {
    pub(crate) fn new(reader: I) -> Self {
        Self { reader, bytes: 0 }
    }
}

impl<I: Read> Read for Counted<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<I: Seek> Seek for Counted<I> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

/// A reader of known length that seeks only when it must, and remembers the first error it meets.
///
/// FFmpeg turns read errors into numbers, or into an early end of the file. Whoever calls FFmpeg therefore asks the
/// [`Fault`] after each call, so that a failing reader never passes for a short file.
pub(crate) struct Input<I> {
    reader: I,
    length: u64,
    /// Where the next byte comes from. FFmpeg seeks far more often than it reads, so seeking only moves this.
    position: u64,
    /// Where the reader itself stands; unknown after an error.
    reader_position: Option<u64>,
    fault: Fault,
}

impl<I: Read + Seek> Input<I> {
    /// Asks the reader for its length.
    pub(crate) fn new(mut reader: I) -> io::Result<Self> {
        let length = reader.seek(SeekFrom::End(0))?;
        Ok(Self {
            reader,
            length,
            position: 0,
            reader_position: Some(length),
            fault: Fault::default(),
        })
    }

    /// In bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Whether it is read in order, to an end that shows up only then.
    pub(crate) fn is_pipe(&self) -> bool {
        self.length == ENDLESS
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault.clone()
    }

    fn read_here(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reader_position != Some(self.position) {
            self.reader_position = None;
            self.reader.seek(SeekFrom::Start(self.position))?;
            self.reader_position = Some(self.position);
        }
        let read = self.reader.read(buffer)?;
        if read == 0 && !self.is_pipe() {
            let message = format!("ends at {} of its {} bytes", self.position, self.length);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.position = self.position.saturating_add(read as u64);
        self.reader_position = Some(self.position);
        Ok(read)
    }
}

impl<I: Read + Seek> Read for Input<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.length {
            return Ok(0);
        }
        if self.fault.happened() {
            return Err(io::Error::other("the input failed before"));
        }
        let left = usize::try_from(self.length - self.position).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        match self.read_here(&mut buffer[..wanted]) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.reader_position = None;
                self.fault.remember(error);
                Err(io::Error::other("the input failed"))
            }
            read => read,
        }
    }
}

impl<I> Seek for Input<I> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.length)?;
        Ok(self.position)
    }
}

/// Where a reader that is at `position` of `length` is then.
pub(crate) fn sought(to: SeekFrom, position: u64, length: u64) -> io::Result<u64> {
    let sought = match to {
        SeekFrom::Start(position) => Some(position),
        SeekFrom::Current(by) => position.checked_add_signed(by),
        SeekFrom::End(by) => length.checked_add_signed(by),
    };
    Ok(sought.ok_or(io::ErrorKind::InvalidInput)?)
}

/// The first error of an [`Input`], shared with whoever holds the FFmpeg context that owns the input.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<FaultState>>);

#[derive(Default)]
struct FaultState {
    happened: bool,
    error: Option<io::Error>,
}

impl Fault {
    /// The reader's error, once.
    pub(crate) fn take(&self) -> Option<io::Error> {
        self.lock().error.take()
    }

    fn happened(&self) -> bool {
        self.lock().happened
    }

    fn remember(&self, error: io::Error) {
        let mut state = self.lock();
        state.happened = true;
        state.error.get_or_insert(error);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, FaultState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
