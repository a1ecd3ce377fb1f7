//! The store on MongoDB, 5.0 or newer.
//!
//! ```text
//! decant.jobs        job records
//! videos.fs.files    finished payloads, as the GridFS specification has them
//! videos.fs.chunks   their bytes, and those of half-written ones; two chunks of a payload that was resumed also say
//!                    who resumed it
//! videos.fs.writers  who writes which payload right now; nobody else looks here
//! mp3s.fs.…          the same
//! ```

mod apart;
mod cancel;
mod chunk;
mod conversion;
mod database;
mod error;
mod expression;
mod file;
mod gridfs;
mod half_written;
mod indexes;
mod jobs;
mod mail;
mod reader;
mod record;
mod resumable;
mod retry;
mod snapshot;
mod sweep;
mod title;
mod turns;
mod upload;
mod uri;
mod usage;
mod writer;

pub use uri::MongoUri;

use crate::{Bucket, Error, Store};
use std::sync::Arc;

/// Opens the store at `uri`, making the indexes that are missing. `prefix` stands before the names of its databases.
pub(crate) async fn open(uri: &MongoUri, prefix: &str) -> Result<Store, Error> {
    let client = database::connect(uri).await?;
    let place = |bucket: Bucket| {
        let name = format!("{prefix}{}", bucket.name());
        gridfs::Place::new(&client.database(&name))
    };
    let (videos, mp3s) = (place(Bucket::Videos), place(Bucket::Mp3s));
    let jobs = database::Database::new(&client.database(&format!("{prefix}decant")));
    indexes::of_jobs(jobs.jobs()).await?;
    for place in [&videos, &mp3s] {
        indexes::of_payloads(place).await?;
    }
    Ok(Store {
        payloads: Arc::new(gridfs::GridFs::new(videos, mp3s)),
        jobs: Arc::new(jobs),
    })
}
