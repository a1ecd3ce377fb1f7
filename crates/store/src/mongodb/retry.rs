//! A record's next run.

use super::{
    database::Database,
    expression::{literal, oid},
    record,
    turns::in_turn,
};
use crate::{Error, Job, Turns};
use decant_events::{ConversionOptions, FileId};
use mongodb::bson::doc;

impl Database {
    /// Begins the next run of a job that has ended: queued if its owner has a turn free, else waiting.
    pub(super) async fn begin_run(
        &self,
        id: FileId,
        options: Option<&ConversionOptions>,
        turns: Turns,
    ) -> Result<Option<Job>, Error> {
        let filter = doc! { "_id": oid(id), "state": { "$in": ["ready", "failed", "expired"] } };
        let Some(owner) = self.owner_of(filter.clone()).await? else {
            return Ok(None);
        };
        let mut anew = doc! {
            "run": { "$add": ["$run", 1] }, "attempts": 0, "progress_percent": 0.0,
            "mail_tries": 0, "updated_at": "$$NOW",
        };
        let mut ended = vec![
            "finished_at",
            "problem",
            "announced_at",
            "announce_at",
            "unmailed_since",
            "mail_at",
            "mail_token",
            "mail_until",
        ];
        if let Some(options) = options {
            match record::stored_options(options)? {
                Some(options) => drop(anew.insert("options", literal(options))),
                None => ended.push("options"),
            }
        }
        let begun = |slot| {
            let mut set = anew.clone();
            set.extend(in_turn(slot, turns));
            // First what the run before has left: some of it is set anew.
            Some(vec![doc! { "$unset": ended.clone() }, doc! { "$set": set }])
        };
        self.change_in_turn(owner.as_str(), turns, filter, doc! {}, begun)
            .await
    }
}
