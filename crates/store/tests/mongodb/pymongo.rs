//! GridFS as the older system's Python reads and writes it. Needs Debian's python3-gridfs.

use crate::{Shared, fresh_prefix, open, shared};
use bytes::Bytes;
use decant_events::FileId;
use decant_store::{Bucket, CHUNK_BYTES, Store};
use futures::TryStreamExt;
use std::{
    process::{Command, Stdio},
    sync::Arc,
};
use tokio::{io::AsyncWriteExt, process};

const SIZES: [usize; 5] = [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 17];

const SETUP: &str = "
import sys, gridfs, pymongo, bson
client = pymongo.MongoClient(sys.argv[1])
";

struct Python {
    shared: Arc<Shared>,
    prefix: String,
    store: Store,
}

impl Python {
    async fn new() -> Self {
        let (shared, prefix) = (shared(), fresh_prefix());
        let store = open(&shared.server, &prefix).await.unwrap();
        Self {
            shared,
            prefix,
            store,
        }
    }

    /// Runs a script with a database's name and more arguments, feeds it, and gives what it wrote.
    async fn run(&self, script: &str, database: &str, more: &[&str], input: &[u8]) -> Vec<u8> {
        let mut python = process::Command::from(Command::new("/usr/bin/python3"))
            .args(["-W", "ignore", "-c", &format!("{SETUP}{script}")])
            .args([
                self.shared.server.uri(),
                &format!("{}{database}", self.prefix),
            ])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = python.stdin.take().unwrap();
        let input = input.to_vec();
        let feed = tokio::spawn(async move { stdin.write_all(&input).await });
        let output = python.wait_with_output().await.unwrap();
        let _ = feed.await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "python3-gridfs: ./test installs it; {said}"
        );
        output.stdout
    }

    async fn ours(&self, bucket: Bucket, id: FileId) -> Vec<u8> {
        let reader = self.store.payloads.open(bucket, id).await.unwrap();
        let size = reader.size_bytes();
        let pieces: Vec<Bytes> = reader.stream(0..size).try_collect().await.unwrap();
        pieces.concat()
    }
}

fn sample(size: usize) -> Vec<u8> {
    (0..size as u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(size)
        .collect()
}

#[tokio::test]
async fn python_reads_what_we_wrote() {
    let python = Python::new().await;
    for (size, resumes) in SIZES
        .iter()
        .flat_map(|size| [(*size, false), (*size, true)])
    {
        let (id, bytes) = (FileId::mint(), sample(size));
        let payloads = &python.store.payloads;
        let writer = payloads.create(Bucket::Mp3s, id, "Übung.mp3").await;
        let mut writer = writer.unwrap();
        let mut rest = Bytes::from(bytes.clone());
        if resumes {
            let half = rest.split_to(size / 2);
            writer.write(half).await.unwrap();
            let offset = writer.checkpoint().await.unwrap();
            let resumed = payloads.resume(Bucket::Mp3s, id, "Übung.mp3", offset);
            writer = resumed.await.unwrap();
        }
        writer.write(rest).await.unwrap();
        writer.finish(Bytes::new()).await.unwrap();

        let script = "
file = gridfs.GridFS(client[sys.argv[2]]).get(bson.ObjectId(sys.argv[3]))
assert file.filename == 'Übung.mp3' and file.chunk_size == 261120, file._file
sys.stdout.buffer.write(file.read())
";
        let read = python.run(script, "mp3s", &[&id.to_string()], b"").await;
        assert!(read == bytes, "{size} bytes");
        // As the newer interface does, which checks every chunk.
        let script = "
bucket = gridfs.GridFSBucket(client[sys.argv[2]])
bucket.download_to_stream(bson.ObjectId(sys.argv[3]), sys.stdout.buffer)
";
        let read = python.run(script, "mp3s", &[&id.to_string()], b"").await;
        assert!(read == bytes, "{size} bytes");
    }
}

#[tokio::test]
async fn we_read_what_python_wrote() {
    let python = Python::new().await;
    // The older system's own line, without a file name; then with one, and with chunks of another size.
    for put in [
        "fs_mp3s.put(data)",
        "fs_mp3s.put(data, filename='talk.mp3')",
        "fs_mp3s.put(data, chunkSize=100_000)",
    ] {
        for size in SIZES {
            let bytes = sample(size);
            let script = format!(
                "
fs_mp3s = gridfs.GridFS(client[sys.argv[2]])
data = sys.stdin.buffer.read()
print({put}, end='')
"
            );
            let id = python.run(&script, "mp3s", &[], &bytes).await;
            let id = String::from_utf8(id).unwrap().parse().unwrap();
            let read = python.ours(Bucket::Mp3s, id).await;
            assert!(read == bytes, "{size} bytes by {put}");
        }
    }
}

#[tokio::test]
async fn python_and_we_delete_each_others_files() {
    let python = Python::new().await;
    let script = "
fs = gridfs.GridFS(client[sys.argv[2]])
print(fs.put(b'x' * 600_000), end='')
";
    let id = python.run(script, "videos", &[], b"").await;
    let id: FileId = String::from_utf8(id).unwrap().parse().unwrap();
    let payloads = &python.store.payloads;
    payloads.delete(Bucket::Videos, id).await.unwrap();
    let script = "
database = client[sys.argv[2]]
assert database.fs.files.count_documents({}) == 0
assert database.fs.chunks.count_documents({}) == 0
";
    python.run(script, "videos", &[], b"").await;

    let id = FileId::mint();
    let mut writer = payloads.create(Bucket::Videos, id, "x").await.unwrap();
    writer.write(sample(600_000).into()).await.unwrap();
    writer.finish(Bytes::new()).await.unwrap();
    let script = "gridfs.GridFS(client[sys.argv[2]]).delete(bson.ObjectId(sys.argv[3]))";
    python.run(script, "videos", &[&id.to_string()], b"").await;
    assert!(payloads.open(Bucket::Videos, id).await.is_err());
}

#[tokio::test]
async fn python_finds_the_indexes_it_would_make() {
    let python = Python::new().await;
    let script = "
database = client[sys.argv[2]]
chunks, files = (database.fs[name].index_information() for name in ('chunks', 'files'))
assert chunks['files_id_1_n_1']['unique'], chunks
assert 'filename_1_uploadDate_1' in files, files
gridfs.GridFS(database).put(b'x')
assert database.fs.chunks.index_information() == chunks
";
    for database in ["videos", "mp3s"] {
        python.run(script, database, &[], b"").await;
    }
}
