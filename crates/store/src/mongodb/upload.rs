//! A record's way from the first byte of its video to the queue, and how it is found.

use super::{
    apart::without_what_is_apart,
    database::Database,
    error::answer,
    expression::{after, literal, next_version, oid},
    record,
    turns::in_turn,
};
use crate::{Error, Job, Lease, NewJob, Turns};
use decant_events::FileId;
use mongodb::bson::{Document, doc};
use std::time::Duration;

impl Database {
    pub(super) async fn insert_uploading(
        &self,
        job: &NewJob,
        token: &str,
        lease_for: Duration,
    ) -> Result<(), Error> {
        let mut record = new_record(job, "uploading");
        record.extend(doc! { "lease_token": token, "lease_until": after(lease_for) });
        self.insert(no_record(job.id), vec![doc! { "$set": record }])
            .await
    }

    pub(super) async fn insert_queued(
        &self,
        job: &NewJob,
        size_bytes: u64,
        announce_gap: Duration,
    ) -> Result<(), Error> {
        let mut record = new_record(job, "queued");
        record.extend(doc! {
            "announcements": 1, "announced_at": "$$NOW", "announce_at": after(announce_gap),
            "size_bytes": stored_size(size_bytes)?,
        });
        self.insert(no_record(job.id), vec![doc! { "$set": record }])
            .await
    }

    pub(super) async fn queue_uploaded(
        &self,
        lease: &Lease,
        size_bytes: u64,
        turns: Turns,
    ) -> Result<Job, Error> {
        let size_bytes = stored_size(size_bytes)?;
        let owner = self.owner_of(uploading_under(lease)).await?;
        let owner = owner.ok_or(Error::LeaseLost)?;
        let stored = |slot| {
            let mut set = in_turn(slot, turns);
            set.extend(doc! {
                "size_bytes": size_bytes, "updated_at": "$$NOW", "version": next_version(),
            });
            let unset = doc! { "$unset": ["lease_token", "lease_until"] };
            Some(vec![doc! { "$set": set }, unset])
        };
        let filter = uploading_under(lease);
        let queued = self.change_in_turn(owner.as_str(), turns, filter, doc! {}, stored);
        queued.await?.ok_or(Error::LeaseLost)
    }

    pub(super) async fn delete_uploading(&self, lease: &Lease) -> Result<(), Error> {
        let delete = self.jobs().find_one_and_delete(uploading_under(lease));
        let deleted = answer(delete.projection(doc! { "_id": 1 })).await?;
        deleted.map(drop).ok_or(Error::LeaseLost)
    }

    pub(super) async fn by_id(&self, id: FileId) -> Result<Option<Job>, Error> {
        self.one(doc! { "_id": oid(id), "state": { "$nin": ["uploading", "cancelled"] } })
            .await
    }

    pub(super) async fn by_mp3(&self, mp3_id: FileId) -> Result<Option<Job>, Error> {
        let its = vec![
            doc! { "mp3.id": oid(mp3_id) },
            doc! { "expired_mp3_id": oid(mp3_id) },
        ];
        self.one(doc! { "$or": its, "state": { "$ne": "cancelled" } })
            .await
    }

    pub(super) async fn one(&self, filter: Document) -> Result<Option<Job>, Error> {
        let found = self.jobs().find_one(filter);
        let found = answer(found.projection(without_what_is_apart())).await?;
        found.as_ref().map(record::job).transpose()
    }
}

/// Finds nothing where the id is taken, so that the insertion meets the id's uniqueness.
pub(super) fn no_record(id: FileId) -> Document {
    doc! { "_id": oid(id), "state": { "$exists": false } }
}

fn new_record(job: &NewJob, state: &str) -> Document {
    let mut record = doc! {
        "owner": literal(job.owner.as_str()), "file_name": literal(job.file_name.as_str()),
        "state": state, "run": 1, "attempts": 0, "progress_percent": 0.0,
        "announcements": 0, "mailed_run": 0, "mail_tries": 0,
        "created_at": "$$NOW", "updated_at": "$$NOW", "version": next_version(),
    };
    if let Some(traceparent) = &job.traceparent {
        record.insert("traceparent", literal(traceparent.as_str()));
    }
    record
}

/// Finds the record as long as this is its uploader.
pub(super) fn uploading_under(lease: &Lease) -> Document {
    doc! { "_id": oid(lease.job_id), "lease_token": &lease.token, "state": "uploading" }
}

/// A size as MongoDB keeps it, in 63 bits.
pub(super) fn stored_size(size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|error| Error::Corrupt(format!("the size {size}: {error}")))
}
