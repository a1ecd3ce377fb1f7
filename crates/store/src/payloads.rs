use crate::Error;
use async_trait::async_trait;
use bytes::Bytes;
use decant_events::FileId;
use futures::stream::{self, BoxStream};
use std::{ops::Range, sync::Arc};

/// The size of GridFS's chunks, which every back end reads and writes best in: 255 KiB.
pub const CHUNK_BYTES: usize = 255 * 1024;

/// The two kinds of payload, each in a place (a GridFS database, a folder) of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// What people upload.
    Videos,
    /// What people download.
    Mp3s,
}

impl Bucket {
    /// The name of the place.
    pub fn name(self) -> &'static str {
        match self {
            Self::Videos => "videos",
            Self::Mp3s => "mp3s",
        }
    }
}

/// Stored bytes by id. A payload is readable once it is finished, and never changes then.
#[async_trait]
pub trait Payloads: Send + Sync {
    /// Begins a payload. Its job's record must name `id` already. A finished payload is never overwritten: here, or when
    /// the writer finishes at the latest, it is refused with [`Error::Exists`].
    ///
    /// `file_name` is kept with the bytes where the back end has a place for it.
    async fn create(
        &self,
        bucket: Bucket,
        id: FileId,
        file_name: &str,
    ) -> Result<Box<dyn PayloadWriter>, Error>;

    /// Goes on writing a half-written payload at `offset`, which [`PayloadWriter::checkpoint`] gave; what lies beyond it
    /// is dropped. Says [`Error::Exists`] if the payload is finished, [`Error::NotFound`] if nothing of it is there, and
    /// [`Error::Corrupt`] if fewer bytes than `offset` are durable.
    ///
    /// Of two writers of one payload at most one can finish it: usually the later, unless the back end refuses it with
    /// [`Error::Unavailable`] as long as the earlier one lives.
    async fn resume(
        &self,
        bucket: Bucket,
        id: FileId,
        file_name: &str,
        offset: u64,
    ) -> Result<Box<dyn PayloadWriter>, Error>;

    /// Opens a finished payload, or says [`Error::NotFound`]. A reader reads on when the payload is deleted meanwhile,
    /// or fails with a typed error: it never gives wrong bytes.
    async fn open(&self, bucket: Bucket, id: FileId) -> Result<Arc<dyn PayloadReader>, Error>;

    /// Says [`Error::Full`] where nothing more fits.
    async fn room(&self) -> Result<(), Error>;

    /// Deletes a payload, finished or half-written. Deleting what isn't there succeeds.
    async fn delete(&self, bucket: Bucket, id: FileId) -> Result<(), Error>;
}

/// Writes one payload, in order. Dropping it leaves a half-written payload, which nobody can open
/// and [`Payloads::delete`] removes.
#[async_trait]
pub trait PayloadWriter: Send {
    /// Appends bytes. After a write that failed or was dropped, the payload can't be finished.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Makes what was written so far durable, and gives its length: an offset that [`Payloads::resume`] can go on at,
    /// whatever happens to this writer.
    async fn checkpoint(&mut self) -> Result<u64, Error>;

    /// Makes the payload durable and readable. Gives its size in bytes.
    ///
    /// `head`, if not empty, replaces the first `head.len()` bytes: an MP3's tag is known last. It is at most
    /// [`CHUNK_BYTES`] long and not longer than what was written.
    async fn finish(self: Box<Self>, head: Bytes) -> Result<u64, Error>;
}

/// Reads one finished payload.
#[async_trait]
pub trait PayloadReader: Send + Sync + 'static {
    /// The payload's size in bytes.
    fn size_bytes(&self) -> u64;

    /// The bytes from `offset`, `length` of them or fewer at the payload's end, none beyond it.
    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, Error>;

    /// The bytes of `range` in order, in pieces of about a chunk. The range must lie within the payload.
    fn stream(self: Arc<Self>, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Error>> {
        Box::pin(stream::try_unfold(range, move |rest| {
            let reader = Arc::clone(&self);
            async move {
                if rest.is_empty() {
                    return Ok(None);
                }
                let length =
                    CHUNK_BYTES.min(usize::try_from(rest.end - rest.start).unwrap_or(CHUNK_BYTES));
                let bytes = reader.read_at(rest.start, length).await?;
                if bytes.is_empty() {
                    return Err(Error::Corrupt("a payload ends before its size".into()));
                }
                let next = rest.start + bytes.len() as u64;
                Ok(Some((bytes, next..rest.end)))
            }
        }))
    }
}
