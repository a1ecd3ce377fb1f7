//! What a job is called.

use super::{
    database::Database,
    expression::{literal, oid},
};
use crate::{Error, Job};
use decant_events::FileId;
use mongodb::bson::doc;

impl Database {
    pub(super) async fn set_title(
        &self,
        id: FileId,
        title: Option<&str>,
    ) -> Result<Option<Job>, Error> {
        let filter = doc! { "_id": oid(id), "state": { "$nin": ["uploading", "cancelled"] } };
        let mut set = doc! { "updated_at": "$$NOW" };
        let stages = match title {
            Some(title) => {
                set.insert("title", literal(title));
                vec![doc! { "$set": set }]
            }
            None => vec![doc! { "$set": set }, doc! { "$unset": ["title"] }],
        };
        self.change(filter, stages).await
    }
}
