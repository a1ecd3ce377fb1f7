//! Payloads and jobs, behind two traits. One contract suite (`contract`) holds every back end to the same behaviour.
//!
//! Invariants:
//! - The job record is the truth. Every change of its state is one compare-and-set by the database's clock.
//! - Record first: whatever is half-written is named by a record, so that the sweep can find it.
//! - Acknowledged bytes are durable.
//! - Only this crate knows how and where things are stored.

mod config;
mod copy;
mod embedded;
mod error;
mod events;
mod find;
mod job;
mod jobs;
mod line;
mod mongodb;
mod payloads;
mod resumable;
mod retention;
mod snapshot;
mod turns;
mod url;
mod usage;

#[cfg(feature = "contract")]
pub mod contract;

pub use self::mongodb::MongoUri;
pub use config::{StoreConfig, TurnsConfig};
pub use copy::{Copied, CopyError, LeftOut, copy, copy_size};
pub use error::Error;
pub use events::ANNOUNCE_GAP;
pub use find::{Page, Wanted};
pub use job::{Asked, Job, Mp3, NewJob, Progress, State, UnreadableOptions};
pub use jobs::{Claim, Due, Jobs, Lease, Litter, MailClaim};
pub use line::{InLine, Line};
pub use payloads::{Bucket, CHUNK_BYTES, PayloadReader, PayloadWriter, Payloads};
pub use resumable::Resumable;
pub use retention::Retention;
pub use snapshot::Snapshot;
pub use turns::Turns;
pub use url::{InvalidStoreUrl, StoreUrl};
pub use usage::Usage;

use std::sync::Arc;

/// The two halves of a store. Clones share it.
#[derive(Clone)]
pub struct Store {
    /// Videos and MP3s.
    pub payloads: Arc<dyn Payloads>,
    /// What is to be done and what became of it.
    pub jobs: Arc<dyn Jobs>,
}

impl Store {
    /// Opens the store at `url`, making what is missing.
    pub async fn open(url: &StoreUrl) -> Result<Self, Error> {
        match url {
            StoreUrl::Folder(folder) => embedded::open(folder).await,
            StoreUrl::Mongo(uri) => self::mongodb::open(uri, "").await,
        }
    }

    /// Opens a store of its own on a MongoDB that others use too: `prefix` stands before the names of its databases.
    #[cfg(feature = "contract")]
    pub async fn open_apart(uri: &MongoUri, prefix: &str) -> Result<Self, Error> {
        self::mongodb::open(uri, prefix).await
    }
}
