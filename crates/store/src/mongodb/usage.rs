//! What people take up.

use super::{database::Database, error::answer, record};
use crate::{Error, Usage};
use decant_events::Username;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};

impl Database {
    pub(super) async fn taken_up_by(&self, owner: &Username) -> Result<Usage, Error> {
        let unfinished = vec!["uploading", "waiting", "queued", "converting"];
        let size = |field: &str| doc! { "$ifNull": [field, 0] };
        // A video that is on the way in counts as what it was announced to become.
        let video = doc! { "$ifNull": ["$size_bytes", size("$upload_length")] };
        let pipeline = [
            doc! { "$match": { "owner": owner.as_str(), "state": { "$ne": "cancelled" } } },
            doc! { "$group": {
                "_id": null,
                "unfinished": { "$sum": { "$cond": [{ "$in": ["$state", unfinished] }, 1, 0] } },
                "stored_bytes": { "$sum": { "$add": [video, size("$mp3.size_bytes")] } },
            } },
        ];
        let added_up = self.jobs().aggregate(pipeline);
        let added_up: Vec<Document> = answer(async { added_up.await?.try_collect().await }).await?;
        added_up.first().map_or(Ok(Usage::default()), record::usage)
    }
}
