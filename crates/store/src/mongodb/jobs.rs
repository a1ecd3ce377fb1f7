use super::database::Database;
use crate::{
    Bucket, Claim, Due, Error, InLine, Job, Jobs, Lease, Litter, MailClaim, Mp3, NewJob, Progress,
    Resumable, Snapshot, State, Turns, Usage,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem, Username};
use std::time::Duration;

/// The changes live in the files beside this one, by topic; here is what they add up to.
#[async_trait]
impl Jobs for Database {
    async fn now(&self) -> Result<DateTime<Utc>, Error> {
        self.clock().await
    }

    async fn begin(&self, job: NewJob, lease_for: Duration) -> Result<Lease, Error> {
        let lease = Lease::fresh(job.id);
        let inserted = self.insert_uploading(&job, &lease.token, lease_for);
        inserted.await?;
        Ok(lease)
    }

    async fn begin_once(
        &self,
        job: NewJob,
        key: &str,
        lease_for: Duration,
    ) -> Result<Option<Lease>, Error> {
        let lease = Lease::fresh(job.id);
        self.free_key(&job.owner, key).await?;
        let inserted = self.insert_uploading(&job, &lease.token, lease_for);
        inserted.await?;
        let taken = self.take_key(job.id, &job.owner, key);
        if unless_there(taken.await)? {
            return Ok(Some(lease));
        }
        self.delete_uploading(&lease).await?;
        Ok(None)
    }

    async fn begun_with(&self, owner: &Username, key: &str) -> Result<Option<Job>, Error> {
        self.by_key(owner, key).await
    }

    async fn ask(
        &self,
        lease: &Lease,
        options: &ConversionOptions,
        cover: Option<&[u8]>,
    ) -> Result<(), Error> {
        self.note_asked(lease, options, cover).await
    }

    async fn uploaded(&self, lease: &Lease, size_bytes: u64, turns: Turns) -> Result<Job, Error> {
        self.queue_uploaded(lease, size_bytes, turns).await
    }

    async fn discard(&self, lease: &Lease) -> Result<(), Error> {
        self.delete_uploading(lease).await
    }

    async fn make_resumable(
        &self,
        lease: &Lease,
        length_bytes: u64,
        metadata: Option<&str>,
        keep_for: Duration,
    ) -> Result<DateTime<Utc>, Error> {
        self.note_resumable(lease, length_bytes, metadata, keep_for)
            .await
    }

    async fn resumable(&self, id: FileId) -> Result<Option<Resumable>, Error> {
        self.resumable_by_id(id).await
    }

    async fn resume(
        &self,
        id: FileId,
        offset_bytes: u64,
        lease_for: Duration,
    ) -> Result<Option<Lease>, Error> {
        let lease = Lease::fresh(id);
        let begun = self.begin_piece(&lease, offset_bytes, lease_for).await?;
        Ok(begun.then_some(lease))
    }

    async fn advance(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        keep_for: Duration,
        lease_for: Duration,
    ) -> Result<DateTime<Utc>, Error> {
        self.move_offset(lease, offset_bytes, keep_for, Some(lease_for))
            .await
    }

    async fn pause(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        keep_for: Duration,
    ) -> Result<DateTime<Utc>, Error> {
        self.move_offset(lease, offset_bytes, keep_for, None).await
    }

    async fn seize(&self, id: FileId, lease_for: Duration) -> Result<Option<Lease>, Error> {
        let lease = Lease::fresh(id);
        let seized = self.seize_resumable(&lease, lease_for).await?;
        Ok(seized.then_some(lease))
    }

    async fn get(&self, id: FileId) -> Result<Option<Job>, Error> {
        self.by_id(id).await
    }

    async fn get_by_mp3(&self, mp3_id: FileId) -> Result<Option<Job>, Error> {
        self.by_mp3(mp3_id).await
    }

    async fn cover(&self, id: FileId) -> Result<Option<Vec<u8>>, Error> {
        self.cover_of(id).await
    }

    async fn waveform(&self, mp3_id: FileId) -> Result<Option<Vec<u8>>, Error> {
        self.waveform_of(mp3_id).await
    }

    async fn list(
        &self,
        owner: Option<&Username>,
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        self.newest(owner, &[], before, limit).await
    }

    async fn list_in(
        &self,
        owner: Option<&Username>,
        states: &[State],
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        self.newest(owner, states, before, limit).await
    }

    async fn changed_since(
        &self,
        owner: Option<&Username>,
        version: u64,
        after: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        self.changed(owner, version, after, limit).await
    }

    async fn in_line(&self, limit: u32) -> Result<Vec<InLine>, Error> {
        self.first_in_line(limit).await
    }

    async fn claim(
        &self,
        id: FileId,
        mp3_id: FileId,
        lease_for: Duration,
        max_attempts: u32,
        gave_up: &Problem,
    ) -> Result<Claim, Error> {
        let lease = Lease::fresh(id);
        let begun = self.begin_attempt(&lease, mp3_id, lease_for, max_attempts);
        if let Some(job) = begun.await? {
            return Ok(Claim::Granted(lease, Box::new(job)));
        }
        let failed = self.fail_unheld(id, max_attempts, gave_up, None);
        if let Some(job) = failed.await? {
            return Ok(Claim::Ended(Box::new(job)));
        }
        // Nothing is changed from here on: a job that was given back between the statements is for the next who comes.
        Ok(match self.get(id).await? {
            Some(job) if job.state.is_final() => Claim::Ended(Box::new(job)),
            Some(job) if job.state == State::Waiting => Claim::Missing,
            Some(_) => Claim::Held,
            None => Claim::Missing,
        })
    }

