//! The store at home: the contract, and the faults that only a folder knows.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod faults;
mod older;
mod processes;
mod rerun;

use bytes::Bytes;
use decant_events::FileId;
use decant_store::{Bucket, Error, NewJob, PayloadWriter, Store, StoreUrl, Turns};
use std::{path::Path, time::Duration};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);

/// More turns than a test has jobs.
const TURNS: Turns = Turns {
    at_once: 1000,
    gap: HOUR,
};

async fn fresh_store() -> (Store, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (open(home.path().join("store")).await.unwrap(), home)
}

decant_store::contract_tests!(fresh_store);

async fn open(folder: impl AsRef<Path>) -> Result<Store, Error> {
    Store::open(&StoreUrl::Folder(folder.as_ref().to_owned())).await
}

fn new_job() -> NewJob {
    NewJob {
        id: FileId::mint(),
        owner: "kevin@email.com".parse().unwrap(),
        file_name: "talk.mp4".into(),
        traceparent: None,
    }
}

async fn begin_video(store: &Store, id: FileId) -> Result<Box<dyn PayloadWriter>, Error> {
    store.payloads.create(Bucket::Videos, id, "talk.mp4").await
}

async fn store_video(store: &Store, id: FileId, bytes: &[u8]) -> Result<u64, Error> {
    let mut writer = begin_video(store, id).await?;
    writer.write(Bytes::copy_from_slice(bytes)).await?;
    writer.finish(Bytes::new()).await
}

async fn read_video(store: &Store, id: FileId) -> Result<Bytes, Error> {
    let reader = store.payloads.open(Bucket::Videos, id).await?;
    reader.read_at(0, usize::MAX).await
}
