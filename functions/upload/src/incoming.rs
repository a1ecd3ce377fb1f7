use crate::{App, error::Error, form::Form, jobs::JobView};
use bytes::Bytes;
use decant_events::{FileId, Username};
use decant_function::{event, reasons, telemetry};
use decant_store::{ANNOUNCE_GAP, Bucket, Error as StoreError, Job, Lease, NewJob, PayloadWriter};
use futures::{Stream, StreamExt};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// How long an upload may go without being renewed before its record counts as abandoned.
const LEASE: Duration = Duration::from_secs(120);

/// How often the lease is renewed while anything comes.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// How long a caller may send nothing. Shorter than the lease, which is renewed only while something comes.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// A video on its way into the store: record first, then the bytes, then what is asked for and `queued`, then the event.
pub(crate) struct Incoming {
    lease: Lease,
    /// When the lease was renewed last.
    pub(crate) renewed: Instant,
    /// When that was tried last.
    pub(crate) tried: Instant,
    video: Option<Box<dyn PayloadWriter>>,
    size_bytes: u64,
}

impl Incoming {
    /// Makes the record, hidden yet, and an empty payload.
    pub(crate) async fn begin(
        app: &App,
        owner: Username,
        file_name: String,
        key: Option<&str>,
    ) -> Result<Self, Error> {
        let id = FileId::mint();
        let traceparent = telemetry::traceparent();
        let job = NewJob {
            id,
            owner,
            file_name: file_name.clone(),
            traceparent,
        };
        let renewed = Instant::now();
        let lease = match key {
            None => app.store.jobs.begin(job, LEASE).await?,
            // Whoever loses a race finds the winner's job when they come back.
            Some(key) => {
                let begun = app.store.jobs.begin_once(job, key, LEASE).await?;
                begun.ok_or(Error::UploadInProgress)?
            }
        };
        let mut incoming = Self {
            lease,
            renewed,
            tried: renewed,
            video: None,
            size_bytes: 0,
        };
        match app
            .store
            .payloads
            .create(Bucket::Videos, id, &file_name)
            .await
        {
            Ok(video) => incoming.video = Some(video),
            Err(error) => {
                incoming.discard(app).await;
                return Err(error.into());
            }
        }
        Ok(incoming)
    }

    /// Stores the bytes as they come and keeps the lease meanwhile.
    pub(crate) async fn receive(
        &mut self,
        app: &App,
        mut bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    ) -> Result<(), Error> {
        while let Some(piece) = timeout(IDLE, bytes.next())
            .await
            .map_err(|_| Error::Stalled)?
        {
            let piece = piece?;
            self.size_bytes += piece.len() as u64;
            if self.size_bytes > app.max_upload_bytes {
                return Err(Error::TooLarge {
                    max_bytes: app.max_upload_bytes,
                });
            }
            let video = self.video.as_mut().ok_or(Error::Broken)?;
            video.write(piece).await?;
            if self.tried.elapsed() > HEARTBEAT {
                self.renew(app).await?;
            }
        }
        if self.size_bytes == 0 {
            return Err(Error::BadRequest(
                "Expected a video, got an empty body or an empty part named `file`.".into(),
            ));
        }
        Ok(())
    }

    /// Keeps the lease while something else is waited for, which has its own bounds.
    pub(crate) async fn keep<T>(
        &mut self,
        app: &App,
        other: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut other = pin!(other);
        loop {
            match timeout_at(self.tried + HEARTBEAT, &mut other).await {
                Ok(done) => return done,
                Err(_) => self.renew(app).await?,
            }
        }
    }

    async fn renew(&mut self, app: &App) -> Result<(), Error> {
        self.tried = Instant::now();
        match app.store.jobs.renew(&self.lease, LEASE, None).await {
            Ok(()) => self.renewed = self.tried,
            Err(lost @ decant_store::Error::LeaseLost) => return Err(lost.into()),
            // The store may come back before the lease runs out.
            Err(_) if self.renewed.elapsed() < LEASE => {}
            Err(away) => return Err(away.into()),
        }
        Ok(())
    }

    /// Makes the video durable and the job visible, with what came beside the video, then announces it.
    pub(crate) async fn commit(mut self, app: &App, form: &Form) -> Result<JobView, Error> {
        let stored = match self.video.take() {
            Some(video) => video.finish(Bytes::new()).await,
            None => return Err(Error::Broken),
        };
        let queued = match stored {
            Ok(size_bytes) => queue(app, &self.lease, form, size_bytes).await,
            Err(error) => Err(error),
        };
        match queued {
            Ok(job) => {
                announce(app, &job).await;
                Ok(app.view(&job).await)
            }
            // Whether the job is queued is unknown when the store went away in between: then the record decides, and
            // the sweep clears up after whichever it is.
            Err(error @ StoreError::Unavailable(_)) => Err(error.into()),
            Err(error) => {
                self.discard(app).await;
                Err(error.into())
            }
        }
    }

    /// Removes what was stored, payload first: as long as the record is there, the sweep finds the rest.
    pub(crate) async fn discard(self, app: &App) {
        drop(self.video);
        let id = self.lease.job_id;
        let gone = match app.store.payloads.delete(Bucket::Videos, id).await {
            Ok(()) => app.store.jobs.discard(&self.lease).await,
            Err(error) => Err(error),
        };
        match gone {
            Ok(()) => tracing::info!(job.id = %id, "upload discarded"),
            Err(error) => {
                tracing::warn!(job.id = %id, error = reasons(&error), "a broken upload is left to the sweep")
            }
        }
    }
}

/// Makes the job visible, with what it asks for in its record.
async fn queue(app: &App, lease: &Lease, form: &Form, size_bytes: u64) -> Result<Job, StoreError> {
    let jobs = &app.store.jobs;
    let cover = form.cover.as_deref();
    if !form.options.is_default() || cover.is_some() {
        jobs.ask(lease, &form.options, cover).await?;
    }
    jobs.uploaded(lease, size_bytes, ANNOUNCE_GAP).await
}

/// Tells the broker. If it is away, the sweep tells it later: the caller needn't wait for that.
async fn announce(app: &App, job: &Job) {
    metrics::counter!("decant_uploads_total").increment(1);
    let emitted = app
        .sink
        .emit(event("upload", &job.announcement(), job.run))
        .await;
    let Err(error) = emitted else {
        tracing::info!(job.id = %job.id, size_bytes = job.size_bytes, "job queued");
        return;
    };
    tracing::warn!(
        job.id = %job.id,
        error = reasons(&error),
        "job queued, its announcement is left to the sweep"
    );
    // So that the next sweep doesn't wait for an answer that can't come. Without it, a later one announces the job.
    if let Err(error) = app.store.jobs.unannounce(job.id).await {
        tracing::warn!(job.id = %job.id, error = reasons(&error), "the sweep will be late");
    }
}
