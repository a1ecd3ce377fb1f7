//! A record's way from the first byte of its video to the queue, and how it is found.

use super::database::{Database, millis};
use crate::{Error, Job, Lease, NewJob, Turns};
use decant_events::FileId;
use sqlx::query;
use std::time::Duration;

impl Database {
    pub(super) async fn insert_uploading(
        &self,
        job: &NewJob,
        key: Option<&str>,
        token: &str,
        lease_for: Duration,
    ) -> Result<bool, Error> {
        // WHERE: without it SQLite takes ON for a join's.
        let inserted = self.change(
            query(
                "INSERT INTO jobs (id, owner, file_name, traceparent, state, created_at, updated_at,
                     version, lease_token, lease_until, idempotency_key)
                 SELECT ?1, ?2, ?3, ?4, 'uploading', now, now, now, ?5, now + ?6, ?7 FROM clock
                 WHERE true
                 ON CONFLICT DO NOTHING",
            )
            .bind(job.id.to_string())
            .bind(job.owner.as_str())
            .bind(&job.file_name)
            .bind(&job.traceparent)
            .bind(token)
            .bind(millis(lease_for))
            .bind(key),
        );
        Ok(inserted.await? > 0)
    }

    pub(super) async fn insert_queued(
        &self,
        job: &NewJob,
        size_bytes: u64,
        announce_gap: Duration,
    ) -> Result<bool, Error> {
        let inserted = self.change(
            query(
                "INSERT INTO jobs (id, owner, file_name, traceparent, state, created_at, updated_at,
                     version, size_bytes, announcements, announced_at, announce_at)
                 SELECT ?1, ?2, ?3, ?4, 'queued', now, now, now, ?5, 1, now, now + ?6 FROM clock
                 WHERE true
                 ON CONFLICT DO NOTHING",
            )
            .bind(job.id.to_string())
            .bind(job.owner.as_str())
            .bind(&job.file_name)
            .bind(&job.traceparent)
            .bind(stored_size(size_bytes)?)
            .bind(millis(announce_gap)),
        );
        Ok(inserted.await? > 0)
    }

    pub(super) async fn queue_uploaded(
        &self,
        lease: &Lease,
        size_bytes: u64,
        turns: Turns,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET state = iif(free, 'queued', 'waiting'), size_bytes = ?3,
                     updated_at = now, version = max(version + 1, now),
                     lease_token = NULL, lease_until = NULL,
                     announcements = free, announced_at = iif(free, now, NULL),
                     announce_at = iif(free, now + ?4, NULL)
                 FROM clock, (
                     SELECT count(*) < ?5 AS free FROM jobs
                     WHERE owner = (SELECT owner FROM jobs WHERE id = ?1)
                         AND state IN ('queued', 'converting'))
                 WHERE id = ?1 AND lease_token = ?2 AND state = 'uploading'
                 RETURNING *",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(stored_size(size_bytes)?)
            .bind(millis(turns.gap))
            .bind(turns.at_once),
        )
        .await
    }

    pub(super) async fn delete_uploading(&self, lease: &Lease) -> Result<(), Error> {
        self.change_leased(
            query("DELETE FROM jobs WHERE id = ?1 AND lease_token = ?2 AND state = 'uploading'")
                .bind(lease.job_id.to_string())
                .bind(&lease.token),
        )
        .await
    }

    pub(super) async fn by_id(&self, id: FileId) -> Result<Option<Job>, Error> {
        self.job(
            query("SELECT * FROM jobs WHERE id = ? AND state NOT IN ('uploading', 'cancelled')")
                .bind(id.to_string()),
        )
        .await
    }

    pub(super) async fn by_mp3(&self, mp3_id: FileId) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "SELECT * FROM jobs
                 WHERE (mp3_id = ?1 OR expired_mp3_id = ?1) AND state <> 'cancelled'",
            )
            .bind(mp3_id.to_string()),
        )
        .await
    }
}

/// A size as SQLite keeps it, in 63 bits.
pub(super) fn stored_size(size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|error| Error::Corrupt(format!("the size {size}: {error}")))
}
