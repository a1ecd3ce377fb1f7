//! Payloads that are not as they should be: the download tests of the GridFS specification, and more. Whatever a reader
//! gives before it fails is right.

use crate::{HOUR, fresh_prefix, fresh_store, new_job, open, shared};
use bytes::Bytes;
use decant_events::FileId;
use decant_store::{Bucket, Error, NewJob, Store, copy};
use futures::{StreamExt, TryStreamExt};
use mongodb::{
    Client, Collection,
    bson::{Binary, Bson, Document, doc, oid::ObjectId, spec::BinarySubtype},
};
use std::sync::Arc;

const CHUNK: usize = 4;
const CONTENT: &[u8] = b"0123456789";

/// A store and a way around it.
struct Bench {
    store: Store,
    files: Collection<Document>,
    chunks: Collection<Document>,
    _shared: Arc<crate::Shared>,
}

impl Bench {
    async fn new() -> Self {
        let (shared, prefix) = (shared(), fresh_prefix());
        let store = open(&shared.server, &prefix).await.unwrap();
        let client = Client::with_uri_str(shared.server.uri()).await.unwrap();
        let videos = client.database(&format!("{prefix}videos"));
        Self {
            store,
            files: videos.collection("fs.files"),
            chunks: videos.collection("fs.chunks"),
            _shared: shared,
        }
    }

    /// Stores `CONTENT` by hand in chunks of four bytes, as somebody else would. `change` spoils it.
    async fn put(&self, change: impl FnOnce(&mut Document, &mut Vec<Document>)) -> FileId {
        let id = FileId::mint();
        let oid = ObjectId::from_bytes(id.bytes());
        let mut file = doc! {
            "_id": oid, "length": CONTENT.len() as i64, "chunkSize": CHUNK as i32,
            "uploadDate": mongodb::bson::DateTime::now(), "filename": "talk.mp4",
        };
        let pieces = (0..).zip(CONTENT.chunks(CHUNK));
        let mut chunks = pieces.map(|(n, piece)| chunk(oid, n, piece)).collect();
        change(&mut file, &mut chunks);
        self.files.insert_one(file).await.unwrap();
        if !chunks.is_empty() {
            self.chunks.insert_many(chunks).await.unwrap();
        }
        id
    }

    /// Reads a payload in every way. All that is read must be `CONTENT`'s; either all ways succeed or all fail.
    async fn read(&self, id: FileId) -> Result<Bytes, Error> {
        let reader = self.store.payloads.open(Bucket::Videos, id).await?;
        let size = reader.size_bytes();
        let mut stream = Arc::clone(&reader).stream(0..size);
        let mut streamed = Vec::new();
        let ended = loop {
            match stream.next().await {
                Some(Ok(piece)) => streamed.extend_from_slice(&piece),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        assert!(CONTENT.starts_with(&streamed), "{streamed:?}");
        let at_once = reader.read_at(0, usize::MAX).await;
        let mut one_by_one = Ok(());
        for offset in 0..size {
            // Afresh, because a reader keeps what it has read.
            let reader = self.store.payloads.open(Bucket::Videos, id).await?;
            match reader.read_at(offset, 1).await {
                Ok(byte) => assert_eq!(byte, CONTENT[offset as usize..][..1]),
                Err(error) => one_by_one = Err(error),
            }
        }
        assert_eq!(ended.is_ok(), at_once.is_ok(), "{at_once:?}");
        assert_eq!(ended.is_ok(), one_by_one.is_ok(), "{one_by_one:?}");
        ended?;
        assert_eq!(at_once?, streamed);
        Ok(streamed.into())
    }

    async fn is_damaged(&self, id: FileId, sentence: &str) {
        match self.read(id).await {
            Err(Error::Corrupt(said)) => assert_eq!(said, sentence),
            other => panic!("expected {sentence:?}, got {other:?}"),
        }
    }
}

fn chunk(files_id: ObjectId, n: i32, bytes: &[u8]) -> Document {
    let data = Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    };
    doc! { "_id": ObjectId::new(), "files_id": files_id, "n": n, "data": data }
}

fn set_bytes(chunk: &mut Document, bytes: &[u8]) {
    let data = Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    };
    chunk.insert("data", data);
}

#[tokio::test]
async fn a_missing_chunk_is_reported() {
    let bench = Bench::new().await;
    for n in 0..3 {
        let gone = bench.put(|_, chunks| drop(chunks.remove(n))).await;
        let sentence = format!("chunk {n} is missing");
        bench.is_damaged(gone, &sentence).await;
    }
    let all = bench.put(|_, chunks| chunks.clear()).await;
    bench.is_damaged(all, "chunk 0 is missing").await;
}

