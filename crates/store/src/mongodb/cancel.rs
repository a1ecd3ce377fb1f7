//! A record's early end, and what is left of it: a tombstone.

use super::{
    apart::without_what_is_apart,
    database::Database,
    error::answer,
    expression::{date_before, oid, with_litter},
    record,
};
use crate::{Error, Litter};
use decant_events::FileId;
use mongodb::{bson::doc, options::ReturnDocument};
use std::time::Duration;

impl Database {
    /// Leaves a tombstone that names nothing but litter.
    pub(super) async fn end_cancelled(&self, id: FileId) -> Result<Option<Vec<Litter>>, Error> {
        let filter = doc! { "_id": oid(id), "state": { "$nin": ["uploading", "cancelled"] } };
        let set = doc! {
            "state": "cancelled", "finished_at": "$$NOW", "updated_at": "$$NOW",
            "litter": with_litter(&["$attempt_mp3_id", "$mp3.id"]),
        };
        let unset = [
            "lease_token",
            "lease_until",
            "attempt_mp3_id",
            "slot",
            "mp3",
            "cover",
            "announced_at",
            "announce_at",
            "mail_token",
            "mail_until",
            "unmailed_since",
        ];
        let change = self
            .jobs()
            .find_one_and_update(
                filter,
                vec![doc! { "$set": set }, doc! { "$unset": unset.to_vec() }],
            )
            .projection(without_what_is_apart())
            .return_document(ReturnDocument::After);
        let Some(tombstone) = answer(change).await? else {
            return Ok(None);
        };
        let litter = record::litter(&tombstone)?.into_iter();
        Ok(Some(litter.map(|(_, litter)| litter).collect()))
    }

    pub(super) async fn long_cancelled(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let old = date_before(self.clock().await?, grace);
        let filter = doc! { "state": "cancelled", "finished_at": { "$lte": old } };
        let order = doc! { "finished_at": 1 };
        let records = self.find(filter, order, limit).await?;
        let ids = records.iter().map(|record| record::id(record, "_id"));
        ids.collect()
    }

    pub(super) async fn delete_cancelled(&self, id: FileId) -> Result<bool, Error> {
        let filter = doc! {
            "_id": oid(id), "state": "cancelled", "litter.mp3_id": { "$exists": false },
        };
        let deleted = answer(self.jobs().delete_one(filter)).await?;
        Ok(deleted.deleted_count > 0)
    }
}
