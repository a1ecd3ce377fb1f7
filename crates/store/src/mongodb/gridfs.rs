use super::{
    chunk::{self, WriterId},
    error::answer,
    expression::oid,
    half_written::HalfWritten,
    reader::ChunkReader,
    record::whole,
    writer::{ChunkWriter, Tail},
};
use crate::{Bucket, CHUNK_BYTES, Error, PayloadReader, PayloadWriter, Payloads};
use async_trait::async_trait;
use decant_events::FileId;
use mongodb::{
    Collection,
    bson::{Document, RawDocumentBuf, doc, oid::ObjectId},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Less room than this is none: the database's own log needs some too.
const ROOM_BYTES: f64 = 128.0 * 1024.0 * 1024.0;

/// How many inserts of chunks all writers of a process have in flight: with their copies on the way 2 MB each.
const INSERTS_IN_FLIGHT: usize = 3;

/// How many chunks all writers of a process keep beyond the few that each of them always may, so that one or two uploads
/// get larger inserts, and thirty don't take more memory for it.
const EXTRA_CHUNKS: usize = 8;

/// Payloads in GridFS.
pub(super) struct GridFs {
    videos: Place,
    mp3s: Place,
    turns: Turns,
}

/// What the writers of a process share.
#[derive(Clone)]
pub(super) struct Turns {
    pub(super) inserts: Arc<Semaphore>,
    pub(super) extra: Arc<Semaphore>,
}

/// One bucket's collections.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) files: Collection<Document>,
    pub(super) chunks: Collection<Document>,
    pub(super) writers: Collection<Document>,
}

impl Place {
    pub(super) fn new(database: &mongodb::Database) -> Self {
        Self {
            files: database.collection("fs.files"),
            chunks: database.collection("fs.chunks"),
            writers: database.collection("fs.writers"),
        }
    }

    /// The same chunks, not decoded.
    pub(super) fn raw_chunks(&self) -> Collection<RawDocumentBuf> {
        self.chunks.clone_with_type()
    }

    pub(super) async fn is_finished(&self, id: ObjectId) -> Result<bool, Error> {
        let found = answer(self.files.find_one(doc! { "_id": id })).await?;
        Ok(found.is_some())
    }

    /// The chunk's `_id` and bytes.
    pub(super) async fn chunk(&self, id: ObjectId, n: i32) -> Result<(ObjectId, Vec<u8>), Error> {
        let found = answer(self.chunks.find_one(doc! { "files_id": id, "n": n })).await?;
        chunk::content(n, found)
    }
}

impl GridFs {
    pub(super) fn new(videos: Place, mp3s: Place) -> Self {
        Self {
            videos,
            mp3s,
            turns: Turns {
                inserts: Arc::new(Semaphore::new(INSERTS_IN_FLIGHT)),
                extra: Arc::new(Semaphore::new(EXTRA_CHUNKS)),
            },
        }
    }

    fn place(&self, bucket: Bucket) -> &Place {
        match bucket {
            Bucket::Videos => &self.videos,
            Bucket::Mp3s => &self.mp3s,
        }
    }

    fn half_written(&self, bucket: Bucket, id: ObjectId, writer: WriterId) -> HalfWritten {
        HalfWritten {
            place: self.place(bucket).clone(),
            turns: self.turns.clone(),
            id,
            writer,
        }
    }
}

#[async_trait]
impl Payloads for GridFs {
    async fn create(
        &self,
        bucket: Bucket,
        id: FileId,
        file_name: &str,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        let (place, id, writer) = (self.place(bucket), oid(id), WriterId::mint());
        let record = doc! { "_id": id, "writer": writer.token(), "durable_bytes": 0_i64 };
        answer(place.writers.insert_one(record)).await?;
        // Asked while the record is ours: nobody else can finish this id from here on.
        if place.is_finished(id).await? {
            let ours = doc! { "_id": id, "writer": writer.token() };
            answer(place.writers.delete_one(ours)).await?;
            return Err(Error::Exists);
        }
        // What an insert left that was under way when its payload was deleted.
        answer(place.chunks.delete_many(doc! { "files_id": id })).await?;
        let payload = self.half_written(bucket, id, writer);
        let writer = ChunkWriter::new(payload, file_name, 0, Tail::default());
        Ok(Box::new(writer))
    }

