use crate::{CHUNK_BYTES, Error};
use mongodb::bson::{Binary, Document, doc, oid::ObjectId, spec::BinarySubtype};
use uuid::Uuid;

/// Who writes a payload: the time and the random part that the `_id`s of its chunks begin with. They end with the
/// chunk's number, so that a writer can tell its own chunks from those of another of the same payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriterId([u8; 9]);

/// What the last three bytes of an ObjectId count: 4 TiB.
const MOST_CHUNKS: u64 = 1 << 24;

impl WriterId {
    pub(super) fn mint() -> Self {
        let mut id = [0; 9];
        id[..4].copy_from_slice(&ObjectId::new().bytes()[..4]);
        // The driver's own random bytes are those of the process.
        id[4..].copy_from_slice(&Uuid::new_v4().as_bytes()[..5]);
        Self(id)
    }

    /// The `_id` of the chunk that this writer stores as number `n`.
    pub(super) fn chunk_id(self, n: i32) -> ObjectId {
        let mut id = [0; 12];
        id[..9].copy_from_slice(&self.0);
        id[9..].copy_from_slice(&n.to_be_bytes()[1..]);
        ObjectId::from_bytes(id)
    }

    /// As the record of the payload's writer names it.
    pub(super) fn token(self) -> ObjectId {
        self.chunk_id(0)
    }

    /// Finds all chunks of this writer.
    pub(super) fn chunks(self) -> Document {
        doc! { "_id": { "$gte": self.chunk_id(0), "$lte": self.chunk_id(0x00ff_ffff) } }
    }
}

/// A chunk's document.
pub(super) fn document(id: ObjectId, files_id: ObjectId, n: i32, bytes: Vec<u8>) -> Document {
    doc! { "_id": id, "files_id": files_id, "n": n, "data": data(bytes) }
}

/// A chunk's bytes, as it holds them.
pub(super) fn data(bytes: Vec<u8>) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes,
    }
}

/// The `_id` and the bytes of the chunk that was found as number `n`.
pub(super) fn content(n: i32, found: Option<Document>) -> Result<(ObjectId, Vec<u8>), Error> {
    let found = found.ok_or_else(|| Error::Corrupt(format!("chunk {n} is missing")))?;
    let damaged = |error| Error::Corrupt(format!("chunk {n}: {error}"));
    let id = found.get_object_id("_id").map_err(damaged)?;
    let bytes = found.get_binary_generic("data").map_err(damaged)?;
    Ok((id, bytes.clone()))
}

/// The number of the chunk that holds the byte at `offset`.
pub(super) fn number(offset: u64) -> Result<i32, Error> {
    let n = offset / CHUNK_BYTES as u64;
    let n = i32::try_from(n).ok().filter(|_| n < MOST_CHUNKS);
    n.ok_or_else(|| Error::Full("a payload may have 4 TiB".into()))
}
