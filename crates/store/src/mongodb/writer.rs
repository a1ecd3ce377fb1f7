use super::{chunk, half_written::HalfWritten};
use crate::{CHUNK_BYTES, Error, PayloadWriter};
use async_trait::async_trait;
use bytes::Bytes;
use mongodb::bson::{Document, oid::ObjectId};
use std::sync::Arc;
use tokio::{sync::OwnedSemaphorePermit, task::JoinSet};

/// How many chunks go with one insert, at least.
const BATCH: usize = 2;
/// And at most, as long as not too many of them wait in the whole process: larger inserts are faster.
const LARGE_BATCH: usize = 4;
/// How many inserts of one payload are in flight.
const IN_FLIGHT: usize = 2;

/// Writes a payload, chunk by chunk.
pub(super) struct ChunkWriter {
    payload: HalfWritten,
    file_name: String,
    /// Taken while a write is under way. A write that fails or is dropped halfway never puts it back, so that a payload
    /// with a hole can't be finished.
    sound: Option<Progress>,
}

impl ChunkWriter {
    pub(super) fn new(payload: HalfWritten, file_name: &str, offset: u64, tail: Tail) -> Self {
        let sound = Progress {
            size_bytes: offset,
            tail,
            first: None,
            batch: Vec::new(),
            extra: Vec::new(),
            in_flight: JoinSet::new(),
        };
        Self {
            payload,
            file_name: file_name.to_owned(),
            sound: Some(sound),
        }
    }

    fn take(&mut self) -> Result<Progress, Error> {
        self.sound
            .take()
            .ok_or_else(|| Error::Unavailable("an earlier write of this payload failed".into()))
    }
}

#[async_trait]
impl PayloadWriter for ChunkWriter {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        let mut progress = self.take()?;
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - progress.tail.bytes.len();
            let piece = bytes.split_to(room.min(bytes.len()));
            progress.gather(&self.payload, &piece).await?;
        }
        self.sound = Some(progress);
        Ok(())
    }

    async fn checkpoint(&mut self) -> Result<u64, Error> {
        let mut progress = self.take()?;
        progress.store_all(&self.payload).await?;
        self.payload.note(progress.size_bytes).await?;
        let size_bytes = progress.size_bytes;
        self.sound = Some(progress);
        Ok(size_bytes)
    }

    async fn finish(mut self: Box<Self>, head: Bytes) -> Result<u64, Error> {
        let mut progress = self.take()?;
        let size_bytes = progress.size_bytes;
        if head.len() as u64 > size_bytes {
            return Err(Error::Corrupt("the head is longer than its payload".into()));
        }
        if !head.is_empty() {
            progress.replace_head(&self.payload, &head).await?;
        }
        progress.store_all(&self.payload).await?;
        self.payload.publish(&self.file_name, size_bytes).await?;
        Ok(size_bytes)
    }
}

/// The last chunk, as long as it isn't full.
#[derive(Default)]
pub(super) struct Tail {
    /// All its bytes.
    pub(super) bytes: Vec<u8>,
    /// The `_id` of the document that holds some of them already, and is replaced whole.
    pub(super) stored_as: Option<ObjectId>,
}

/// How far a writer is.
struct Progress {
    size_bytes: u64,
    tail: Tail,
    /// The first chunk, held back because `finish` may replace its head.
    first: Option<Vec<u8>>,
    /// Full chunks that wait for company.
    batch: Vec<Document>,
    /// One for each chunk that waits, or is inserted, beyond `BATCH`.
    extra: Vec<OwnedSemaphorePermit>,
    in_flight: JoinSet<Result<(), Error>>,
}

impl Progress {
    /// Takes bytes that the tail has room for.
    async fn gather(&mut self, payload: &HalfWritten, piece: &[u8]) -> Result<(), Error> {
        if self.tail.bytes.is_empty() {
            self.tail.bytes.reserve_exact(CHUNK_BYTES);
        }
        let n = chunk::number(self.size_bytes)?;
        self.tail.bytes.extend_from_slice(piece);
        self.size_bytes += piece.len() as u64;
        if self.tail.bytes.len() < CHUNK_BYTES {
            return Ok(());
        }
        let tail = std::mem::take(&mut self.tail);
        if n == 0 && tail.stored_as.is_none() {
            self.first = Some(tail.bytes);
            return Ok(());
        }
        self.store(payload, n, tail).await
    }

