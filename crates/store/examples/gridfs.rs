//! How fast payloads go into MongoDB and come out, beside the least that anybody could do: `insert_many` of the same
//! chunks with the same write concern, one after the other, and one sorted cursor. Run by `bench/gridfs`.

use anyhow::{Context, ensure};
use bytes::Bytes;
use decant_events::FileId;
use decant_store::{Bucket, CHUNK_BYTES, Store};
use decant_test_servers::MongoServer;
use futures::TryStreamExt;
use mongodb::{
    Client, Collection, IndexModel,
    bson::{Binary, Document, RawDocumentBuf, doc, oid::ObjectId, spec::BinarySubtype},
    options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern},
};
use std::{env, process::ExitCode, time::Instant};

const ROUNDS: usize = 9;
const UPLOAD_GOAL: f64 = 0.85;
const READ_GOAL: f64 = 0.9;
const RAW_BATCH: usize = 8;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mib: usize = env::args()
        .nth(1)
        .context("expected a size in MiB")?
        .parse()?;
    let folder = tempfile::tempdir()?;
    let server = MongoServer::start(folder.path());
    let sides = Sides::new(&server).await?;
    let bytes = noise(mib << 20);

    let (mut uploads, mut reads) = (Vec::new(), Vec::new());
    // The first round warms up and isn't counted.
    for round in 0..=ROUNDS {
        let id = FileId::mint();
        let oid = ObjectId::from_bytes(id.bytes());
        // Who goes first takes turns.
        let (mut ours, mut raw) = (0.0, 0.0);
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                ours = sides.upload(id, &bytes).await?;
            } else {
                raw = sides.upload_raw(oid, &bytes).await?;
            }
        }
        let (mut our_read, mut raw_read) = (0.0, 0.0);
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                our_read = sides.read(id, bytes.len()).await?;
            } else {
                raw_read = sides.read_raw(oid, bytes.len()).await?;
            }
        }
        sides.delete(id, oid).await?;
        if round > 0 {
            uploads.push((ours, raw));
            reads.push((our_read, raw_read));
        }
    }
    println!("{mib} MiB, medians of {ROUNDS} rounds, MB/s");
    println!(
        "{:<8} {:>8} {:>8} {:>8} {:>8}",
        "", "ours", "raw", "ratio", "goal"
    );
    let upload = report("upload", bytes.len(), &uploads, UPLOAD_GOAL);
    let read = report("read", bytes.len(), &reads, READ_GOAL);
    Ok(if upload && read {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The same server, by the store and without it.
struct Sides {
    store: Store,
    raw: Collection<Document>,
    stored: Collection<RawDocumentBuf>,
}

impl Sides {
    async fn new(server: &MongoServer) -> anyhow::Result<Self> {
        let prefix = format!("bench{}_", FileId::mint());
        let store = Store::open_apart(&server.uri().parse()?, &prefix).await?;
        let mut options = ClientOptions::parse(server.uri()).await?;
        let concern = WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true);
        options.write_concern = Some(concern.build());
        let client = Client::with_options(options)?;
        let raw = client
            .database(&format!("{prefix}raw"))
            .collection("fs.chunks");
        let unique = IndexOptions::builder().unique(true).build();
        let index = IndexModel::builder().keys(doc! { "files_id": 1, "n": 1 });
        raw.create_index(index.options(unique).build()).await?;
        let videos = client.database(&format!("{prefix}videos"));
        let stored = videos.collection("fs.chunks");
        Ok(Self { store, raw, stored })
    }

    async fn upload(&self, id: FileId, bytes: &Bytes) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut writer = self
            .store
            .payloads
            .create(Bucket::Videos, id, "bench")
            .await?;
        // As a connection gives them.
        for start in (0..bytes.len()).step_by(64 * 1024) {
            let piece = bytes.slice(start..bytes.len().min(start + 64 * 1024));
            writer.write(piece).await?;
        }
        writer.finish(Bytes::new()).await?;
        Ok(began.elapsed().as_secs_f64())
    }

    async fn upload_raw(&self, id: ObjectId, bytes: &Bytes) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut n = 0;
        for batch in bytes.chunks(RAW_BATCH * CHUNK_BYTES) {
            let mut documents = Vec::new();
            for piece in batch.chunks(CHUNK_BYTES) {
                let data = Binary {
                    subtype: BinarySubtype::Generic,
                    bytes: piece.to_vec(),
                };
                documents
                    .push(doc! { "_id": ObjectId::new(), "files_id": id, "n": n, "data": data });
                n += 1;
            }
            self.raw.insert_many(documents).await?;
        }
        Ok(began.elapsed().as_secs_f64())
    }

    async fn read(&self, id: FileId, size: usize) -> anyhow::Result<f64> {
        let began = Instant::now();
        let reader = self.store.payloads.open(Bucket::Videos, id).await?;
        let mut pieces = reader.stream(0..size as u64);
        let mut read = 0;
        while let Some(piece) = pieces.try_next().await? {
            read += piece.len();
        }
        let elapsed = began.elapsed().as_secs_f64();
        ensure!(read == size, "read {read} bytes");
        Ok(elapsed)
    }

    /// Of the chunks that the store stored, so that the same pages are warm.
    async fn read_raw(&self, id: ObjectId, size: usize) -> anyhow::Result<f64> {
        let began = Instant::now();
        let found = self.stored.find(doc! { "files_id": id });
        let mut chunks = found.sort(doc! { "n": 1 }).await?;
        let mut read = 0;
        while chunks.advance().await? {
            read += chunks.current().get_binary("data")?.bytes.len();
        }
        let elapsed = began.elapsed().as_secs_f64();
        ensure!(read == size, "read {read} bytes");
        Ok(elapsed)
    }

    async fn delete(&self, id: FileId, oid: ObjectId) -> anyhow::Result<()> {
        self.store.payloads.delete(Bucket::Videos, id).await?;
        self.raw.delete_many(doc! { "files_id": oid }).await?;
        Ok(())
    }
}

fn report(what: &str, size: usize, rounds: &[(f64, f64)], goal: f64) -> bool {
    let speed = |seconds: f64| size as f64 / 1e6 / seconds;
    let ours = speed(median(rounds.iter().map(|(ours, _)| *ours)));
    let raw = speed(median(rounds.iter().map(|(_, raw)| *raw)));
    let ratio = ours / raw;
    println!("{what:<8} {ours:>8.1} {raw:>8.1} {ratio:>8.2} {goal:>8.2}");
    ratio >= goal
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Bytes that no compressor makes smaller.
fn noise(size: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut words = (0..size / 8).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let mut bytes = Vec::with_capacity(size);
    words.by_ref().for_each(|word| bytes.extend(word));
    bytes.into()
}
