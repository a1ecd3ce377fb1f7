use crate::{App, allowance::Allowance, announce, error::Error, form::Form, jobs::JobView};
use bytes::Bytes;
use decant_events::{FileId, Username};
use decant_function::{reasons, telemetry};
use decant_store::{Bucket, Error as StoreError, Job, Lease, NewJob, PayloadWriter};
use futures::{Stream, StreamExt};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// How long an upload may go without being renewed before its record counts as abandoned.
const LEASE: Duration = Duration::from_secs(120);

/// How often the lease is renewed while anything comes.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// How long a caller may send nothing. Shorter than the lease, which is renewed only while something comes.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// A video on its way into the store: record first, then the bytes, then what is asked for and
/// `queued` or `waiting`, then the event.
pub(crate) struct Incoming {
    lease: Lease,
    /// When the lease was renewed last.
    pub(crate) renewed: Instant,
    /// When that was tried last.
    pub(crate) tried: Instant,
    video: Option<Box<dyn PayloadWriter>>,
    size_bytes: u64,
    allowance: Allowance,
}

impl Incoming {
    /// Makes the record, hidden yet, and an empty payload.
    pub(crate) async fn begin(
        app: &App,
        owner: Username,
        file_name: String,
        allowance: Allowance,
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
        let lease = app.store.jobs.begin(job, LEASE).await?;
        let mut incoming = Self {
            lease,
            renewed,
            tried: renewed,
            video: None,
            size_bytes: 0,
            allowance,
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
            self.allowance.check(self.size_bytes)?;
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

    /// Makes of it an upload that comes in pieces, with what is asked for in its record already. From here on its writer may
    /// break off without an end to the upload. When it fails, nothing stays.
    pub(crate) async fn in_pieces(
        mut self,
        app: &App,
        form: &Form,
        length_bytes: u64,
        metadata: Option<&str>,
    ) -> Result<(Lease, Box<dyn PayloadWriter>), Error> {
        let noted = self.note_pieces(app, form, length_bytes, metadata).await;
        match (noted, self.video.take()) {
            (Ok(()), Some(video)) => Ok((self.lease, video)),
            (noted, _) => {
                self.discard(app).await;
                Err(noted.err().unwrap_or(Error::Broken))
            }
        }
    }

    async fn note_pieces(
        &mut self,
        app: &App,
        form: &Form,
        length_bytes: u64,
        metadata: Option<&str>,
    ) -> Result<(), Error> {
        let (jobs, lease) = (&app.store.jobs, &self.lease);
        ask(app, lease, form).await?;
        // So that the payload is there whenever the record says that it goes on.
        let video = self.video.as_mut().ok_or(Error::Broken)?;
        video.checkpoint().await?;
        jobs.make_resumable(lease, length_bytes, metadata, app.keep_partial)
            .await?;
        Ok(())
    }

    /// Makes the video durable and the job visible, with what came beside the video, then announces it.
    pub(crate) async fn commit(mut self, app: &App, form: &Form) -> Result<JobView, Error> {
        let stored = match self.video.take() {
            Some(video) => video.finish(Bytes::new()).await,
            None => return Err(Error::Broken),
        };
        let ended = match stored {
            Ok(size_bytes) => end(app, &self.lease, form, size_bytes).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(job) => Ok(JobView::of(&job)),
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
        match remove(app, &self.lease).await {
            Ok(()) => tracing::info!(job.id = %id, "upload discarded"),
            Err(error) => {
                tracing::warn!(job.id = %id, error = reasons(&error), "a broken upload is left to the sweep")
            }
        }
    }
}

/// The video is stored: makes the job visible, with what it asks for in its record, and announces it.
pub(crate) async fn end(
    app: &App,
    lease: &Lease,
    form: &Form,
    size_bytes: u64,
) -> Result<Job, StoreError> {
    ask(app, lease, form).await?;
    let jobs = &app.store.jobs;
    let job = jobs.uploaded(lease, size_bytes, app.turns).await?;
    metrics::counter!("decant_uploads_total").increment(1);
    announce::in_turn(app, &job).await;
    Ok(job)
}

/// Removes what was stored under this lease, payload first.
pub(crate) async fn remove(app: &App, lease: &Lease) -> Result<(), StoreError> {
    let payloads = &app.store.payloads;
    payloads.delete(Bucket::Videos, lease.job_id).await?;
    app.store.jobs.discard(lease).await
}

async fn ask(app: &App, lease: &Lease, form: &Form) -> Result<(), StoreError> {
    let cover = form.cover.as_deref();
    if form.options.is_default() && cover.is_none() {
        return Ok(());
    }
    app.store.jobs.ask(lease, &form.options, cover).await
}
