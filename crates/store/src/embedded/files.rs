use super::{
    blocking,
    folder::{self, missing_in},
};
use crate::{Bucket, CHUNK_BYTES, Error, PayloadReader, PayloadWriter, Payloads};
use async_trait::async_trait;
use bytes::Bytes;
use decant_events::FileId;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a writer gathers before it goes to a thread that may block: four chunks.
const BUFFER_BYTES: usize = 4 * CHUNK_BYTES;

/// Less room than this is none: the job's record has to fit too.
const ROOM_BYTES: u64 = 1024 * 1024;

/// Payloads as files.
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn names(&self, bucket: Bucket, id: FileId) -> Names {
        let folder = self.folder.join(bucket.name());
        Names {
            finished: folder.join(id.to_string()),
            part: folder.join(format!("{id}.part")),
            folder,
        }
    }
}

#[async_trait]
impl Payloads for Files {
    async fn create(
        &self,
        bucket: Bucket,
        id: FileId,
        _file_name: &str,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        let names = self.names(bucket, id);
        blocking(move || {
            let file = names.create()?;
            Ok(FileWriter::boxed(names, file, 0))
        })
        .await
    }

    async fn resume(
        &self,
        bucket: Bucket,
        id: FileId,
        _file_name: &str,
        offset: u64,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        let names = self.names(bucket, id);
        blocking(move || {
            let file = names.resume(offset)?;
            Ok(FileWriter::boxed(names, file, offset))
        })
        .await
    }

    async fn open(&self, bucket: Bucket, id: FileId) -> Result<Arc<dyn PayloadReader>, Error> {
        let names = self.names(bucket, id);
        blocking(move || {
            let file =
                File::open(&names.finished).map_err(|error| missing_in(&names.folder, error))?;
            let size_bytes = file.metadata()?.len();
            Ok(Arc::new(FileReader {
                file: Arc::new(file),
                size_bytes,
            }) as Arc<dyn PayloadReader>)
        })
        .await
    }

    async fn room(&self) -> Result<(), Error> {
        let folder = self.folder.clone();
        blocking(move || {
            let disk = rustix::fs::statvfs(&folder).map_err(|error| folder::away(error.into()))?;
            let room_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
            if room_bytes < ROOM_BYTES {
                return Err(Error::Full(format!("{room_bytes} bytes are left").into()));
            }
            Ok(())
        })
        .await
    }

    async fn delete(&self, bucket: Bucket, id: FileId) -> Result<(), Error> {
        let names = self.names(bucket, id);
        blocking(move || names.delete()).await
    }
}

/// Where one payload lives. The names come from its id alone.
struct Names {
    folder: PathBuf,
    part: PathBuf,
    finished: PathBuf,
}

impl Names {
    fn create(&self) -> Result<File, Error> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.part)
            .map_err(|error| missing_in(&self.folder, error))?;
        // Asked while the part is ours: nobody else can finish this id from here on.
        if self.finished.try_exists()? {
            fs::remove_file(&self.part)?;
            return Err(Error::Exists);
        }
        alone(file)
    }

    fn resume(&self, offset: u64) -> Result<File, Error> {
        if self.finished.try_exists()? {
            return Err(Error::Exists);
        }
        let part = OpenOptions::new().write(true).open(&self.part);
        let mut file = alone(part.map_err(|error| missing_in(&self.folder, error))?)?;
        if file.metadata()?.len() < offset {
            let sentence = format!("of the {offset} bytes that should be there some are not");
            return Err(Error::Corrupt(sentence));
        }
        file.set_len(offset)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }

    /// Turns the part that `file` is into the finished payload.
    fn publish(&self, file: &File) -> Result<(), Error> {
        let missing = |error| missing_in(&self.folder, error);
        let named = fs::symlink_metadata(&self.part).map_err(missing)?;
        let written = file.metadata()?;
        if (named.dev(), named.ino()) != (written.dev(), written.ino()) {
            return Err(Error::NotFound); // deleted, and begun again by somebody else
        }
        fs::rename(&self.part, &self.finished).map_err(missing)?;
        Ok(folder::sync(&self.folder)?)
    }

    /// The part goes first: a writer that is about to finish either finds its part gone or leaves what goes next.
    fn delete(&self) -> Result<(), Error> {
        self.remove(&self.part)?;
        self.remove(&self.finished)?;
        folder::sync(&self.folder).map_err(folder::away)
    }

    fn remove(&self, name: &Path) -> Result<(), Error> {
        match fs::remove_file(name).map_err(|error| missing_in(&self.folder, error)) {
            Err(Error::NotFound) => Ok(()),
            done => done,
        }
    }
}

