//! The store at home: one folder that several processes share.
//!
//! ```text
//! jobs.db            job records (SQLite)
//! jobs.lock          held while a process prepares jobs.db
//! videos/<id>        a finished payload; <id>.part is a half-written one
//! mp3s/<id>
//! ```

mod apart;
mod cancel;
mod conversion;
mod database;
mod files;
mod folder;
mod jobs;
mod mail;
mod record;
mod resumable;
mod retry;
mod snapshot;
mod sweep;
mod title;
mod turns;
mod upload;
mod usage;

use crate::{Error, Store};
use std::{path::Path, sync::Arc};

/// Opens the store in `folder`, making what is missing.
pub(crate) async fn open(folder: &Path) -> Result<Store, Error> {
    let folder = folder.to_owned();
    let folder = blocking(move || folder::prepare(&folder)).await?;
    Ok(Store {
        jobs: Arc::new(database::Database::open(&folder).await?),
        payloads: Arc::new(files::Files::new(folder)),
    })
}

/// Makes the folder, if it isn't there: whoever can't needs another one.
pub(crate) fn check(folder: &Path) -> Result<(), Error> {
    folder::make_private_folder(folder).map_err(folder::away)
}

/// Whether the folder holds a store, as far as one can see.
pub(crate) fn is_there(folder: &Path) -> bool {
    let found = folder.join(database::DATABASE).try_exists();
    found.unwrap_or(true)
}

/// Runs file I/O where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|stopped| Err(Error::Unavailable(stopped.into())))
}