#[tokio::test]
async fn a_chunk_of_a_wrong_length_is_reported() {
    let bench = Bench::new().await;
    let short = bench.put(|_, chunks| set_bytes(&mut chunks[1], b"456"));
    let sentence = "chunk 1 has 3 bytes where 4 are due";
    bench.is_damaged(short.await, sentence).await;
    let long = bench.put(|_, chunks| set_bytes(&mut chunks[0], b"0123!"));
    let sentence = "chunk 0 has 5 bytes where 4 are due";
    bench.is_damaged(long.await, sentence).await;
    let empty = bench.put(|_, chunks| set_bytes(&mut chunks[2], b""));
    let sentence = "chunk 2 has 0 bytes where 2 are due";
    bench.is_damaged(empty.await, sentence).await;
}

#[tokio::test]
async fn a_chunk_too_many_is_reported() {
    let bench = Bench::new().await;
    let extra = bench.put(|file, chunks| {
        chunks.push(chunk(file.get_object_id("_id").unwrap(), 3, b"!"));
    });
    let sentence = "chunk 3 is one too many";
    bench.is_damaged(extra.await, sentence).await;
}

#[tokio::test]
async fn chunks_out_of_order_are_put_in_order() {
    let bench = Bench::new().await;
    let stored_last_first = bench.put(|_, chunks| chunks.reverse()).await;
    assert_eq!(bench.read(stored_last_first).await.unwrap(), CONTENT);
}

#[tokio::test]
async fn chunks_with_wrong_numbers_are_reported() {
    let bench = Bench::new().await;
    // A gap, and a chunk without a number.
    let moved = bench.put(|_, chunks| drop(chunks[2].insert("n", 5)));
    bench.is_damaged(moved.await, "chunk 2 is missing").await;
    let unnumbered = bench.put(|_, chunks| drop(chunks[0].insert("n", "first")));
    bench
        .is_damaged(unnumbered.await, "chunk 0 is missing")
        .await;
    // Nothing in chunk 1 says that it was chunk 0, but who reads the whole will know.
    let shifted = bench.put(|_, chunks| {
        for (n, chunk) in (1..).zip(chunks) {
            chunk.insert("n", n);
        }
    });
    let reader = bench
        .store
        .payloads
        .open(Bucket::Videos, shifted.await)
        .await;
    let read: Result<Vec<Bytes>, Error> = reader.unwrap().stream(0..10).try_collect().await;
    assert!(matches!(read, Err(Error::Corrupt(said)) if said == "chunk 0 is missing"));
}

#[tokio::test]
async fn a_chunk_that_is_there_twice_is_reported() {
    let bench = Bench::new().await;
    // Only somebody else's bucket lets it in.
    bench.chunks.drop_index("files_id_1_n_1").await.unwrap();
    let twice = bench.put(|_, chunks| {
        let mut second = chunks[1].clone();
        second.insert("_id", ObjectId::new());
        chunks.push(second);
    });
    bench.is_damaged(twice.await, "chunk 1 comes twice").await;
}

#[tokio::test]
async fn a_chunk_without_bytes_is_reported() {
    let bench = Bench::new().await;
    let nothing = bench.put(|_, chunks| drop(chunks[1].remove("data"))).await;
    bench.is_damaged(nothing, "chunk 1 has no bytes").await;
    let words = bench.put(|_, chunks| drop(chunks[1].insert("data", "4567")));
    bench.is_damaged(words.await, "chunk 1 has no bytes").await;
}

#[tokio::test]
async fn a_wrong_length_is_reported() {
    let bench = Bench::new().await;
    for (length, sentence) in [
        (8, "chunk 2 is one too many"),
        (9, "chunk 2 has 2 bytes where 1 are due"),
        (12, "chunk 2 has 2 bytes where 4 are due"),
        (13, "chunk 2 has 2 bytes where 4 are due"),
        (0, "chunk 0 is one too many"),
    ] {
        let id = bench.put(|file, _| drop(file.insert("length", length)));
        let id = id.await;
        let reader = bench.store.payloads.open(Bucket::Videos, id).await;
        let read = match reader {
            Ok(reader) => reader.stream(0..length as u64).try_collect().await,
            Err(error) => Err(error),
        };
        match read {
            Err(Error::Corrupt(said)) => assert_eq!(said, sentence),
            Err(other) => panic!("{other:?}"),
            Ok::<Vec<Bytes>, Error>(read) => panic!("{read:?}"),
        }
    }
}

#[tokio::test]
async fn a_file_whose_numbers_make_no_sense_is_not_opened() {
    let bench = Bench::new().await;
    for (field, value) in [
        ("length", Bson::Int64(-1)),
        ("length", Bson::Double(9.5)),
        ("length", Bson::Double(f64::NAN)),
        ("length", Bson::String("10".into())),
        ("length", Bson::Null),
        ("chunkSize", Bson::Int32(0)),
        ("chunkSize", Bson::Int32(-4)),
        ("chunkSize", Bson::Null),
    ] {
        let id = bench.put(|file, _| drop(file.insert(field, &value))).await;
        let opened = bench.store.payloads.open(Bucket::Videos, id).await;
        let opened = opened.map(drop);
        assert!(matches!(opened, Err(Error::Corrupt(_))), "{field} {value}");
    }
}