    async fn resume(
        &self,
        bucket: Bucket,
        id: FileId,
        file_name: &str,
        offset: u64,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        let (place, id, writer) = (self.place(bucket), oid(id), WriterId::mint());
        let found = answer(place.writers.find_one(doc! { "_id": id })).await?;
        if place.is_finished(id).await? {
            return Err(Error::Exists);
        }
        let mut record = found.ok_or(Error::NotFound)?;
        let durable = record.get("durable_bytes").and_then(whole);
        let durable = durable.and_then(|bytes| u64::try_from(bytes).ok());
        if durable.is_none_or(|durable| durable < offset) {
            let sentence = format!("of the {offset} bytes that should be there some are not");
            return Err(Error::Corrupt(sentence));
        }
        // As it was found: of two that resume at once one takes it, and the one before can't end it any more.
        let before = record.clone();
        record.insert("writer", writer.token());
        record.insert("durable_bytes", super::upload::stored_size(offset)?);
        let taken = answer(place.writers.replace_one(before, record)).await?;
        if taken.matched_count == 0 {
            return Err(Error::Unavailable(
                "somebody else resumed this payload".into(),
            ));
        }

        let n = chunk::number(offset)?;
        let length = usize::try_from(offset % CHUNK_BYTES as u64).unwrap_or_default();
        let first_gone = if length == 0 { n } else { n + 1 };
        let gone = doc! { "files_id": id, "n": { "$gte": first_gone } };
        answer(place.chunks.delete_many(gone)).await?;
        // What the writer before would replace: its head, and its tail.
        let payload = self.half_written(bucket, id, writer);
        if n > 0 {
            payload.claim(0).await?;
        }
        let mut tail = Tail::default();
        if length > 0 {
            let (chunk_id, mut bytes) = payload.claim(n).await?;
            if bytes.len() < length {
                return Err(Error::Corrupt(format!("chunk {n} was cut")));
            }
            bytes.truncate(length);
            tail = Tail {
                bytes,
                stored_as: Some(chunk_id),
            };
        }
        // Whoever claimed late, after a successor had, may not write.
        payload.must_be_writer().await?;
        let writer = ChunkWriter::new(payload, file_name, offset, tail);
        Ok(Box::new(writer))
    }

    async fn open(&self, bucket: Bucket, id: FileId) -> Result<Arc<dyn PayloadReader>, Error> {
        let reader = ChunkReader::open(self.place(bucket), oid(id)).await?;
        Ok(Arc::new(reader))
    }

    async fn room(&self) -> Result<(), Error> {
        let database = self
            .videos
            .files
            .client()
            .database(&self.videos.files.namespace().db);
        let stats = answer(database.run_command(doc! { "dbStats": 1 })).await?;
        let bytes = |field| stats.get_f64(field).unwrap_or_default();
        let (total, used) = (bytes("fsTotalSize"), bytes("fsUsedSize"));
        // Not every server says.
        if total > 0.0 && total - used < ROOM_BYTES {
            return Err(Error::Full(
                format!("{} bytes are left", total - used).into(),
            ));
        }
        Ok(())
    }

    /// The writer's record goes first: a writer that is about to finish finds that it isn't the writer any more.
    async fn delete(&self, bucket: Bucket, id: FileId) -> Result<(), Error> {
        let (place, id) = (self.place(bucket), oid(id));
        answer(place.writers.delete_one(doc! { "_id": id })).await?;
        answer(place.files.delete_one(doc! { "_id": id })).await?;
        answer(place.chunks.delete_many(doc! { "files_id": id })).await?;
        Ok(())
    }
}
