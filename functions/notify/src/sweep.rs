//! The sweep: whatever got lost between the functions is found again by its record.
//!
//! Invariants:
//! - Each step does what it can, whatever became of the others. Two sweeps at once do no harm.
//! - Bounded in number and time: a sweep ends within one request, the rest is for the next one.
//! - A payload goes before the record that names it, and an upload's only when its uploader has lost the lease.
//! - What has expired is gone for people first. Its bytes follow a grace later, when nobody downloads them any more.

use crate::{
    App,
    error::Error,
    mail::{LEASE, Mailed},
    ping::Ping,
};
use decant_events::FileId;
use decant_function::{reasons, telemetry};
use decant_store::{ANNOUNCE_GAP, Bucket, Due, Job};
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, info_span};

/// The longest that the mails take: HELD_WITHIN, a mail and a busy database. With the four other steps it stays under
/// the 600 s that Serving gives a request.
const MAIL_WITHIN: Duration = Duration::from_secs(270);

/// The longest that each of the four other steps takes.
const STEP_WITHIN: Duration = Duration::from_secs(80);

/// How many mails or payloads one step takes.
const BATCH: u32 = 500;

/// The gap until the sweep tries a mail again, doubled with each try. After the broker's seven tries it is 21 minutes.
const MAIL_GAP: Duration = Duration::from_secs(10);

/// How long the mails of a sender that went down are waited for: until its lease (150 s) has run out.
const HELD_WITHIN: Duration = Duration::from_secs(165);
const _: () = assert!(HELD_WITHIN.as_secs() > LEASE.as_secs());

/// How long an abandoned upload is ours to delete: no other sweep takes it meanwhile.
const DELETE_WITHIN: Duration = Duration::from_secs(60);

impl App {
    /// Does all five steps, then fails if one of them could not do all of its work.
    pub(crate) async fn sweep(&self, ping: &Ping) -> Result<(), Error> {
        let queues_lost = ping.queues_lost_before.is_some();
        tracing::debug!(queues_lost, "sweep begins");
        let done = [
            step("announce", STEP_WITHIN, self.announce(ping)).await,
            step("mail", MAIL_WITHIN, self.mail_the_unmailed(queues_lost)).await,
            step("uploads", STEP_WITHIN, self.delete_abandoned_uploads()).await,
            step("expiry", STEP_WITHIN, self.expire()).await,
            step("litter", STEP_WITHIN, self.delete_leftovers()).await,
        ];
        if done.contains(&false) {
            return Err(Error::SweptInPart);
        }
        Ok(())
    }

    /// Announces videos whose event was lost, and those whose turn it is without anybody having said so, until the broker
    /// doesn't take them.
    async fn announce(&self, ping: &Ping) -> Result<(), Error> {
        let jobs = &self.store.jobs;
        let due = match ping.queues_lost_before {
            // Every announcement is before a time to come: each job would stay due for ever.
            Some(time) => Due::AnnouncedBefore(time.min(jobs.now().await?)),
            None => Due::ByGap,
        };
        while self.announce_next(due).await? {}
        let mut person = None;
        while let Some(next) = jobs.next_waiting(person.as_ref()).await? {
            self.announce_waiting(&next).await?;
            person = Some(next);
        }
        Ok(())
    }

    /// `false` when no job is left. It goes on to its end even when the step's time is over: what was counted is either
    /// announced or taken back.
    async fn announce_next(&self, due: Due) -> Result<bool, Error> {
        let app = self.clone();
        let to_its_end = async move {
            let next = app.store.jobs.announce_next(due, ANNOUNCE_GAP).await?;
            let Some(job) = next else { return Ok(false) };
            let span = in_its_trace(&job, "announce again");
            app.emit_announcement(&job).instrument(span).await?;
            swept("announced", job.id);
            Ok(true)
        };
        tokio::spawn(to_its_end.in_current_span()).await?
    }

    /// Sends the mails that nobody sent, until the mail server takes none.
    async fn mail_the_unmailed(&self, queues_lost: bool) -> Result<(), Error> {
        let grace = match queues_lost {
            true => Duration::ZERO,
            false => self.sweep_grace,
        };
        for id in self.store.jobs.unmailed(grace, BATCH).await? {
            match self.mail_in_its_trace(id, queues_lost).await {
                Ok(Mailed::Now) => swept("mailed", id),
                // Whoever holds it sends it.
                Ok(Mailed::NotDue | Mailed::GivenUp) | Err(Error::Held) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
        let next = || jobs.take_abandoned_upload(self.sweep_grace, DELETE_WITHIN);
        while let Some(upload) = next().await? {
            payloads.delete(Bucket::Videos, upload.job_id).await?;
            jobs.discard(&upload).await?;
            swept("upload", upload.job_id);
        }
        Ok(())
    }

    async fn delete_leftovers(&self) -> Result<(), Error> {
        self.delete_litter().await?;
        self.delete_tombstones().await
    }

    /// Ends the time of videos and MP3s that were kept for as long as they are.
    async fn expire(&self) -> Result<(), Error> {
        let kept = [
            (Bucket::Mp3s, self.retention.keep_mp3, "expired mp3"),
            (Bucket::Videos, self.retention.keep_video, "expired video"),
        ];
        for (bucket, keep, what) in kept {
            let Some(keep) = keep else { continue };
            while let Some(id) = self.store.jobs.expire_next(bucket, keep).await? {
                swept(what, id);
            }
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
        for id in jobs.expired_videos(self.sweep_grace, BATCH).await? {
            payloads.delete(Bucket::Videos, id).await?;
            jobs.forget_video(id).await?;
            swept("video", id);
        }
        Ok(())
    }

    /// What was cancelled has been deleted already; this is for bytes that were written meanwhile, or couldn't be deleted.
    async fn delete_tombstones(&self) -> Result<(), Error> {
        let (payloads, jobs) = (&self.store.payloads, &self.store.jobs);
        for id in jobs.tombstones(self.sweep_grace, BATCH).await? {
            payloads.delete(Bucket::Videos, id).await?;
            if jobs.drop_tombstone(id).await? {
                swept("tombstone", id);
            }
        }
        Ok(())
    }
}

/// Runs a step and says whether it did all of its work.
async fn step(
    name: &'static str,
    within: Duration,
    work: impl Future<Output = Result<(), Error>>,
) -> bool {
    match timeout(within, work).await {
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
pub(crate) fn in_its_trace(job: &Job, name: &'static str) -> tracing::Span {
    let span = info_span!(parent: None, "swept", otel.name = name, job.id = %job.id);
    telemetry::resume(&span, job.traceparent.as_deref());
    span
}

fn swept(what: &'static str, id: FileId) {
    metrics::counter!("decant_swept_total", "what" => what).increment(1);
    tracing::info!(job.id = %id, what, "swept");
}
