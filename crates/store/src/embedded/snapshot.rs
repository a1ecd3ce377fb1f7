//! Records on their way into another store, or out of one.

use super::{database::Database, record, upload::stored_size};
use crate::{Error, Snapshot};
use decant_events::FileId;
use sqlx::query;

impl Database {
    pub(super) async fn snapshots(
        &self,
        after: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Snapshot>, Error> {
        let rows = self.rows(
            query(
                "SELECT jobs.*, picture, points
                 FROM jobs
                 LEFT JOIN covers ON covers.job_id = id
                 LEFT JOIN waveforms ON waveforms.job_id = id AND waveforms.mp3_id = jobs.mp3_id
                 WHERE (?1 IS NULL OR id > ?1) AND state NOT IN ('uploading', 'cancelled')
                 ORDER BY id LIMIT ?2",
            )
            .bind(after.map(|id| id.to_string()))
            .bind(limit),
        );
        rows.await?.iter().map(record::snapshot).collect()
    }

    pub(super) async fn insert_snapshot(&self, snapshot: &Snapshot) -> Result<bool, Error> {
        let Snapshot {
            job,
            finished_at,
            mailed_run,
            ..
        } = snapshot;
        let mp3 = job.mp3.as_ref();
        let problem = job.problem.as_ref();
        let inserted = self.change(
            query(
                "INSERT INTO jobs (id, owner, file_name, traceparent, size_bytes, state, run, created_at,
                     updated_at, finished_at, attempts, progress_percent, mp3_id, mp3_size_bytes,
                     mp3_duration_ms, problem_code, problem_detail, mailed_run, title, options)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                     ?19, ?20
                 WHERE true
                 ON CONFLICT DO NOTHING",
            )
            .bind(job.id.to_string())
            .bind(job.owner.as_str())
            .bind(&job.file_name)
            .bind(&job.traceparent)
            .bind(job.size_bytes.map(stored_size).transpose()?)
            .bind(job.state.as_str())
            .bind(job.run)
            .bind(job.created_at.timestamp_millis())
            .bind(job.updated_at.timestamp_millis())
            .bind(finished_at.map(|time| time.timestamp_millis()))
            .bind(job.attempts)
            .bind(job.progress_percent)
            .bind(mp3.map(|mp3| mp3.id.to_string()))
            .bind(mp3.map(|mp3| stored_size(mp3.size_bytes)).transpose()?)
            .bind(mp3.map(|mp3| stored_size(mp3.duration_ms)).transpose()?)
            .bind(problem.map(|problem| &problem.code))
            .bind(problem.map(|problem| &problem.detail))
            .bind(mailed_run)
            .bind(&job.own_title)
            .bind(record::stored_asked(&job.options)?),
        );
        Ok(inserted.await? > 0)
    }
}
