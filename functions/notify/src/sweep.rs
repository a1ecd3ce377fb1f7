//! The sweep: whatever got lost between the functions is found again by its record.
//!
//! Invariants:
//! - Each step does what it can, whatever became of the others. Two sweeps at once do no harm.
//! - Bounded in number and time: a sweep ends within one request, the rest is for the next one.
//! - A payload goes before the record that names it.

use crate::{App, error::Error, mail::Mailed, ping::Ping};
use decant_events::{FileId, VideoUploaded};
use decant_function::{event, reasons, telemetry};
use decant_store::{Bucket, Due, Job};
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, info_span};

/// The longest that one step runs. Four of them stay under the 600 s that Serving gives a request.
const STEP_WITHIN: Duration = Duration::from_secs(130);

/// How many jobs, mails, uploads or MP3s one step takes.
const BATCH: u32 = 500;

/// The gap until a job is announced again, doubled each time: the sweep's own period.
const ANNOUNCE_GAP: Duration = Duration::from_secs(600);

/// The gap until the sweep tries a mail again, doubled with each try. After the broker's seven tries it is 21 minutes.
const MAIL_GAP: Duration = Duration::from_secs(10);

/// How long the mails of a sender that went down are waited for: its lease is a minute.
const HELD_WITHIN: Duration = Duration::from_secs(75);

impl App {
    /// Does all four steps, then fails if one of them could not do all of its work.
    pub(crate) async fn sweep(&self, ping: &Ping) -> Result<(), Error> {
        tracing::debug!(queues_lost = ping.queues_lost, "sweep begins");
        let done = [
            step("announce", self.announce(ping)).await,
            step("mail", self.mail_the_unmailed(ping)).await,
            step("delete uploads", self.delete_abandoned_uploads()).await,
            step("delete litter", self.delete_litter()).await,
        ];
        if done.contains(&false) {
            return Err(Error::SweptInPart);
        }
        Ok(())
    }

    /// Announces videos whose event was lost, until the broker doesn't take them.
    async fn announce(&self, ping: &Ping) -> Result<(), Error> {
        let due = match ping.queues_lost {
            true => Due::AnnouncedBefore(self.store.jobs.now().await?),
            false => Due::ByGap,
        };
        for _ in 0..BATCH {
            let Some(job) = self.store.jobs.announce_next(due, ANNOUNCE_GAP).await? else {
                break;
            };
            let span = in_its_trace(&job, "announce again");
            self.announce_again(job).instrument(span).await?;
        }
        Ok(())
    }

    async fn announce_again(&self, job: Job) -> Result<(), Error> {
        let uploaded = VideoUploaded {
            video_fid: job.id,
            mp3_fid: None,
            username: job.owner,
            file_name: Some(job.file_name),
            size_bytes: job.size_bytes,
        };
        self.sink.emit(event("notify", &uploaded, job.run)).await?;
        swept("announced", job.id);
        Ok(())
    }

    /// Sends the mails that nobody sent, until the mail server takes none at all.
    async fn mail_the_unmailed(&self, ping: &Ping) -> Result<(), Error> {
        let grace = match ping.queues_lost {
            true => Duration::ZERO,
            false => self.sweep_grace,
        };
        let mut failure = None;
        for id in self.store.jobs.unmailed(grace, BATCH).await? {
            match self.mail_in_its_trace(id, ping.queues_lost).await {
                Ok(Mailed::Now) => swept("mailed", id),
                // Whoever holds it sends it.
                Ok(Mailed::NotDue) | Err(Error::Held) => {}
                Err(Error::Unsent(error)) if error.concerns_this_mail_alone() => {
                    failure = Some(Error::Unsent(error));
                }
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Where `holder_is_gone`, a mail in somebody's hands is waited for: whoever it was went down while sending it.
    async fn mail_in_its_trace(&self, id: FileId, holder_is_gone: bool) -> Result<Mailed, Error> {
        let Some(job) = self.store.jobs.get(id).await? else {
            return Ok(Mailed::NotDue);
        };
        let span = in_its_trace(&job, "mail late");
        let patience_ends = Instant::now() + HELD_WITHIN;
        loop {
            match self.mail(id, MAIL_GAP).instrument(span.clone()).await {
                Err(Error::Held) if holder_is_gone && Instant::now() < patience_ends => {
                    sleep(Duration::from_secs(1)).await;
                }
                end => return end,
            }
        }
    }

    async fn delete_abandoned_uploads(&self) -> Result<(), Error> {
        let (payloads, jobs) = (&self.store.payloads, &self.store.jobs);
        for id in jobs.abandoned_uploads(self.sweep_grace, BATCH).await? {
            payloads.delete(Bucket::Videos, id).await?;
            jobs.forget_upload(id, self.sweep_grace).await?;
            swept("upload", id);
        }
        Ok(())
    }

    async fn delete_litter(&self) -> Result<(), Error> {
        let (payloads, jobs) = (&self.store.payloads, &self.store.jobs);
        for litter in jobs.litter(self.sweep_grace, BATCH).await? {
            payloads.delete(Bucket::Mp3s, litter.mp3_id).await?;
            jobs.forget_litter(&litter).await?;
            swept("litter", litter.job_id);
        }
        Ok(())
    }
}

/// Runs a step and says whether it did all of its work.
async fn step(name: &'static str, work: impl Future<Output = Result<(), Error>>) -> bool {
    match timeout(STEP_WITHIN, work).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(step = name, error = reasons(&error), "not all swept");
            false
        }
        Err(_) => {
            tracing::warn!(step = name, "not all swept within the time");
            false
        }
    }
}

/// A span of the job's own trace, in place of the ping's.
fn in_its_trace(job: &Job, name: &'static str) -> tracing::Span {
    let span = info_span!(parent: None, "swept", otel.name = name, job.id = %job.id);
    telemetry::resume(&span, job.traceparent.as_deref());
    span
}

fn swept(what: &'static str, id: FileId) {
    metrics::counter!("decant_swept_total", "what" => what).increment(1);
    tracing::info!(job.id = %id, what, "swept");
}
