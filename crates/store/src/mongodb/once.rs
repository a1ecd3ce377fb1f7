//! Uploads that their owners call by a key, so that each is taken once.

use super::{
    database::Database,
    error::answer,
    expression::{has_run_out, next_version},
};
use crate::{Error, Job};
use decant_events::Username;
use mongodb::bson::doc;

impl Database {
    /// Takes the key from a job that nobody can want any more, and from an upload whose uploader is gone; if that one does come
    /// back, it has lost its lease.
    pub(super) async fn free_key(&self, owner: &Username, key: &str) -> Result<(), Error> {
        let free = vec![
            doc! { "state": "cancelled" },
            doc! { "state": "uploading", "$expr": has_run_out() },
        ];
        let filter = doc! { "once": once(owner, key), "$or": free };
        let set = doc! { "$set": { "updated_at": "$$NOW", "version": next_version() } };
        let unset = doc! { "$unset": ["once", "lease_token"] };
        answer(self.jobs().update_one(filter, vec![set, unset])).await?;
        Ok(())
    }

    pub(super) async fn by_key(&self, owner: &Username, key: &str) -> Result<Option<Job>, Error> {
        let free = vec![
            doc! { "state": "cancelled" },
            doc! { "state": "uploading", "$expr": has_run_out() },
        ];
        self.one(doc! { "once": once(owner, key), "$nor": free })
            .await
    }
}

/// What may be in one record alone: an address has no blanks.
pub(super) fn once(owner: &Username, key: &str) -> String {
    format!("{owner} {key}")
}
