//! An upload that comes in pieces: who writes the next one, how far it is, and until when it is kept.

use super::{
    database::{Database, Sql, millis},
    record,
    upload::stored_size,
};
use crate::{Error, Lease, Resumable};
use chrono::{DateTime, Utc};
use decant_events::FileId;
use sqlx::query;
use std::time::Duration;

impl Database {
    pub(super) async fn note_resumable(
        &self,
        lease: &Lease,
        length_bytes: u64,
        metadata: Option<&str>,
        keep_for: Duration,
    ) -> Result<DateTime<Utc>, Error> {
        self.expiry(
            query(
                "UPDATE jobs
                 SET upload_length = ?3, upload_offset = 0, upload_metadata = ?4,
                     upload_expires_at = now + ?5, updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND lease_token = ?2 AND state = 'uploading'
                 RETURNING upload_expires_at",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(stored_size(length_bytes)?)
            .bind(metadata)
            .bind(millis(keep_for)),
        )
        .await
    }

    pub(super) async fn resumable_by_id(&self, id: FileId) -> Result<Option<Resumable>, Error> {
        let rows = self.rows(
            query(
                "SELECT *, upload_expires_at <= now AS is_expired,
                     coalesce(lease_until > now, false) AS is_held
                 FROM jobs, clock
                 WHERE id = ? AND upload_length IS NOT NULL AND state <> 'cancelled'",
            )
            .bind(id.to_string()),
        );
        rows.await?.first().map(record::resumable).transpose()
    }

    /// Takes the lease where nobody holds it and the upload is at this offset still.
    pub(super) async fn begin_piece(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        lease_for: Duration,
    ) -> Result<bool, Error> {
        let taken = self.change(
            query(
                "UPDATE jobs
                 SET lease_token = ?2, lease_until = now + ?4, updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND state = 'uploading' AND upload_offset = ?3
                     AND upload_expires_at > now AND (lease_until IS NULL OR lease_until <= now)",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(stored_size(offset_bytes)?)
            .bind(millis(lease_for)),
        );
        Ok(taken.await? > 0)
    }

    /// Moves the offset; the lease goes on for `lease_for`, or ends.
    pub(super) async fn move_offset(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        keep_for: Duration,
        lease_for: Option<Duration>,
    ) -> Result<DateTime<Utc>, Error> {
        self.expiry(
            query(
                "UPDATE jobs
                 SET upload_offset = max(upload_offset, ?3), upload_expires_at = now + ?4,
                     lease_token = iif(?5 IS NULL, NULL, lease_token), lease_until = now + ?5,
                     updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND lease_token = ?2 AND state = 'uploading'
                     AND upload_length IS NOT NULL
                 RETURNING upload_expires_at",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(stored_size(offset_bytes)?)
            .bind(millis(keep_for))
            .bind(lease_for.map(millis)),
        )
        .await
    }

    /// Takes the lease, whoever holds it.
    pub(super) async fn seize_resumable(
        &self,
        lease: &Lease,
        lease_for: Duration,
    ) -> Result<bool, Error> {
        let taken = self.change(
            query(
                "UPDATE jobs
                 SET lease_token = ?2, lease_until = now + ?3, updated_at = now, version = max(version + 1, now)
                 FROM clock
                 WHERE id = ?1 AND state = 'uploading' AND upload_length IS NOT NULL",
            )
            .bind(lease.job_id.to_string())
            .bind(&lease.token)
            .bind(millis(lease_for)),
        );
        Ok(taken.await? > 0)
    }

    /// Runs a change that compares a lease and gives when the upload expires.
    async fn expiry(&self, change: Sql<'_>) -> Result<DateTime<Utc>, Error> {
        let rows = self.rows(change).await?;
        let row = rows.first().ok_or(Error::LeaseLost)?;
        record::time(row, "upload_expires_at")
    }
}
