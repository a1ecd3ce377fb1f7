//! The one mail about the end of a run.

use super::{
    database::{Database, millis},
    record,
    sweep::LONGEST_GAP,
};
use crate::{Error, Job, Lease};
use decant_events::FileId;
use sqlx::query;
use std::time::Duration;

impl Database {
    /// Takes the mail, if it is due and nobody sends it.
    pub(super) async fn begin_mail(
        &self,
        lease: &Lease,
        lease_for: Duration,
        gap: Duration,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET mail_token = ?2, mail_until = now + ?3,
                     updated_at = now, version = max(version + 1, now),
                     mail_tries = mail_tries + 1,
                     mail_at = now + min(?4 << min(mail_tries, 27), ?5)
                 FROM clock
                 WHERE id = ?1 AND state IN ('ready', 'failed') AND mailed_run < run
                     AND (mail_until IS NULL OR mail_until <= now)
                 RETURNING *",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(millis(lease_for))
            .bind(millis(gap.min(LONGEST_GAP)))
            .bind(millis(LONGEST_GAP)),
        )
        .await
    }

    /// Whether the mail is due and somebody sends it right now.
    pub(super) async fn mail_is_held(&self, id: FileId) -> Result<bool, Error> {
        let held = self.rows(
            query(
                "SELECT 1 FROM jobs, clock
                 WHERE id = ? AND state IN ('ready', 'failed') AND mailed_run < run AND mail_until > now",
            )
            .bind(id.to_string()),
        );
        Ok(!held.await?.is_empty())
    }

    pub(super) async fn end_mail(&self, lease: &Lease) -> Result<(), Error> {
        self.change_leased(
            query(
                "UPDATE jobs
                 SET mailed_run = run, mail_token = NULL, mail_until = NULL,
                     updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND mail_token = ?2",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token),
        )
        .await
    }

    pub(super) async fn free_mail(&self, lease: &Lease) -> Result<(), Error> {
        self.change_leased(
            query(
                "UPDATE jobs
                 SET mail_token = NULL, mail_until = NULL,
                     updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND mail_token = ?2",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token),
        )
        .await
    }

    pub(super) async fn without_mail(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let rows = self.rows(
            query(
                "SELECT id FROM jobs, clock
                 WHERE state IN ('ready', 'failed') AND mailed_run < run
                     AND finished_at <= now - ?1 AND (mail_at IS NULL OR mail_at <= now)
                 ORDER BY finished_at LIMIT ?2",
            )
            .bind(millis(grace))
            .bind(limit),
        );
        rows.await?
            .iter()
            .map(|row| record::id(row, "id"))
            .collect()
    }
}