    async fn renew(
        &self,
        lease: &Lease,
        lease_for: Duration,
        progress: Option<Progress>,
    ) -> Result<(), Error> {
        self.extend_lease(lease, lease_for, progress).await
    }

    async fn holds(&self, lease: &Lease) -> Result<bool, Error> {
        self.is_leased(lease).await
    }

    async fn release(&self, lease: &Lease, forgive: bool) -> Result<(), Error> {
        self.requeue(lease, forgive).await
    }

    async fn publish(&self, lease: &Lease, mp3: Mp3, waveform: &[u8]) -> Result<Job, Error> {
        self.end_ready(lease, &mp3, waveform).await
    }

    async fn fail(&self, lease: &Lease, problem: &Problem) -> Result<Job, Error> {
        self.end_failed(lease, problem).await
    }

    async fn fail_undelivered(
        &self,
        id: FileId,
        problem: &Problem,
        announced_for: Duration,
    ) -> Result<Option<Job>, Error> {
        self.fail_unheld(id, 0, problem, Some(announced_for)).await
    }

    async fn announce_waiting(&self, owner: &Username, turns: Turns) -> Result<Option<Job>, Error> {
        self.queue_waiting(owner, turns).await
    }

    async fn next_waiting(&self, after: Option<&Username>) -> Result<Option<Username>, Error> {
        self.waiting_after(after).await
    }

    async fn cancel(&self, id: FileId) -> Result<Option<Vec<Litter>>, Error> {
        self.end_cancelled(id).await
    }

    async fn tombstones(&self, grace: Duration, limit: u32) -> Result<Vec<FileId>, Error> {
        self.long_cancelled(grace, limit).await
    }

    async fn drop_tombstone(&self, id: FileId) -> Result<bool, Error> {
        self.delete_cancelled(id).await
    }

    async fn retry(
        &self,
        id: FileId,
        options: Option<&ConversionOptions>,
        turns: Turns,
    ) -> Result<Option<Job>, Error> {
        self.begin_run(id, options, turns).await
    }

    async fn rename(&self, id: FileId, title: Option<&str>) -> Result<Option<Job>, Error> {
        self.set_title(id, title).await
    }

    async fn usage(&self, owner: &Username) -> Result<Usage, Error> {
        self.taken_up_by(owner).await
    }

    async fn claim_mail(
        &self,
        id: FileId,
        lease_for: Duration,
        gap: Duration,
    ) -> Result<MailClaim, Error> {
        let lease = Lease::fresh(id);
        if let Some(job) = self.begin_mail(&lease, lease_for, gap).await? {
            return Ok(MailClaim::Granted(lease, Box::new(job)));
        }
        Ok(match self.mail_is_held(id).await? {
            true => MailClaim::Held,
            false => MailClaim::NotDue,
        })
    }

    async fn mailed(&self, lease: &Lease) -> Result<(), Error> {
        self.end_mail(lease).await
    }

    async fn release_mail(&self, lease: &Lease) -> Result<(), Error> {
        self.free_mail(lease).await
    }

    async fn announce_next(&self, due: Due, gap: Duration) -> Result<Option<Job>, Error> {
        self.announce_one(due, gap).await
    }

    async fn unannounce(&self, id: FileId) -> Result<(), Error> {
        self.take_announcement_back(id).await
    }

    async fn unmailed(&self, grace: Duration, limit: u32) -> Result<Vec<FileId>, Error> {
        self.without_mail(grace, limit).await
    }

    async fn take_abandoned_upload(
        &self,
        grace: Duration,
        lease_for: Duration,
    ) -> Result<Option<Lease>, Error> {
        let token = Lease::fresh_token();
        let taken = self.take_over_uploading(&token, grace, lease_for).await?;
        Ok(taken.map(|job_id| Lease { job_id, token }))
    }

    async fn litter(&self, grace: Duration, limit: u32) -> Result<Vec<Litter>, Error> {
        self.old_litter(grace, limit).await
    }

    async fn forget_litter(&self, litter: &Litter) -> Result<(), Error> {
        self.delete_litter(litter).await
    }

    async fn expire_next(&self, bucket: Bucket, keep: Duration) -> Result<Option<FileId>, Error> {
        match bucket {
            Bucket::Mp3s => self.expire_mp3(keep).await,
            Bucket::Videos => self.expire_video(keep).await,
        }
    }

    async fn expired_videos(&self, grace: Duration, limit: u32) -> Result<Vec<FileId>, Error> {
        self.video_litter(grace, limit).await
    }

    async fn forget_video(&self, id: FileId) -> Result<(), Error> {
        self.delete_video_litter(id).await
    }

    async fn adopt(
        &self,
        job: NewJob,
        size_bytes: u64,
        announce_gap: Duration,
    ) -> Result<bool, Error> {
        unless_there(self.insert_queued(&job, size_bytes, announce_gap).await)
    }

    async fn export(&self, after: Option<FileId>, limit: u32) -> Result<Vec<Snapshot>, Error> {
        self.snapshots(after, limit).await
    }

    async fn import(&self, snapshot: &Snapshot) -> Result<bool, Error> {
        let is_new = unless_there(self.insert_snapshot(snapshot).await)?;
        // Whether new or not: whoever brought it before may have died in between.
        if let Some(key) = &snapshot.idempotency_key {
            let job = &snapshot.job;
            self.take_key(job.id, &job.owner, key).await?;
        }
        Ok(is_new)
    }
}

/// `false` if the id was taken.
fn unless_there(inserted: Result<(), Error>) -> Result<bool, Error> {
    match inserted {
        Ok(()) => Ok(true),
        Err(Error::Exists) => Ok(false),
        Err(error) => Err(error),
    }
}
