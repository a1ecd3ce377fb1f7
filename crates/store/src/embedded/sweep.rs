//! What the sweep looks for: jobs that nobody works on, uploads that nobody ends, MP3s that nobody publishes.

use super::{
    database::{Database, millis},
    record,
};
use crate::{Due, Error, Job, Litter};
use decant_events::FileId;
use sqlx::query;
use std::time::Duration;

/// Where gaps stop doubling: a day. (27 doublings of a millisecond are more.)
pub(super) const LONGEST_GAP: Duration = Duration::from_secs(24 * 3600);

impl Database {
    pub(super) async fn announce_one(&self, due: Due, gap: Duration) -> Result<Option<Job>, Error> {
        // `lease_until <= now` is NULL, hence false, for a job without a lease.
        self.job(
            query(
                "UPDATE jobs
                 SET state = iif(lease_until <= now, 'queued', state),
                     progress_percent = iif(lease_until <= now, 0.0, progress_percent),
                     attempt_mp3_id = iif(lease_until <= now, NULL, attempt_mp3_id),
                     lease_token = iif(lease_until <= now, NULL, lease_token),
                     lease_until = iif(lease_until <= now, NULL, lease_until),
                     announcements = announcements + 1, announced_at = now, updated_at = now,
                     announce_at = now + min(?1 << min(announcements, 27), ?2)
                 FROM clock
                 WHERE id = (
                     SELECT id FROM jobs, clock
                     WHERE state IN ('queued', 'converting')
                         AND iif(?3 IS NULL,
                             announce_at <= now AND (lease_until IS NULL OR lease_until <= now),
                             announced_at IS NULL OR announced_at < ?3)
                     ORDER BY announce_at LIMIT 1)
                 RETURNING *",
            )
            .bind(millis(gap.min(LONGEST_GAP)))
            .bind(millis(LONGEST_GAP))
            .bind(match due {
                Due::ByGap => None,
                Due::AnnouncedBefore(time) => Some(time.timestamp_millis()),
            }),
        )
        .await
    }

    /// As if it had not been announced: `announced_at` is NULL, which no age and no time before it compares to.
    pub(super) async fn take_announcement_back(&self, id: FileId) -> Result<(), Error> {
        self.change(
            query(
                "UPDATE jobs
                 SET announcements = max(announcements - 1, 0), announced_at = NULL,
                     announce_at = now, updated_at = now
                 FROM clock
                 WHERE id = ? AND state IN ('queued', 'converting')",
            )
            .bind(id.to_string()),
        )
        .await?;
        Ok(())
    }

    pub(super) async fn take_over_uploading(
        &self,
        token: &str,
        grace: Duration,
        lease_for: Duration,
    ) -> Result<Option<FileId>, Error> {
        let rows = self.rows(
            query(
                "UPDATE jobs
                 SET lease_token = ?1, lease_until = now + ?3, updated_at = now
                 FROM clock
                 WHERE id = (
                     SELECT id FROM jobs, clock
                     WHERE state = 'uploading'
                         AND coalesce(upload_expires_at, lease_until) <= now - ?2
                         AND (lease_until IS NULL OR lease_until <= now - ?2)
                     ORDER BY lease_until LIMIT 1)
                 RETURNING id",
            )
            .bind(token)
            .bind(millis(grace))
            .bind(millis(lease_for)),
        );
        let rows = rows.await?;
        rows.first().map(|row| record::id(row, "id")).transpose()
    }

    pub(super) async fn old_litter(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<Litter>, Error> {
        let rows = self.rows(
            query(
                "SELECT job_id, mp3_id FROM litter, clock
                 WHERE since <= now - ?1
                 ORDER BY since LIMIT ?2",
            )
            .bind(millis(grace))
            .bind(limit),
        );
        rows.await?.iter().map(record::litter).collect()
    }

    pub(super) async fn delete_litter(&self, litter: &Litter) -> Result<(), Error> {
        self.change(
            query("DELETE FROM litter WHERE mp3_id = ?1 AND job_id = ?2")
                .bind(litter.mp3_id.to_string())
                .bind(litter.job_id.to_string()),
        )
        .await?;
        Ok(())
    }
}
