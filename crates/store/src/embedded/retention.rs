//! Payloads whose time is over: first the record says so, later their bytes go.

use super::{
    database::{Database, millis},
    record,
};
use crate::Error;
use decant_events::FileId;
use sqlx::query;
use std::time::Duration;

impl Database {
    /// A trigger makes the MP3 litter.
    pub(super) async fn expire_mp3(&self, keep: Duration) -> Result<Option<FileId>, Error> {
        let rows = self.rows(
            query(
                "UPDATE jobs
                 SET state = 'expired', expired_mp3_id = mp3_id,
                     mp3_id = NULL, mp3_size_bytes = NULL, mp3_duration_ms = NULL,
                     updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = (
                     SELECT id FROM jobs, clock
                     WHERE state IN ('ready', 'failed') AND mp3_id IS NOT NULL
                         AND finished_at <= now - ?1
                     ORDER BY finished_at LIMIT 1)
                 RETURNING id",
            )
            .bind(millis(keep)),
        );
        let rows = rows.await?;
        rows.first().map(|row| record::id(row, "id")).transpose()
    }

    pub(super) async fn expire_video(&self, keep: Duration) -> Result<Option<FileId>, Error> {
        let rows = self.rows(
            query(
                "UPDATE jobs
                 SET video_expired_at = now, video_litter_since = now,
                     updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = (
                     SELECT id FROM jobs, clock
                     WHERE state IN ('ready', 'failed', 'expired') AND video_expired_at IS NULL
                         AND finished_at <= now - ?1
                     ORDER BY finished_at LIMIT 1)
                 RETURNING id",
            )
            .bind(millis(keep)),
        );
        let rows = rows.await?;
        rows.first().map(|row| record::id(row, "id")).transpose()
    }

    pub(super) async fn video_litter(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let rows = self.rows(
            query(
                "SELECT id FROM jobs, clock
                 WHERE video_litter_since <= now - ?1
                 ORDER BY video_litter_since LIMIT ?2",
            )
            .bind(millis(grace))
            .bind(limit),
        );
        let rows = rows.await?;
        rows.iter().map(|row| record::id(row, "id")).collect()
    }

    /// Nobody sees this change: the video is gone for people since it expired.
    pub(super) async fn delete_video_litter(&self, id: FileId) -> Result<(), Error> {
        let forgotten = query("UPDATE jobs SET video_litter_since = NULL WHERE id = ?");
        self.change(forgotten.bind(id.to_string())).await?;
        Ok(())
    }
}
