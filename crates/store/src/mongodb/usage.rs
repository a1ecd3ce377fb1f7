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
        // Of a video that is on the way in, what has come.
        let video = doc! { "$ifNull": ["$size_bytes", size("$upload_offset")] };
        let video_is_there = doc! { "$eq": [{ "$type": "$video_expired_at" }, "missing"] };
        let video = doc! { "$cond": [video_is_there, video, 0] };
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
