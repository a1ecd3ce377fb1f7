//! What the sweep looks for: jobs that nobody works on, uploads that nobody ends, MP3s that nobody publishes.

use super::{
    database::Database,
    error::answer,
    expression::{after, after_doubling, date, date_before, has_run_out, is_by, oid, with_attempt},
    record,
    resumable::is_abandoned,
};
use crate::{Due, Error, Job, Litter};
use decant_events::FileId;
use mongodb::{
    bson::{Bson, Document, doc},
    options::ReturnDocument,
};
use std::time::Duration;

impl Database {
    pub(super) async fn announce_one(&self, due: Due, gap: Duration) -> Result<Option<Job>, Error> {
        let mut filter = doc! { "state": { "$in": ["queued", "converting"] } };
        filter.extend(is_due(due));
        let kept = |field: &str| doc! { "$cond": [has_run_out(), "$$REMOVE", field] };
        let set = doc! {
            "state": { "$cond": [has_run_out(), "queued", "$state"] },
            "progress_percent": { "$cond": [has_run_out(), 0.0, "$progress_percent"] },
            "litter": { "$cond": [has_run_out(), with_attempt(), "$litter"] },
            "attempt_mp3_id": kept("$attempt_mp3_id"),
            "lease_token": kept("$lease_token"), "lease_until": kept("$lease_until"),
            "announcements": { "$add": ["$announcements", 1] }, "announced_at": "$$NOW",
            "announce_at": after_doubling(gap, "$announcements"), "updated_at": "$$NOW",
        };
        let order = doc! { "announce_at": 1 };
        self.change_first(filter, vec![doc! { "$set": set }], order)
            .await
    }

    /// As if it had not been announced: without `announced_at` it has no age.
    pub(super) async fn take_announcement_back(&self, id: FileId) -> Result<(), Error> {
        let filter = doc! { "_id": oid(id), "state": { "$in": ["queued", "converting"] } };
        let fewer = doc! { "$subtract": ["$announcements", 1] };
        let set = doc! {
            "announcements": { "$max": [fewer, 0] }, "announce_at": "$$NOW", "updated_at": "$$NOW",
        };
        let unset = doc! { "$unset": ["announced_at"] };
        let changed = self.change(filter, vec![doc! { "$set": set }, unset]);
        changed.await.map(drop)
    }

    pub(super) async fn take_over_uploading(
        &self,
        token: &str,
        grace: Duration,
        lease_for: Duration,
    ) -> Result<Option<FileId>, Error> {
        let filter = doc! { "state": "uploading", "$expr": is_abandoned(grace) };
        let set = doc! {
            "lease_token": token, "lease_until": after(lease_for), "updated_at": "$$NOW",
        };
        let change = self
            .jobs()
            .find_one_and_update(filter, vec![doc! { "$set": set }])
            .sort(doc! { "lease_until": 1 })
            .projection(doc! { "_id": 1 })
            .return_document(ReturnDocument::After);
        let taken = answer(change).await?;
        taken
            .as_ref()
            .map(|record| record::id(record, "_id"))
            .transpose()
    }

    pub(super) async fn old_litter(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<Litter>, Error> {
        let old = date_before(self.clock().await?, grace);
        let filter = doc! { "litter.since": { "$lte": old } };
        let order = doc! { "litter.since": 1 };
        let records = self.find(filter, order, limit).await?;
        let mut litter = Vec::new();
        for record in &records {
            litter.extend(record::litter(record)?);
        }
        litter.retain(|(since, _)| date(*since) <= old);
        litter.sort_by_key(|(since, _)| *since);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let oldest = litter.into_iter().take(limit);
        Ok(oldest.map(|(_, litter)| litter).collect())
    }

    pub(super) async fn delete_litter(&self, litter: &Litter) -> Result<(), Error> {
        let gone = doc! { "$pull": { "litter": { "mp3_id": oid(litter.mp3_id) } } };
        let filter = doc! { "_id": oid(litter.job_id) };
        answer(self.jobs().update_one(filter, gone)).await?;
        Ok(())
    }
}

fn is_due(due: Due) -> Document {
    match due {
        Due::ByGap => {
            let free = doc! { "$ne": [{ "$type": "$lease_until" }, "date"] };
            let unheld = doc! { "$or": [free, has_run_out()] };
            doc! { "$expr": { "$and": [is_by("announce_at", "$$NOW"), unheld] } }
        }
        Due::AnnouncedBefore(time) => {
            let lost: Bson = vec![
                doc! { "announced_at": { "$exists": false } },
                doc! { "announced_at": { "$lt": date(time) } },
            ]
            .into();
            doc! { "$or": lost }
        }
    }
}
