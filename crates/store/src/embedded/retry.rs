//! A record's next run.

use super::{
    database::{Database, millis},
    record,
};
use crate::{Error, Job, Turns};
use decant_events::{ConversionOptions, FileId};
use sqlx::query;

impl Database {
    /// Begins the next run of a job that has ended: queued if its owner has a turn free, else waiting.
    pub(super) async fn begin_run(
        &self,
        id: FileId,
        options: Option<&ConversionOptions>,
        turns: Turns,
    ) -> Result<Option<Job>, Error> {
        let given = options.map(record::stored_options).transpose()?;
        self.job(
            query(
                "UPDATE jobs
                 SET state = iif(free, 'queued', 'waiting'), run = run + 1, updated_at = now,
                     options = iif(?2, ?3, options),
                     attempts = 0, progress_percent = 0, finished_at = NULL,
                     problem_code = NULL, problem_detail = NULL,
                     announcements = free, announced_at = iif(free, now, NULL),
                     announce_at = iif(free, now + ?4, NULL),
                     mail_tries = 0, mail_at = NULL, mail_token = NULL, mail_until = NULL
                 FROM clock, (
                     SELECT count(*) < ?5 AS free FROM jobs
                     WHERE owner = (SELECT owner FROM jobs WHERE id = ?1)
                         AND state IN ('queued', 'converting'))
                 WHERE id = ?1 AND state IN ('ready', 'failed', 'expired')
                 RETURNING *",
            )
            .bind(id.to_string())
            .bind(given.is_some())
            .bind(given.flatten())
            .bind(millis(turns.gap))
            .bind(turns.at_once),
        )
        .await
    }
}
