//! A record's way from the queue to its end.

use super::{
    apart::keep_waveform,
    database::{Database, millis},
    record,
    upload::stored_size,
};
use crate::{Error, Job, Lease, Mp3};
use decant_events::{FileId, Problem};
use sqlx::query;
use std::time::Duration;

impl Database {
    /// Takes the job for one more attempt, if nobody holds it and attempts are left.
    pub(super) async fn begin_attempt(
        &self,
        lease: &Lease,
        mp3_id: FileId,
        lease_for: Duration,
        max_attempts: u32,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET state = 'converting', attempts = attempts + 1, progress_percent = 0,
                     attempt_mp3_id = ?3, lease_token = ?2, lease_until = now + ?4, updated_at = now
                 FROM clock
                 WHERE id = ?1 AND attempts < ?5
                     AND (state = 'queued' OR (state = 'converting' AND lease_until <= now))
                 RETURNING *",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(mp3_id.to_string())
            .bind(millis(lease_for))
            .bind(max_attempts),
        )
        .await
    }

    /// Fails a job that nobody holds, if at least `attempts` have begun and, where `announced_for` is given, its last
    /// announcement is that old.
    pub(super) async fn fail_unheld(
        &self,
        id: FileId,
        attempts: u32,
        problem: &Problem,
        announced_for: Option<Duration>,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET state = 'failed', problem_code = ?2, problem_detail = ?3,
                     finished_at = now, updated_at = now,
                     lease_token = NULL, lease_until = NULL, attempt_mp3_id = NULL
                 FROM clock
                 WHERE id = ?1 AND attempts >= ?4 AND (?5 IS NULL OR announced_at <= now - ?5)
                     AND (state = 'queued' OR (state = 'converting' AND lease_until <= now))
                 RETURNING *",
            )
            .bind(id.to_string())
            .bind(&problem.code)
            .bind(&problem.detail)
            .bind(attempts)
            .bind(announced_for.map(millis)),
        )
        .await
    }

    pub(super) async fn extend_lease(
        &self,
        lease: &Lease,
        lease_for: Duration,
        progress_percent: Option<f64>,
    ) -> Result<(), Error> {
        self.change_leased(
            query(
                "UPDATE jobs
                 SET lease_until = now + ?3, progress_percent = coalesce(?4, progress_percent),
                     updated_at = now
                 FROM clock
                 WHERE id = ?1 AND lease_token = ?2 AND state IN ('uploading', 'converting')",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(millis(lease_for))
            .bind(progress_percent.map(|percent| percent.clamp(0.0, 100.0))),
        )
        .await
    }

    pub(super) async fn is_leased(&self, lease: &Lease) -> Result<bool, Error> {
        let leased = query("SELECT id FROM jobs WHERE id = ?1 AND lease_token = ?2")
            .bind(lease.job_id.to_string())
            .bind(&lease.token);
        Ok(!self.rows(leased).await?.is_empty())
    }

    pub(super) async fn requeue(&self, lease: &Lease, forgive: bool) -> Result<(), Error> {
        self.change_leased(
            query(
                "UPDATE jobs
                 SET state = 'queued', attempts = attempts - ?3, progress_percent = 0,
                     lease_token = NULL, lease_until = NULL, attempt_mp3_id = NULL, updated_at = now
                 FROM clock
                 WHERE id = ?1 AND lease_token = ?2 AND state = 'converting'",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(forgive),
        )
        .await
    }

    /// Publishes the MP3, together with its waveform if it has one.
    pub(super) async fn end_ready(
        &self,
        lease: &Lease,
        mp3: &Mp3,
        waveform: &[u8],
    ) -> Result<Option<Job>, Error> {
        let mut both = self.begin().await?;
        if !waveform.is_empty() {
            let kept = keep_waveform(lease, mp3.id, waveform);
            kept.execute(&mut *both).await?;
        }
        let published = query(
            "UPDATE jobs
             SET state = 'ready', progress_percent = 100,
                 mp3_id = ?3, mp3_size_bytes = ?4, mp3_duration_ms = ?5,
                 finished_at = now, updated_at = now,
                 lease_token = NULL, lease_until = NULL, attempt_mp3_id = NULL
             FROM clock
             WHERE id = ?1 AND lease_token = ?2 AND state = 'converting' AND attempt_mp3_id = ?3
             RETURNING *",
        )
        .bind(lease.job_id.to_string())
        .bind(&lease.token)
        .bind(mp3.id.to_string())
        .bind(stored_size(mp3.size_bytes)?)
        .bind(stored_size(mp3.duration_ms)?)
        .fetch_all(&mut *both)
        .await?;
        both.commit().await?;
        published.first().map(record::job).transpose()
    }

    pub(super) async fn end_failed(
        &self,
        lease: &Lease,
        problem: &Problem,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET state = 'failed', problem_code = ?3, problem_detail = ?4,
                     finished_at = now, updated_at = now,
                     lease_token = NULL, lease_until = NULL, attempt_mp3_id = NULL
                 FROM clock
                 WHERE id = ?1 AND lease_token = ?2 AND state = 'converting'
                 RETURNING *",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(&problem.code)
            .bind(&problem.detail),
        )
        .await
    }
}
