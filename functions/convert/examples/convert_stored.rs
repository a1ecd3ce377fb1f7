//! `convert` on an embedded store, called without HTTP, for `bench/run`: from the store to the store.
//!
//!     convert_stored DECODER STORE VIDEO_ID
//!
//! Says `ready`, waits for a line, converts as for an event, and says how many bytes of the video it has read and the
//! MP3's id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use async_trait::async_trait;
use axum::{body::Body, http::Request};
use bytes::Bytes;
use clap::Parser;
use decant_convert::{App, Config, router};
use decant_events::{FileId, Mp3Ready};
use decant_function::testing::TestFunction;
use decant_store::{Bucket, Error, PayloadReader, PayloadWriter, Payloads, Store, StoreUrl};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    decant_audio::free_blocks_at_once(); // as the function itself
    let mut arguments = std::env::args().skip(1);
    let (Some(decoder), Some(folder), Some(id)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        anyhow::bail!("usage: convert_stored DECODER STORE VIDEO_ID");
    };
    let flags = [
        "convert",
        "--store",
        &folder,
        "--decoder",
        &decoder,
        "--foreign-events",
    ];
    let config = Config::try_parse_from(flags)?;
    let store = Store::open(&folder.parse::<StoreUrl>()?).await?;
    let read_bytes = Arc::new(AtomicU64::new(0));
    let store = Store {
        payloads: Arc::new(Counted {
            payloads: store.payloads,
            read_bytes: Arc::clone(&read_bytes),
        }),
        ..store
    };
    let function = TestFunction::new(router(App::new(store, &config)));

    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    let data = format!(r#"{{"video_fid":"{id}","mp3_fid":null,"username":"bench@example.com"}}"#);
    let event = Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-type", "dev.decant.video.uploaded")
        .header("ce-source", "/bench")
        .header("ce-id", &id)
        .header("content-type", "application/json")
        .body(Body::from(data))?;
    let reply = function.send(event).await;
    ensure!(reply.status == 200, "it answers {}", reply.status);
    let mp3: Mp3Ready = reply.event();
    println!("{} {}", read_bytes.load(Ordering::Relaxed), mp3.mp3_fid);
    Ok(())
}

/// Payloads that count what is read of them.
struct Counted<T: ?Sized> {
    payloads: Arc<T>,
    read_bytes: Arc<AtomicU64>,
}

#[async_trait]
impl Payloads for Counted<dyn Payloads> {
    async fn create(
        &self,
        bucket: Bucket,
        id: FileId,
        file_name: &str,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        self.payloads.create(bucket, id, file_name).await
    }

    async fn resume(
        &self,
        bucket: Bucket,
        id: FileId,
        file_name: &str,
        offset: u64,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        self.payloads.resume(bucket, id, file_name, offset).await
    }

    async fn open(&self, bucket: Bucket, id: FileId) -> Result<Arc<dyn PayloadReader>, Error> {
        Ok(Arc::new(Counted {
            payloads: self.payloads.open(bucket, id).await?,
            read_bytes: Arc::clone(&self.read_bytes),
        }))
    }

    async fn room(&self) -> Result<(), Error> {
        self.payloads.room().await
    }

    async fn delete(&self, bucket: Bucket, id: FileId) -> Result<(), Error> {
        self.payloads.delete(bucket, id).await
    }
}

#[async_trait]
impl PayloadReader for Counted<dyn PayloadReader> {
    fn size_bytes(&self) -> u64 {
        self.payloads.size_bytes()
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let read = self.payloads.read_at(offset, length).await?;
        self.read_bytes
            .fetch_add(read.len() as u64, Ordering::Relaxed);
        Ok(read)
    }
}
