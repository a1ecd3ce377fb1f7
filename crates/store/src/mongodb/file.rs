use super::{error::answer, gridfs::Place, record::whole};
use crate::Error;
use bytes::Bytes;
use futures::{
    TryStreamExt,
    stream::{self, StreamExt},
};
use mongodb::{
    Collection,
    bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf, doc, oid::ObjectId},
    raw_batch_cursor::RawBatch,
};
use std::ops::Range;
use tokio::sync::mpsc;

/// How many chunks come with one answer of the cursor.
const BATCH: u32 = 4;
/// How many chunks wait to be read, beside the batch that they came with.
const AHEAD: usize = 2;

/// Chunks on their way, in order.
pub(super) type Chunks = mpsc::Receiver<Result<Bytes, Error>>;

/// The same as a stream. One that ends before its chunks do ends with an error.
pub(super) fn received(mut chunks: Chunks) -> impl futures::Stream<Item = Result<Bytes, Error>> {
    stream::poll_fn(move |context| chunks.poll_recv(context))
        .chain(stream::once(async { Err(stopped()) }))
}

/// Whoever reads the chunks stopped.
pub(super) fn stopped() -> Error {
    Error::Unavailable("the reading of a payload was stopped".into())
}

/// What a payload's document says, and where its chunks are.
#[derive(Clone)]
pub(super) struct File {
    chunks: Collection<RawDocumentBuf>,
    id: ObjectId,
    pub(super) size_bytes: u64,
    chunk_bytes: u64,
}

impl File {
    pub(super) async fn open(place: &Place, id: ObjectId) -> Result<Self, Error> {
        let document = answer(place.files.find_one(doc! { "_id": id })).await?;
        let document = document.ok_or(Error::NotFound)?;
        let file = Self {
            chunks: place.raw_chunks(),
            id,
            size_bytes: number(&document, "length")?,
            chunk_bytes: number(&document, "chunkSize")?,
        };
        if file.chunk_bytes == 0 {
            return Err(Error::Corrupt("a file has chunks of no size".into()));
        }
        if file.size_bytes == 0 {
            file.must_be_empty().await?;
        }
        Ok(file)
    }

    /// How many chunks there should be.
    pub(super) fn count(&self) -> i64 {
        i64::try_from(self.size_bytes.div_ceil(self.chunk_bytes)).unwrap_or(i64::MAX)
    }

    /// The numbers of the chunks that the range touches.
    pub(super) fn numbers(&self, range: &Range<u64>) -> Range<i64> {
        if range.is_empty() {
            return 0..0;
        }
        let number = |chunk: u64| i64::try_from(chunk).unwrap_or(i64::MAX);
        number(range.start / self.chunk_bytes)..number(range.end.div_ceil(self.chunk_bytes))
    }

    /// How long the chunk should be.
    fn length(&self, n: i64) -> u64 {
        let start = n.unsigned_abs() * self.chunk_bytes;
        self.chunk_bytes.min(self.size_bytes.saturating_sub(start))
    }

    /// What of a chunk lies in the range.
    pub(super) fn part(&self, n: i64, chunk: Bytes, range: &Range<u64>) -> Bytes {
        let start = n.unsigned_abs() * self.chunk_bytes;
        let within = |offset: u64| usize::try_from(offset.saturating_sub(start)).unwrap_or(0);
        chunk.slice(within(range.start)..within(range.end).min(chunk.len()))
    }

