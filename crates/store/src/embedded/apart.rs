//! What belongs to a record and is kept apart from it. Each goes in before the change of the record by which it counts, or
//! with it.

use super::{
    database::{Database, Sql},
    record,
};
use crate::{Error, Lease, Snapshot};
use decant_events::{ConversionOptions, FileId};
use sqlx::{Row, query};

impl Database {
    /// Notes what is asked for, the cover first.
    pub(super) async fn note_asked(
        &self,
        lease: &Lease,
        options: &ConversionOptions,
        cover: Option<&[u8]>,
    ) -> Result<(), Error> {
        if let Some(picture) = cover {
            self.change_leased(
                query(
                    "INSERT OR REPLACE INTO covers (job_id, picture)
                     SELECT id, ?3 FROM jobs
                     WHERE id = ?1 AND lease_token = ?2 AND state = 'uploading'",
                )
                .bind(lease.job_id.to_string())
                .bind(&lease.token)
                .bind(picture),
            )
            .await?;
        }
        self.change_leased(
            query(
                "UPDATE jobs
                 SET options = ?3, updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND lease_token = ?2 AND state = 'uploading'",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(record::stored_options(options)?),
        )
        .await
    }

    /// Keeps what belongs to a record of another store, unless there is a record of this id already.
    pub(super) async fn insert_apart(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let job = &snapshot.job;
        if let Some(picture) = &snapshot.cover {
            self.change(
                query(
                    "INSERT OR REPLACE INTO covers (job_id, picture)
                     SELECT ?1, ?2 WHERE NOT EXISTS (SELECT id FROM jobs WHERE id = ?1)",
                )
                .bind(job.id.to_string())
                .bind(picture),
            )
            .await?;
        }
        if let (Some(mp3), Some(points)) = (&job.mp3, &snapshot.waveform) {
            self.change(
                query(
                    "INSERT OR REPLACE INTO waveforms (job_id, mp3_id, points)
                     SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT id FROM jobs WHERE id = ?1)",
                )
                .bind(job.id.to_string())
                .bind(mp3.id.to_string())
                .bind(points),
            )
            .await?;
        }
        Ok(())
    }

    pub(super) async fn cover_of(&self, id: FileId) -> Result<Option<Vec<u8>>, Error> {
        let cover = query("SELECT picture FROM covers WHERE job_id = ?").bind(id.to_string());
        let rows = self.rows(cover).await?;
        Ok(rows.first().map(|row| row.try_get("picture")).transpose()?)
    }

    pub(super) async fn waveform_of(&self, mp3_id: FileId) -> Result<Option<Vec<u8>>, Error> {
        let waveform = query(
            "SELECT points
             FROM jobs JOIN waveforms ON waveforms.job_id = jobs.id AND waveforms.mp3_id = jobs.mp3_id
             WHERE jobs.mp3_id = ?",
        )
        .bind(mp3_id.to_string());
        let rows = self.rows(waveform).await?;
        Ok(rows.first().map(|row| row.try_get("points")).transpose()?)
    }
}

/// Keeps the waveform of the MP3 that the lease's attempt writes.
pub(super) fn keep_waveform<'q>(lease: &'q Lease, mp3_id: FileId, points: &'q [u8]) -> Sql<'q> {
    query(
        "INSERT OR REPLACE INTO waveforms (job_id, mp3_id, points)
         SELECT id, ?3, ?4 FROM jobs
         WHERE id = ?1 AND lease_token = ?2 AND state = 'converting' AND attempt_mp3_id = ?3",
    )
    .bind(lease.job_id.to_string())
    .bind(&lease.token)
    .bind(mp3_id.to_string())
    .bind(points)
}
