//! An upload that comes in pieces: who writes the next one, how far it is, and until when it is kept.

use super::{
    database::Database,
    error::answer,
    expression::{after, before, date, has_run_out, is_by, literal, next_version, oid},
    record,
    upload::{stored_size, uploading_under},
};
use crate::{Error, Lease, Resumable};
use chrono::{DateTime, Utc};
use decant_events::FileId;
use mongodb::{
    bson::{Document, doc},
    options::ReturnDocument,
};
use std::time::Duration;

impl Database {
    pub(super) async fn note_resumable(
        &self,
        lease: &Lease,
        length_bytes: u64,
        metadata: Option<&str>,
        keep_for: Duration,
    ) -> Result<DateTime<Utc>, Error> {
        let mut set = doc! {
            "upload_length": stored_size(length_bytes)?, "upload_offset": 0_i64,
            "upload_expires_at": after(keep_for), "updated_at": "$$NOW", "version": next_version(),
        };
        if let Some(metadata) = metadata {
            set.insert("upload_metadata", literal(metadata));
        }
        self.expiry(uploading_under(lease), vec![doc! { "$set": set }])
            .await
    }

    pub(super) async fn resumable_by_id(&self, id: FileId) -> Result<Option<Resumable>, Error> {
        let filter = doc! {
            "_id": oid(id), "upload_length": { "$exists": true }, "state": { "$ne": "cancelled" },
        };
        let found = self.jobs().find_one(filter).projection(doc! {
            "owner": 1, "file_name": 1, "state": 1, "upload_length": 1, "upload_offset": 1,
            "upload_expires_at": 1, "upload_metadata": 1, "lease_until": 1,
        });
        let Some(found) = answer(found).await? else {
            return Ok(None);
        };
        let mut upload = record::resumable(&found)?;
        if let Some(expires_at) = upload.expires_at {
            let now = date(self.clock().await?);
            upload.is_expired = date(expires_at) <= now;
            let held = found.get_datetime("lease_until");
            upload.is_held = held.is_ok_and(|until| *until > now);
        }
        Ok(Some(upload))
    }

    /// Takes the lease where nobody holds it and the upload is at this offset still.
    pub(super) async fn begin_piece(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        lease_for: Duration,
    ) -> Result<bool, Error> {
        let is_alive = doc! { "$gt": ["$upload_expires_at", "$$NOW"] };
        let is_free = doc! { "$or": [is_not_leased(), has_run_out()] };
        let filter = doc! {
            "_id": oid(lease.job_id), "state": "uploading",
            "upload_offset": stored_size(offset_bytes)?,
            "$expr": { "$and": [is_alive, is_free] },
        };
        self.take(filter, lease, lease_for).await
    }

    /// Moves the offset; the lease goes on for `lease_for`, or ends.
    pub(super) async fn move_offset(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        keep_for: Duration,
        lease_for: Option<Duration>,
    ) -> Result<DateTime<Utc>, Error> {
        let mut filter = uploading_under(lease);
        filter.insert("upload_length", doc! { "$exists": true });
        let mut set = doc! {
            "upload_offset": { "$max": ["$upload_offset", stored_size(offset_bytes)?] },
            "upload_expires_at": after(keep_for), "updated_at": "$$NOW", "version": next_version(),
        };
        let mut stages = Vec::new();
        match lease_for {
            Some(lease_for) => drop(set.insert("lease_until", after(lease_for))),
            None => stages.push(doc! { "$unset": ["lease_token", "lease_until"] }),
        }
        stages.push(doc! { "$set": set });
        self.expiry(filter, stages).await
    }

    /// Takes the lease, whoever holds it.
    pub(super) async fn seize_resumable(
        &self,
        lease: &Lease,
        lease_for: Duration,
    ) -> Result<bool, Error> {
        let filter = doc! {
            "_id": oid(lease.job_id), "state": "uploading", "upload_length": { "$exists": true },
        };
        self.take(filter, lease, lease_for).await
    }

    async fn take(
        &self,
        filter: Document,
        lease: &Lease,
        lease_for: Duration,
    ) -> Result<bool, Error> {
        let set = doc! {
            "lease_token": &lease.token, "lease_until": after(lease_for), "updated_at": "$$NOW", "version": next_version(),
        };
        let taken = self
            .jobs()
            .find_one_and_update(filter, vec![doc! { "$set": set }])
            .projection(doc! { "_id": 1 });
        Ok(answer(taken).await?.is_some())
    }

    /// Runs a change that compares a lease and gives when the upload expires.
    async fn expiry(
        &self,
        filter: Document,
        stages: Vec<Document>,
    ) -> Result<DateTime<Utc>, Error> {
        let changed = self
            .jobs()
            .find_one_and_update(filter, stages)
            .projection(doc! { "upload_expires_at": 1 })
            .return_document(ReturnDocument::After);
        let changed = answer(changed).await?.ok_or(Error::LeaseLost)?;
        record::time(&changed, "upload_expires_at")
    }
}

/// Nobody writes this upload any more, and nobody is going to: its writer was the last one, or it has expired.
pub(super) fn is_abandoned(grace: Duration) -> Document {
    let ends_with_its_writer = doc! { "$ne": [{ "$type": "$upload_expires_at" }, "date"] };
    let writer_is_gone = is_by("lease_until", before(grace));
    let is_over = is_by("upload_expires_at", before(grace));
    doc! { "$or": [
        { "$and": [ends_with_its_writer, writer_is_gone.clone()] },
        { "$and": [is_over, { "$or": [is_not_leased(), writer_is_gone] }] },
    ] }
}

fn is_not_leased() -> Document {
    doc! { "$ne": [{ "$type": "$lease_until" }, "date"] }
}