    /// The chunks of these numbers, by one cursor that is ahead of whoever reads. Ends when the receiver goes.
    pub(super) fn read_ahead(&self, numbers: Range<i64>) -> Chunks {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let file = self.clone();
        tokio::spawn(async move {
            if let Err(error) = file.send(numbers, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        receiver
    }

    async fn send(
        &self,
        mut numbers: Range<i64>,
        sender: &mpsc::Sender<Result<Bytes, Error>>,
    ) -> Result<(), Error> {
        if numbers.is_empty() {
            return Ok(());
        }
        // At the end of the payload without an end, so that a chunk too many is found.
        let mut wanted = doc! { "$gte": numbers.start };
        if numbers.end < self.count() {
            wanted.insert("$lt", numbers.end);
        }
        let filter = doc! { "files_id": self.id, "n": wanted };
        let found = self.chunks.find(filter).sort(doc! { "n": 1 });
        let mut batches = answer(found.batch_size(BATCH).batch()).await?;
        // Given when it is certain that nothing follows that shouldn't.
        let mut last = Bytes::new();
        while let Some(batch) = answer(batches.try_next()).await? {
            let reply = Bytes::from_owner(Reply(batch));
            for chunk in documents(&reply)? {
                let n = numbers.next();
                let bytes = self.checked(&reply, chunk, n)?;
                if n.is_some() && numbers.is_empty() {
                    last = bytes;
                } else if n.is_some() && sender.send(Ok(bytes)).await.is_err() {
                    return Ok(());
                }
            }
        }
        if let Some(n) = numbers.next() {
            return Err(Error::Corrupt(format!("chunk {n} is missing")));
        }
        let _ = sender.send(Ok(last)).await;
        Ok(())
    }

    /// The bytes of a chunk that has to be number `n`.
    fn checked(&self, reply: &Bytes, chunk: &RawDocument, n: Option<i64>) -> Result<Bytes, Error> {
        let found = match chunk.get("n") {
            Ok(Some(n)) => bson_whole(n),
            _ => None,
        };
        let found = found.ok_or_else(|| Error::Corrupt("a chunk has no number".into()))?;
        let bytes = match chunk.get("data") {
            Ok(Some(RawBsonRef::Binary(data))) => data.bytes,
            _ => return Err(Error::Corrupt(format!("chunk {found} has no bytes"))),
        };
        let Some(n) = n else {
            // The specification lets writers end a file with an empty chunk.
            return match bytes.len() {
                0 => Ok(Bytes::new()),
                _ => Err(Error::Corrupt(format!("chunk {found} is one too many"))),
            };
        };
        if found != n {
            let what = if found < n {
                "comes twice"
            } else {
                "is missing"
            };
            return Err(Error::Corrupt(format!("chunk {} {what}", found.min(n))));
        }
        if bytes.len() as u64 != self.length(n) {
            let (is, expected) = (bytes.len(), self.length(n));
            let sentence = format!("chunk {n} has {is} bytes where {expected} are due");
            return Err(Error::Corrupt(sentence));
        }
        Ok(reply.slice_ref(bytes))
    }

    async fn must_be_empty(&self) -> Result<(), Error> {
        let found = answer(self.chunks.find_one(doc! { "files_id": self.id })).await?;
        match found {
            Some(chunk) => self.checked(&Bytes::new(), &chunk, None).map(drop),
            None => Ok(()),
        }
    }
}

/// One answer of the cursor, which its chunks are slices of.
struct Reply(RawBatch);

impl AsRef<[u8]> for Reply {
    fn as_ref(&self) -> &[u8] {
        self.0.as_raw_document().as_bytes()
    }
}

/// The documents in an answer of the cursor.
fn documents(reply: &[u8]) -> Result<Vec<&RawDocument>, Error> {
    fn batch(reply: &[u8]) -> Result<Vec<&RawDocument>, Box<dyn std::error::Error>> {
        let cursor = RawDocument::from_bytes(reply)?.get_document("cursor")?;
        let name = match cursor.get("firstBatch")? {
            Some(_) => "firstBatch",
            None => "nextBatch",
        };
        let documents = cursor.get_array(name)?.into_iter();
        documents
            .map(|document| {
                let document = document?.as_document();
                document.ok_or_else(|| "no document".into())
            })
            .collect()
    }
    batch(reply).map_err(|error| Error::Corrupt(format!("an answer of the database: {error}")))
}

fn bson_whole(value: RawBsonRef<'_>) -> Option<i64> {
    whole(&value.try_into().ok()?)
}

/// A whole number that isn't negative.
fn number(document: &Document, field: &str) -> Result<u64, Error> {
    let number = document.get(field).and_then(whole);
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| Error::Corrupt(format!("the {field} of a file is no size")))
}