/// Locks the part as long as it is open: another writer would write into the same file.
fn alone(file: File) -> Result<File, Error> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Unavailable(
            "somebody else writes this payload".into(),
        )),
        Err(TryLockError::Error(error)) => Err(folder::away(error)),
    }
}

struct FileWriter {
    names: Names,
    size_bytes: u64,
    /// The file and what it doesn't hold yet; taken while a write is under way. A write that fails or is dropped halfway
    /// never puts it back, so that a payload with a hole can't be finished.
    sound: Option<(File, Vec<u8>)>,
}

impl FileWriter {
    fn boxed(names: Names, file: File, size_bytes: u64) -> Box<dyn PayloadWriter> {
        Box::new(Self {
            names,
            size_bytes,
            sound: Some((file, Vec::with_capacity(BUFFER_BYTES))),
        })
    }

    fn take(&mut self) -> Result<(File, Vec<u8>), Error> {
        self.sound
            .take()
            .ok_or_else(|| Error::Unavailable("an earlier write of this payload failed".into()))
    }
}

#[async_trait]
impl PayloadWriter for FileWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let (mut file, mut buffer) = self.take()?;
        let length = bytes.len();
        if buffer.len() + length <= BUFFER_BYTES {
            // Copied, because a small piece may hold on to a large buffer of the network's.
            buffer.extend_from_slice(&bytes);
        } else {
            (file, buffer) = blocking(move || {
                file.write_all(&buffer)?;
                file.write_all(&bytes)?;
                buffer.clear();
                Ok((file, buffer))
            })
            .await?;
        }
        self.size_bytes += length as u64;
        self.sound = Some((file, buffer));
        Ok(())
    }

    async fn checkpoint(&mut self) -> Result<u64, Error> {
        let (mut file, mut buffer) = self.take()?;
        let folder = self.names.folder.clone();
        let written = blocking(move || {
            file.write_all(&buffer)?;
            buffer.clear();
            file.sync_all()?;
            // The part's name too.
            folder::sync(&folder).map_err(folder::away)?;
            Ok((file, buffer))
        });
        self.sound = Some(written.await?);
        Ok(self.size_bytes)
    }

    async fn finish(mut self: Box<Self>, head: Bytes) -> Result<u64, Error> {
        let (mut file, buffer) = self.take()?;
        let Self {
            names, size_bytes, ..
        } = *self;
        if head.len() as u64 > size_bytes {
            return Err(Error::Corrupt("the head is longer than its payload".into()));
        }
        blocking(move || {
            file.write_all(&buffer)?;
            file.write_all_at(&head, 0)?;
            file.sync_all()?;
            names.publish(&file)?;
            Ok(size_bytes)
        })
        .await
    }
}

/// Holds the file open: it reads on when the payload is deleted.
struct FileReader {
    file: Arc<File>,
    size_bytes: u64,
}

#[async_trait]
impl PayloadReader for FileReader {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let rest = self.size_bytes.saturating_sub(offset);
        let length = usize::try_from(rest).map_or(length, |rest| rest.min(length));
        if length == 0 {
            return Ok(Bytes::new());
        }
        let file = Arc::clone(&self.file);
        blocking(move || {
            let mut bytes = vec![0; length];
            match file.read_exact_at(&mut bytes, offset) {
                Ok(()) => Ok(bytes.into()),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Err(Error::Corrupt("a payload's file was cut".into()))
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}
