use super::{
    chunk::{self, WriterId},
    error::answer,
    gridfs::Place,
    upload::stored_size,
};
use crate::{CHUNK_BYTES, Error, PayloadWriter};
use async_trait::async_trait;
use bytes::Bytes;
use mongodb::bson::{self, Document, doc, oid::ObjectId};
use std::sync::Arc;
use tokio::{sync::Semaphore, task::JoinSet};

/// How many chunks go with one insert.
const BATCH: usize = 2;
/// How many inserts of one payload are in flight.
const IN_FLIGHT: usize = 2;

/// Writes a payload, chunk by chunk.
pub(super) struct ChunkWriter {
    payload: Payload,
    file_name: String,
    /// Taken while a write is under way. A write that fails or is dropped halfway never puts it back, so that a payload
    /// with a hole can't be finished.
    sound: Option<Progress>,
}

impl ChunkWriter {
    pub(super) fn new(
        place: Place,
        inserts: Arc<Semaphore>,
        id: ObjectId,
        writer: WriterId,
        file_name: String,
        offset: u64,
        tail: Tail,
    ) -> Self {
        let payload = Payload {
            place,
            inserts,
            id,
            writer,
        };
        let sound = Progress {
            size_bytes: offset,
            tail,
            first: None,
            batch: Vec::new(),
            in_flight: JoinSet::new(),
        };
        Self {
            payload,
            file_name,
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
    in_flight: JoinSet<Result<(), Error>>,
}

impl Progress {
    /// Takes bytes that the tail has room for.
    async fn gather(&mut self, payload: &Payload, piece: &[u8]) -> Result<(), Error> {
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
    async fn store(&mut self, payload: &Payload, n: i32, tail: Tail) -> Result<(), Error> {
        if let Some(id) = tail.stored_as {
            return payload.replace(id, n, tail.bytes).await;
        }
        self.batch.push(payload.chunk(n, tail.bytes));
        if self.batch.len() == BATCH {
            self.send_batch(payload).await?;
        }
        Ok(())
    }

    /// Lets the batch go, as soon as fewer than two are under way.
    async fn send_batch(&mut self, payload: &Payload) -> Result<(), Error> {
        while self.in_flight.len() >= IN_FLIGHT {
            self.wait_for_one().await?;
        }
        let (payload, batch) = (payload.clone(), std::mem::take(&mut self.batch));
        self.in_flight
            .spawn(async move { payload.insert(batch).await });
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
    async fn store_all(&mut self, payload: &Payload) -> Result<(), Error> {
        if let Some(first) = self.first.take() {
            self.batch.push(payload.chunk(0, first));
        }
        if !self.tail.bytes.is_empty() {
            let n = chunk::number(self.size_bytes)?;
            match self.tail.stored_as {
                Some(id) => payload.replace(id, n, self.tail.bytes.clone()).await?,
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
    async fn replace_head(&mut self, payload: &Payload, head: &[u8]) -> Result<(), Error> {
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
        payload.replace(id, 0, bytes).await
    }
}

/// What a writer knows of its payload.
#[derive(Clone)]
struct Payload {
    place: Place,
    inserts: Arc<Semaphore>,
    id: ObjectId,
    writer: WriterId,
}

impl Payload {
    fn chunk(&self, n: i32, bytes: Vec<u8>) -> Document {
        chunk::document(self.writer.chunk_id(n), self.id, n, bytes)
    }

    /// Finds this payload's record as long as this is its writer.
    fn record(&self) -> Document {
        doc! { "_id": self.id, "writer": self.writer.token() }
    }

    async fn insert(&self, batch: Vec<Document>) -> Result<(), Error> {
        let _permit = self.inserts.acquire().await;
        match answer(self.place.chunks.insert_many(&batch)).await {
            Err(Error::Exists) => self.insert_anew(&batch).await,
            inserted => inserted.map(drop),
        }
    }

    /// Chunks are there already: this batch's, whose acknowledgement was lost, or those of a writer that this one
    /// replaced, whose insert came late. The payload is who its record names.
    async fn insert_anew(&self, batch: &[Document]) -> Result<(), Error> {
        self.must_be_writer().await?;
        for chunk in batch {
            let id = chunk.get("_id");
            let others = doc! { "files_id": self.id, "n": chunk.get("n"), "_id": { "$ne": id } };
            answer(self.place.chunks.delete_many(others)).await?;
            let ours = self.place.chunks.replace_one(doc! { "_id": id }, chunk);
            answer(ours.upsert(true)).await?;
        }
        Ok(())
    }

    /// Replaces a stored chunk whole, so that at every moment the old or the new one is there.
    async fn replace(&self, id: ObjectId, n: i32, bytes: Vec<u8>) -> Result<(), Error> {
        let chunk = chunk::document(id, self.id, n, bytes);
        let stored = self.place.chunks.replace_one(doc! { "_id": id }, chunk);
        match answer(stored).await?.matched_count {
            0 => Err(Error::NotFound), // deleted
            _ => Ok(()),
        }
    }

    /// Notes how much is durable, if this is still the writer.
    async fn note(&self, durable_bytes: u64) -> Result<(), Error> {
        let change = doc! { "$set": { "durable_bytes": stored_size(durable_bytes)? } };
        let noted = answer(self.place.writers.update_one(self.record(), change)).await?;
        match noted.matched_count {
            0 => self.give_up().await,
            _ => Ok(()),
        }
    }

    async fn must_be_writer(&self) -> Result<(), Error> {
        match answer(self.place.writers.find_one(self.record())).await? {
            Some(_) => Ok(()),
            None => self.give_up().await,
        }
    }

    /// Makes the payload readable, if this is still the writer. Its chunks are all there.
    async fn publish(&self, file_name: &str, size_bytes: u64) -> Result<(), Error> {
        let chunks = size_bytes.div_ceil(CHUNK_BYTES as u64);
        let chunks = i64::try_from(chunks).unwrap_or(i64::MAX);
        let beyond = doc! { "files_id": self.id, "n": { "$gte": chunks } };
        answer(self.place.chunks.delete_many(beyond)).await?;
        self.must_be_writer().await?;
        let now = bson::DateTime::now();
        let file = doc! {
            "_id": self.id, "length": stored_size(size_bytes)?, "chunkSize": CHUNK_BYTES as i32,
            "uploadDate": now, "filename": file_name,
        };
        answer(self.place.files.insert_one(file)).await?;
        let ended = answer(self.place.writers.delete_one(self.record())).await?;
        if ended.deleted_count == 0 {
            // Deleted since, or resumed: then the file's document came too late, and may stand for nothing.
            let ours =
                doc! { "_id": self.id, "uploadDate": now, "length": stored_size(size_bytes)? };
            answer(self.place.files.delete_one(ours)).await?;
            return self.give_up().await;
        }
        Ok(())
    }

    /// Somebody deleted the payload, or writes it instead. What was inserted since the deletion would stay for ever.
    async fn give_up(&self) -> Result<(), Error> {
        let is_written = answer(self.place.writers.find_one(doc! { "_id": self.id })).await?;
        if is_written.is_none() && !self.place.is_finished(self.id).await? {
            answer(self.place.chunks.delete_many(self.writer.chunks())).await?;
        }
        Err(Error::NotFound)
    }
}
