//! A record's early end, and what is left of it: a tombstone.

use super::{
    database::{Database, millis},
    record,
};
use crate::{Error, Litter};
use decant_events::FileId;
use sqlx::query;
use std::time::Duration;

impl Database {
    /// Leaves a tombstone that names nothing but litter.
    pub(super) async fn end_cancelled(&self, id: FileId) -> Result<Option<Vec<Litter>>, Error> {
        let mut both = self.begin().await?;
        let cancelled = query(
            "UPDATE jobs
             SET state = 'cancelled', finished_at = now, updated_at = now,
                 lease_token = NULL, lease_until = NULL, attempt_mp3_id = NULL,
                 mp3_id = NULL, mp3_size_bytes = NULL, mp3_duration_ms = NULL,
                 announced_at = NULL, announce_at = NULL, mail_token = NULL, mail_until = NULL
             FROM clock
             WHERE id = ?1 AND state NOT IN ('uploading', 'cancelled')",
        )
        .bind(id.to_string())
        .execute(&mut *both)
        .await?;
        if cancelled.rows_affected() == 0 {
            return Ok(None);
        }
        let litter = query("SELECT job_id, mp3_id FROM litter WHERE job_id = ?1")
            .bind(id.to_string())
            .fetch_all(&mut *both)
            .await?;
        both.commit().await?;
        let litter: Result<Vec<_>, _> = litter.iter().map(record::litter).collect();
        litter.map(Some)
    }

    pub(super) async fn long_cancelled(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let rows = self.rows(
            query(
                "SELECT id FROM jobs, clock
                 WHERE state = 'cancelled' AND finished_at <= now - ?1
                 ORDER BY finished_at LIMIT ?2",
            )
            .bind(millis(grace))
            .bind(limit),
        );
        let rows = rows.await?;
        rows.iter().map(|row| record::id(row, "id")).collect()
    }

    pub(super) async fn delete_cancelled(&self, id: FileId) -> Result<bool, Error> {
        let deleted = self.change(
            query(
                "DELETE FROM jobs
                 WHERE id = ?1 AND state = 'cancelled'
                     AND NOT EXISTS (SELECT job_id FROM litter WHERE job_id = ?1)",
            )
            .bind(id.to_string()),
        );
        Ok(deleted.await? > 0)
    }
}
