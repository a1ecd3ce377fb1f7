use super::checksum::Checksum;
use crate::{App, error::Error, form::Form, incoming};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use decant_function::reasons;
use decant_store::{Bucket, Error as StoreError, Lease, PayloadWriter, Resumable};
use futures::{Stream, StreamExt};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a writer that died keeps others out: it has said nothing to the record for so long.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// How long a piece may pause. Then what came is kept and its request ends: whoever lost a connection without a word, in a
/// tunnel or under a lid, comes back on another one within seconds.
const QUIET: Duration = Duration::from_secs(5);
const _: () = assert!(QUIET.as_secs() + OFFSET_EVERY.as_secs() < LEASE.as_secs());

/// How often the offset moves while bytes come: what a process that is killed loses at most.
const OFFSET_EVERY: Duration = Duration::from_secs(3);
const OFFSET_EVERY_BYTES: u64 = 32 * 1024 * 1024;

/// How far an upload is.
pub(super) struct Progress {
    pub(super) offset_bytes: u64,
    /// `None` once it has ended.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// One request's bytes on their way into an upload, under its lease. Bytes first: the payload's checkpoint, then the
/// record's offset. The last byte makes the upload a job.
pub(super) struct Piece<'a> {
    app: &'a App,
    lease: Lease,
    video: Box<dyn PayloadWriter>,
    length_bytes: u64,
    /// Where the record's offset is.
    offset_bytes: u64,
    written_bytes: u64,
    /// When the record was told something last.
    told: Instant,
    /// Where there is one, the offset doesn't move before it was seen to be right.
    checksum: Option<Checksum>,
}

/// How a request's bytes ended.
enum End {
    /// All came.
    Whole,
    /// No more came for a while.
    Quiet,
    /// The connection broke.
    Broken,
}

impl<'a> Piece<'a> {
    pub(super) fn new(
        app: &'a App,
        lease: Lease,
        video: Box<dyn PayloadWriter>,
        (offset_bytes, length_bytes): (u64, u64),
        checksum: Option<Checksum>,
    ) -> Self {
        Self {
            app,
            lease,
            video,
            length_bytes,
            offset_bytes,
            written_bytes: offset_bytes,
            told: Instant::now(),
            checksum,
        }
    }

    /// Stores the bytes as they come, up to the upload's end. Whatever happens, what can be kept is, and the upload is
    /// free for the next piece when this ends.
    pub(super) async fn receive(
        mut self,
        bytes: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    ) -> Result<Progress, Error> {
        let end = match self.write(bytes).await {
            Ok(end) => end,
            Err(error) => return self.give_up(error).await,
        };
        let right = match (&end, self.checksum.take()) {
            (_, None) => Ok(()),
            (End::Whole, Some(checksum)) => checksum.check(),
            (End::Quiet, Some(_)) => Err(Error::Stalled),
            (End::Broken, Some(_)) => Err(Error::Broken),
        };
        if let Err(error) = right {
            return self.give_up(error).await;
        }
        if self.written_bytes == self.length_bytes {
            return self.finish().await;
        }
        let progress = self.keep().await?;
        match end {
            End::Broken => Err(Error::Broken),
            End::Whole | End::Quiet => Ok(progress),
        }
    }

    async fn write(
        &mut self,
        mut bytes: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    ) -> Result<End, Error> {
        loop {
            let bytes = match timeout(QUIET, bytes.next()).await {
                Ok(Some(Ok(bytes))) => bytes,
                Ok(Some(Err(_))) => return Ok(End::Broken),
                Ok(None) => return Ok(End::Whole),
                Err(_) => return Ok(End::Quiet),
            };
            if bytes.len() as u64 > self.length_bytes - self.written_bytes {
                return Err(Error::BeyondLength {
                    length_bytes: self.length_bytes,
                });
            }
            if let Some(checksum) = &mut self.checksum {
                checksum.add(&bytes);
            }
            self.written_bytes += bytes.len() as u64;
            self.video.write(bytes).await.map_err(lost)?;
            self.tell().await?;
        }
    }

