//! Uploads that their owners call by a key, so that each is taken once.

use super::database::Database;
use crate::{Error, Job};
use decant_events::Username;
use sqlx::query;

impl Database {
    /// Takes the key from a job that nobody can want any more, and from an upload whose uploader is gone; if that one does come
    /// back, it has lost its lease.
    pub(super) async fn free_key(&self, owner: &Username, key: &str) -> Result<(), Error> {
        self.change(
            query(
                "UPDATE jobs
                 SET idempotency_key = NULL, lease_token = NULL,
                     updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE owner = ?1 AND idempotency_key = ?2
                     AND (state = 'cancelled' OR (state = 'uploading' AND lease_until <= now))",
            )
            .bind(owner.as_str())
            .bind(key),
        )
        .await?;
        Ok(())
    }

    pub(super) async fn by_key(&self, owner: &Username, key: &str) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "SELECT jobs.* FROM jobs, clock
                 WHERE owner = ?1 AND idempotency_key = ?2 AND state <> 'cancelled'
                     AND NOT (state = 'uploading' AND lease_until <= now)",
            )
            .bind(owner.as_str())
            .bind(key),
        )
        .await
    }
}
