//! Uploads that their owners call by a key, so that each is taken once.

use super::{
    database::Database,
    error::answer,
    expression::{has_run_out, next_version, oid},
};
use crate::{Error, Job};
use decant_events::{FileId, Username};
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

    /// Gives the record the key, or says [`Error::Exists`]. In a change of its own: secantusd-rs, which tests run on, keeps what
    /// an insertion wrote in a unique index for good.
    pub(super) async fn take_key(
        &self,
        id: FileId,
        owner: &Username,
        key: &str,
    ) -> Result<(), Error> {
        let set = doc! { "$set": { "once": once(owner, key) } };
        let taken = self.jobs().update_one(doc! { "_id": oid(id) }, set);
        answer(taken).await?;
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
