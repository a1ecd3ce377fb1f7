//! Payloads whose time is over: first the record says so, later their bytes go.

use super::{
    database::Database,
    error::answer,
    expression::{date_before, next_version, oid},
    record,
};
use crate::Error;
use decant_events::FileId;
use mongodb::{
    bson::{Document, doc},
    options::ReturnDocument,
};
use std::time::Duration;

impl Database {
    pub(super) async fn expire_mp3(&self, keep: Duration) -> Result<Option<FileId>, Error> {
        let ended = vec!["ready", "failed"];
        let filter = doc! { "state": { "$in": ended }, "mp3.id": { "$exists": true } };
        let litter = doc! { "mp3_id": "$mp3.id", "since": "$$NOW" };
        let set = doc! {
            "state": "expired", "expired_mp3_id": "$mp3.id",
            "litter": { "$concatArrays": [{ "$ifNull": ["$litter", []] }, [litter]] },
            "updated_at": "$$NOW", "version": next_version(),
        };
        // Whoever was told nothing about the MP3 needn't be told any more.
        let unset = doc! { "$unset": ["mp3", "unmailed_since"] };
        self.expire(filter, keep, vec![doc! { "$set": set }, unset])
            .await
    }

    pub(super) async fn expire_video(&self, keep: Duration) -> Result<Option<FileId>, Error> {
        let ended = vec!["ready", "failed", "expired"];
        let filter = doc! { "state": { "$in": ended }, "video_expired_at": { "$exists": false } };
        let set = doc! {
            "video_expired_at": "$$NOW", "video_litter_since": "$$NOW",
            "updated_at": "$$NOW", "version": next_version(),
        };
        self.expire(filter, keep, vec![doc! { "$set": set }]).await
    }

    async fn expire(
        &self,
        mut filter: Document,
        keep: Duration,
        stages: Vec<Document>,
    ) -> Result<Option<FileId>, Error> {
        let old = date_before(self.clock().await?, keep);
        filter.insert("finished_at", doc! { "$lte": old });
        let change = self.jobs().find_one_and_update(filter, stages);
        let change = change
            .sort(doc! { "finished_at": 1 })
            .projection(doc! { "_id": 1 })
            .return_document(ReturnDocument::After);
        let expired = answer(change).await?;
        let expired = expired.as_ref().map(|expired| record::id(expired, "_id"));
        expired.transpose()
    }

    pub(super) async fn video_litter(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let old = date_before(self.clock().await?, grace);
        let filter = doc! { "video_litter_since": { "$lte": old } };
        let order = doc! { "video_litter_since": 1 };
        let records = self.find(filter, order, limit).await?;
        records
            .iter()
            .map(|record| record::id(record, "_id"))
            .collect()
    }

    /// Nobody sees this change: the video is gone for people since it expired.
    pub(super) async fn delete_video_litter(&self, id: FileId) -> Result<(), Error> {
        let gone = doc! { "$unset": { "video_litter_since": "" } };
        answer(self.jobs().update_one(doc! { "_id": oid(id) }, gone)).await?;
        Ok(())
    }
}