    /// Stores a chunk, at once or with the next.
    async fn store(&mut self, payload: &HalfWritten, n: i32, tail: Tail) -> Result<(), Error> {
        if let Some(id) = tail.stored_as {
            return payload.replace(id, tail.bytes).await;
        }
        self.batch.push(payload.chunk(n, tail.bytes));
        if self.batch.len() >= BATCH && !self.may_grow(payload) {
            self.send_batch(payload).await?;
        }
        Ok(())
    }

    fn may_grow(&mut self, payload: &HalfWritten) -> bool {
        if self.batch.len() >= LARGE_BATCH {
            return false;
        }
        let extra = Arc::clone(&payload.turns.extra).try_acquire_owned();
        self.extra.extend(extra);
        self.batch.len() < BATCH + self.extra.len()
    }

    /// Lets the batch go, as soon as fewer than two of this payload and not too many of the process are under way. The
    /// batch waits here and keeps its writer waiting, so that memory is bounded.
    async fn send_batch(&mut self, payload: &HalfWritten) -> Result<(), Error> {
        while self.in_flight.len() >= IN_FLIGHT {
            self.wait_for_one().await?;
        }
        let turn = Arc::clone(&payload.turns.inserts).acquire_owned();
        let turn = turn
            .await
            .map_err(|closed| Error::Unavailable(closed.into()))?;
        let (payload, batch) = (payload.clone(), std::mem::take(&mut self.batch));
        let extra = std::mem::take(&mut self.extra);
        self.in_flight.spawn(async move {
            let _held_until_inserted = (turn, extra);
            payload.insert(batch).await
        });
        Ok(())
    }

    async fn wait_for_one(&mut self) -> Result<(), Error> {
        match self.in_flight.join_next().await {
            Some(Ok(inserted)) => inserted,
            Some(Err(stopped)) => Err(Error::Unavailable(stopped.into())),
            None => Ok(()),
        }
    }

    /// Everything that was written is in the database when this ends.
    async fn store_all(&mut self, payload: &HalfWritten) -> Result<(), Error> {
        if let Some(first) = self.first.take() {
            self.batch.push(payload.chunk(0, first));
        }
        if !self.tail.bytes.is_empty() {
            let n = chunk::number(self.size_bytes)?;
            match self.tail.stored_as {
                Some(id) => payload.replace(id, self.tail.bytes.clone()).await?,
                None => {
                    let chunk = payload.chunk(n, self.tail.bytes.clone());
                    self.tail.stored_as = Some(payload.writer.chunk_id(n));
                    self.batch.push(chunk);
                }
            }
        }
        if !self.batch.is_empty() {
            self.send_batch(payload).await?;
        }
        while !self.in_flight.is_empty() {
            self.wait_for_one().await?;
        }
        Ok(())
    }

    /// Replaces the first bytes: where they wait, or where they are stored.
    async fn replace_head(&mut self, payload: &HalfWritten, head: &[u8]) -> Result<(), Error> {
        let waiting = match &mut self.first {
            Some(first) => Some(first),
            None if self.size_bytes < CHUNK_BYTES as u64 => Some(&mut self.tail.bytes),
            None => None,
        };
        if let Some(bytes) = waiting {
            bytes[..head.len()].copy_from_slice(head);
            return Ok(());
        }
        let (id, mut bytes) = payload.place.chunk(payload.id, 0).await?;
        let replaced = bytes.get_mut(..head.len());
        let replaced = replaced.ok_or_else(|| Error::Corrupt("chunk 0 was cut".into()))?;
        replaced.copy_from_slice(head);
        payload.replace(id, bytes).await
    }
}