#[tokio::test]
async fn a_file_of_no_bytes_is_read_with_and_without_an_empty_chunk() {
    let bench = Bench::new().await;
    for keep in [0, 1] {
        let id = bench.put(|file, chunks| {
            file.insert("length", 0_i64);
            chunks.truncate(keep);
            chunks.iter_mut().for_each(|chunk| set_bytes(chunk, b""));
        });
        assert_eq!(bench.read(id.await).await.unwrap(), "");
    }
    let after_the_end = bench.put(|file, chunks| {
        file.insert("length", 8_i64);
        set_bytes(&mut chunks[2], b"");
    });
    assert_eq!(bench.read(after_the_end.await).await.unwrap(), "01234567");
}

#[tokio::test]
async fn files_of_other_writers_are_read() {
    let bench = Bench::new().await;
    for length in [Bson::Int32(10), Bson::Int64(10), Bson::Double(10.0)] {
        for chunk_size in [Bson::Int32(4), Bson::Int64(4), Bson::Double(4.0)] {
            let id = bench.put(|file, chunks| {
                file.insert("length", &length);
                file.insert("chunkSize", &chunk_size);
                file.insert("md5", "781e5e245d69b566979b86e28d23f2c7");
                file.insert("metadata", doc! { "of": "somebody" });
                file.remove("filename");
                chunks[1].insert("n", 1_i64);
                chunks[2].insert("n", 2.0);
            });
            assert_eq!(bench.read(id.await).await.unwrap(), CONTENT);
        }
    }
}

#[tokio::test]
async fn what_we_store_is_what_the_specification_says() {
    let bench = Bench::new().await;
    let id = FileId::mint();
    let oid = ObjectId::from_bytes(id.bytes());
    let payloads = &bench.store.payloads;
    let writer = payloads.create(Bucket::Videos, id, "$a.b\u{1f3b5}").await;
    let mut writer = writer.unwrap();
    let bytes = Bytes::from(vec![7; 261_120 + 1]);
    writer.write(bytes).await.unwrap();
    let unfinished = bench.files.find_one(doc! {}).await.unwrap();
    assert_eq!(unfinished, None);
    writer.finish(Bytes::new()).await.unwrap();

    let file = bench.files.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(file.get("_id"), Some(&Bson::ObjectId(oid)));
    assert_eq!(file.get("length"), Some(&Bson::Int64(261_121)));
    assert_eq!(file.get("chunkSize"), Some(&Bson::Int32(261_120)));
    assert!(matches!(file.get("uploadDate"), Some(Bson::DateTime(_))));
    let name = Bson::String("$a.b\u{1f3b5}".into());
    assert_eq!(file.get("filename"), Some(&name));
    assert_eq!(file.len(), 5);

    let found = bench.chunks.find(doc! {}).sort(doc! { "n": 1 }).await;
    let chunks: Vec<Document> = found.unwrap().try_collect().await.unwrap();
    assert_eq!(chunks.len(), 2);
    for ((n, chunk), length) in (0..).zip(chunks).zip([261_120, 1]) {
        assert!(chunk.get_object_id("_id").is_ok());
        assert_eq!(chunk.get("files_id"), Some(&Bson::ObjectId(oid)));
        assert_eq!(chunk.get("n"), Some(&Bson::Int32(n)));
        assert_eq!(chunk.get_binary_generic("data").unwrap().len(), length);
        assert_eq!(chunk.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_on_after_a_damaged_payload_and_tells_its_job() {
    let bench = Bench::new().await;
    let spoiled = bench.put(|_, chunks| drop(chunks.remove(2))).await;
    let whole = bench.put(|_, _| {}).await;
    for id in [spoiled, whole] {
        let job = NewJob { id, ..new_job() };
        assert!(bench.store.jobs.adopt(job, 10, HOUR).await.unwrap());
    }
    let (target, _server) = fresh_store().await;
    for _ in 0..2 {
        let (copied, left_out) = copy(&bench.store, &target, drop).await.unwrap();
        assert_eq!((copied.jobs, copied.payloads, copied.bytes), (2, 1, 10));
        assert_eq!(left_out.len(), 1);
        assert_eq!((left_out[0].job, left_out[0].kind), (spoiled, "video"));
        assert!(matches!(left_out[0].why, Error::Corrupt(_)), "{left_out:?}");
        let absent = target.payloads.open(Bucket::Videos, spoiled).await;
        assert!(matches!(absent.map(drop), Err(Error::NotFound)));
        let read = target.payloads.open(Bucket::Videos, whole).await.unwrap();
        assert_eq!(read.read_at(0, 99).await.unwrap(), CONTENT);
    }
}
