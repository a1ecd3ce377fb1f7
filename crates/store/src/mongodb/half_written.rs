use super::{
    chunk::{self, WriterId},
    error::answer,
    gridfs::{Place, Turns},
    upload::stored_size,
};
use crate::{CHUNK_BYTES, Error};
use mongodb::bson::{self, Document, doc, oid::ObjectId};

/// What a writer knows of its payload.
#[derive(Clone)]
pub(super) struct HalfWritten {
    pub(super) place: Place,
    pub(super) turns: Turns,
    pub(super) id: ObjectId,
    pub(super) writer: WriterId,
}

impl HalfWritten {
    pub(super) fn chunk(&self, n: i32, bytes: Vec<u8>) -> Document {
        chunk::document(self.writer.chunk_id(n), self.id, n, bytes)
    }

    /// Finds this payload's record as long as this is its writer.
    fn record(&self) -> Document {
        doc! { "_id": self.id, "writer": self.writer.token() }
    }

    pub(super) async fn insert(&self, batch: Vec<Document>) -> Result<(), Error> {
        match answer(self.place.chunks.insert_many(&batch)).await {
            Err(Error::Exists) => self.insert_anew(&batch).await,
            inserted => inserted.map(drop),
        }
    }

    /// Chunks are there already: this batch's, whose acknowledgement was lost, or those of a writer that this one
    /// replaced, whose insert came late. The payload is who its record names.
    async fn insert_anew(&self, batch: &[Document]) -> Result<(), Error> {
        for chunk in batch {
            let id = chunk.get("_id");
            self.remove_earlier(doc! { "n": chunk.get("n"), "_id": { "$ne": id } })
                .await?;
            // One that a successor claimed is not found, and not inserted either: its `_id` is taken.
            let unclaimed = doc! { "_id": id, "writer": null };
            let ours = self.place.chunks.replace_one(unclaimed, chunk);
            answer(ours.upsert(true)).await?;
        }
        Ok(())
    }

    /// Removes chunks of this payload, if this is still its writer: then those that were found before are of writers that
    /// this one replaced, and never of one that replaces it.
    async fn remove_earlier(&self, mut which: Document) -> Result<(), Error> {
        which.insert("files_id", self.id);
        let found = self.place.chunks.distinct("_id", which);
        let found = answer(found).await?;
        self.must_be_writer().await?;
        if !found.is_empty() {
            let found = doc! { "_id": { "$in": found } };
            answer(self.place.chunks.delete_many(found)).await?;
        }
        Ok(())
    }

    /// Takes a stored chunk from the writer that this one replaced, which can't change it any more, and gives its `_id` and
    /// bytes. The chunk stays where it is, since its bytes were acknowledged: only a field is added to it.
    pub(super) async fn claim(&self, n: i32) -> Result<(ObjectId, Vec<u8>), Error> {
        let chunk = doc! { "files_id": self.id, "n": n };
        let change = doc! { "$set": { "writer": self.writer.token() } };
        let claimed = self.place.chunks.find_one_and_update(chunk, change);
        chunk::content(n, answer(claimed).await?)
    }

    /// Replaces a stored chunk's bytes, so that at every moment the old or the new ones are there. It is this writer's own
    /// or was claimed by it, and nobody has claimed it since.
    pub(super) async fn replace(&self, id: ObjectId, bytes: Vec<u8>) -> Result<(), Error> {
        let ours = doc! { "_id": id, "writer": { "$in": [null, self.writer.token()] } };
        let change = doc! { "$set": { "data": chunk::data(bytes) } };
        let stored = self.place.chunks.update_one(ours, change);
        match answer(stored).await?.matched_count {
            0 => Err(Error::NotFound), // deleted, or somebody else writes it
            _ => Ok(()),
        }
    }

    /// Notes how much is durable, if this is still the writer.
    pub(super) async fn note(&self, durable_bytes: u64) -> Result<(), Error> {
        let change = doc! { "$set": { "durable_bytes": stored_size(durable_bytes)? } };
        let noted = answer(self.place.writers.update_one(self.record(), change)).await?;
        match noted.matched_count {
            0 => self.give_up().await,
            _ => Ok(()),
        }
    }

    pub(super) async fn must_be_writer(&self) -> Result<(), Error> {
        match answer(self.place.writers.find_one(self.record())).await? {
            Some(_) => Ok(()),
            None => self.give_up().await,
        }
    }

    /// Makes the payload readable, if this is still the writer. Its chunks are all there.
    pub(super) async fn publish(&self, file_name: &str, size_bytes: u64) -> Result<(), Error> {
        let chunks = size_bytes.div_ceil(CHUNK_BYTES as u64);
        let chunks = i64::try_from(chunks).unwrap_or(i64::MAX);
        self.remove_earlier(doc! { "n": { "$gte": chunks } })
            .await?;
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