    /// Tells the record, if it is time, how far the upload is, or that it is still being written.
    async fn tell(&mut self) -> Result<(), Error> {
        let new_bytes = self.written_bytes - self.offset_bytes;
        let many = self.checksum.is_none() && new_bytes >= OFFSET_EVERY_BYTES;
        if !many && self.told.elapsed() < OFFSET_EVERY {
            return Ok(());
        }
        let jobs = &self.app.store.jobs;
        // A client that reads the whole length takes it for a job: the offset gets there with the job alone.
        let is_whole = self.written_bytes == self.length_bytes;
        if self.checksum.is_some() || is_whole {
            jobs.renew(&self.lease, LEASE, None).await.map_err(lost)?;
        } else {
            let durable_bytes = self.video.checkpoint().await.map_err(lost)?;
            let (lease, keep_for) = (&self.lease, self.app.keep_partial);
            let moved = jobs.advance(lease, durable_bytes, keep_for, LEASE);
            moved.await.map_err(lost)?;
            self.offset_bytes = durable_bytes;
        }
        self.told = Instant::now();
        Ok(())
    }

    /// Keeps what came, and lets go of the upload.
    async fn keep(mut self) -> Result<Progress, Error> {
        let offset_bytes = match self.written_bytes == self.offset_bytes {
            true => self.offset_bytes,
            false => match self.video.checkpoint().await {
                Ok(durable_bytes) => durable_bytes,
                Err(error) => return self.give_up(lost(error)).await,
            },
        };
        // The payload first: whoever goes on may come as soon as the record lets them.
        drop(self.video);
        let jobs = &self.app.store.jobs;
        let paused = jobs.pause(&self.lease, offset_bytes, self.app.keep_partial);
        Ok(Progress {
            offset_bytes,
            expires_at: Some(paused.await.map_err(lost)?),
        })
    }

    /// All bytes are there: makes them a video, and the upload a job like any other.
    async fn finish(self) -> Result<Progress, Error> {
        let Self {
            app, lease, video, ..
        } = self;
        let offset_bytes = self.offset_bytes;
        let finished = video.finish(Bytes::new()).await;
        let ended = match finished {
            Ok(size_bytes) => end(app, &lease, size_bytes).await,
            Err(error) => Err(lost(error)),
        };
        if ended.is_err() {
            let_go(app, &lease, offset_bytes).await;
        }
        ended
    }

    /// Lets go of the upload where it was: what the record doesn't know of is written anew by the next piece.
    async fn give_up(self, error: Error) -> Result<Progress, Error> {
        drop(self.video);
        let_go(self.app, &self.lease, self.offset_bytes).await;
        Err(error)
    }
}

/// Goes on with an upload that was taken by this lease at its offset.
pub(super) async fn resume<'a>(
    app: &'a App,
    lease: Lease,
    upload: &Resumable,
    checksum: Option<Checksum>,
) -> Result<Option<Piece<'a>>, Error> {
    let (id, name) = (upload.id, &upload.file_name);
    let offset_bytes = upload.offset_bytes;
    let payloads = &app.store.payloads;
    let resumed = payloads.resume(Bucket::Videos, id, name, offset_bytes);
    match resumed.await {
        Ok(video) => {
            let range = (offset_bytes, upload.length_bytes);
            Ok(Some(Piece::new(app, lease, video, range, checksum)))
        }
        // Whoever wrote its last byte died before it became a job.
        Err(StoreError::Exists) => {
            let ended = match payloads.open(Bucket::Videos, id).await {
                Ok(video) => end(app, &lease, video.size_bytes()).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = ended {
                let_go(app, &lease, offset_bytes).await;
                return Err(error);
            }
            Ok(None)
        }
        Err(error) => {
            let_go(app, &lease, offset_bytes).await;
            Err(lost(error))
        }
    }
}

async fn end(app: &App, lease: &Lease, size_bytes: u64) -> Result<Progress, Error> {
    // What is asked for is in the record since the upload began.
    let ended = incoming::end(app, lease, &Form::default(), size_bytes).await;
    ended.map_err(lost)?;
    Ok(Progress {
        offset_bytes: size_bytes,
        expires_at: None,
    })
}

async fn let_go(app: &App, lease: &Lease, offset_bytes: u64) {
    let jobs = &app.store.jobs;
    match jobs.pause(lease, offset_bytes, app.keep_partial).await {
        Ok(_) | Err(StoreError::LeaseLost) => {}
        Err(error) => {
            tracing::warn!(job.id = %lease.job_id, error = reasons(&error), "nobody can go on with an upload until its lease runs out");
        }
    }
}

/// Somebody else goes on with this upload, or has ended it.
fn lost(error: StoreError) -> Error {
    match error {
        StoreError::LeaseLost | StoreError::NotFound => Error::Locked,
        error => error.into(),
    }
}
