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
                             announced_at < ?3)
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

    pub(super) async fn abandoned(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let rows = self.rows(
            query(
                "SELECT id FROM jobs, clock
                 WHERE state = 'uploading' AND lease_until <= now - ?1
                 ORDER BY lease_until LIMIT ?2",
            )
            .bind(millis(grace))
            .bind(limit),
        );
        rows.await?
            .iter()
            .map(|row| record::id(row, "id"))
            .collect()
    }

    pub(super) async fn delete_abandoned(&self, id: FileId, grace: Duration) -> Result<(), Error> {
        self.change(
            query(
                "DELETE FROM jobs
                 WHERE id = ?1 AND state = 'uploading'
                     AND lease_until <= (SELECT now FROM clock) - ?2",
            )
            .bind(id.to_string())
            .bind(millis(grace)),
        )
        .await?;
        Ok(())
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
        let litter = |row| {
            Ok(Litter {
                job_id: record::id(row, "job_id")?,
                mp3_id: record::id(row, "mp3_id")?,
            })
        };
        rows.await?.iter().map(litter).collect()
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
