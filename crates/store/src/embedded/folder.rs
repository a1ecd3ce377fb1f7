use super::database::{DATABASE, LOCK};
use crate::{Bucket, Error};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Makes the folder with its places, readable by their owner alone, and gives its absolute path.
///
/// A folder that exists keeps its permissions: it may be somebody's home.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, Error> {
    make(folder).map_err(away)
}

fn make(folder: &Path) -> io::Result<PathBuf> {
    make_private_folder(folder)?;
    // Absolute, because the process may change its own folder later.
    let folder = folder.canonicalize()?;
    for bucket in [Bucket::Videos, Bucket::Mp3s] {
        make_private_folder(&folder.join(bucket.name()))?;
    }
    sync(&folder)?;
    if let Some(parent) = folder.parent() {
        // A parent that can't be read is somebody else's, and so the folder was there before.
        let _ = sync(parent);
    }
    Ok(folder)
}

/// Makes a folder that only its owner may look into, and those above it. One that exists stays as it is.
pub(super) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut private = DirBuilder::new();
    private.mode(0o700).recursive(true).create(folder)
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Waits until nobody else prepares the database, then makes it if it is missing. The file that this gives holds the lock
/// until it is dropped, or its process dies.
pub(super) fn lock(folder: &Path) -> Result<File, Error> {
    make_private(&folder.join(LOCK)).map_err(away)?;
    let lock = File::open(folder.join(LOCK)).map_err(away)?;
    lock.lock().map_err(away)?;
    // SQLite would make its file readable by everybody, and gives the files beside it the same permissions.
    make_private(&folder.join(DATABASE)).map_err(away)?;
    sync(folder).map_err(away)?;
    Ok(lock)
}

/// Makes a file that only its owner may read. One that exists isn't even opened: when a process closes a file, it loses
/// every POSIX lock that it has on it, SQLite's too (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
fn make_private(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// The error of an operation that misses no payload: where something isn't found, the store itself is away.
pub(super) fn away(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Unavailable(error.into()),
        _ => error.into(),
    }
}

/// Tells a missing payload from a missing store by the folder that should hold it.
pub(super) fn missing_in(folder: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound if fs::metadata(folder).is_ok_and(|found| found.is_dir()) => {
            Error::NotFound
        }
        io::ErrorKind::AlreadyExists => Error::Exists,
        _ => away(error),
    }
}
