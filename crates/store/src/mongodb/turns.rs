//! Whose turn it is. MongoDB has no statement that counts records and changes one of them, so a turn is a thing that only
//! one record can have: its `slot`, a number below [`Turns::at_once`] and its owner's name, is unique. Of two that take
//! the last turn the second meets that, and looks again.

use super::{
    database::Database,
    error::answer,
    expression::{after, literal},
    record,
};
use crate::{Error, Job, Turns};
use decant_events::Username;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};

/// The states in which a record has a slot. Those that an older Decant has queued have none, and take a turn all the same.
const ANNOUNCED: [&str; 2] = ["queued", "converting"];

impl Database {
    /// Queues the person's oldest waiting job, if a turn is free.
    pub(super) async fn queue_waiting(
        &self,
        owner: &Username,
        turns: Turns,
    ) -> Result<Option<Job>, Error> {
        let filter = doc! { "owner": owner.as_str(), "state": "waiting" };
        let oldest_first = doc! { "_id": 1 };
        let queued = |slot: Option<String>| {
            let mut set = in_turn(Some(slot?), turns);
            set.insert("updated_at", "$$NOW");
            Some(vec![doc! { "$set": set }])
        };
        self.change_in_turn(owner.as_str(), turns, filter, oldest_first, queued)
            .await
    }

    /// Changes the first record that the filter finds by what `stages` makes of a free slot of its owner, or of none. No
    /// stages are no change.
    pub(super) async fn change_in_turn(
        &self,
        owner: &str,
        turns: Turns,
        filter: Document,
        order: Document,
        stages: impl Fn(Option<String>) -> Option<Vec<Document>>,
    ) -> Result<Option<Job>, Error> {
        loop {
            let slot = self.free_slot(owner, turns).await?;
            let Some(stages) = stages(slot) else {
                return Ok(None);
            };
            let changed = self.change_first(filter.clone(), stages, order.clone());
            match changed.await {
                Err(Error::Exists) => self.clear_left_slots(owner).await?,
                changed => return changed,
            }
        }
    }

    /// Whose the record is that the filter finds.
    pub(super) async fn owner_of(&self, filter: Document) -> Result<Option<Username>, Error> {
        let found = self.jobs().find_one(filter);
        let found = answer(found.projection(doc! { "owner": 1 })).await?;
        found.as_ref().map(record::owner).transpose()
    }

    pub(super) async fn waiting_after(
        &self,
        after: Option<&Username>,
    ) -> Result<Option<Username>, Error> {
        let mut filter = doc! { "state": "waiting" };
        if let Some(after) = after {
            filter.insert("owner", doc! { "$gt": after.as_str() });
        }
        let found = self.jobs().find_one(filter).sort(doc! { "owner": 1 });
        let found = answer(found.projection(doc! { "owner": 1 })).await?;
        found.as_ref().map(record::owner).transpose()
    }

    /// A slot of this person's that no record has, if fewer than all turns are taken.
    async fn free_slot(&self, owner: &str, turns: Turns) -> Result<Option<String>, Error> {
        let filter = doc! { "owner": owner, "state": { "$in": ANNOUNCED.to_vec() } };
        let announced = self.jobs().find(filter).projection(doc! { "slot": 1 });
        let announced: Vec<Document> =
            answer(async { announced.await?.try_collect().await }).await?;
        if announced.len() >= turns.at_once as usize {
            return Ok(None);
        }
        let is_free = |slot: &String| {
            let mut taken = announced
                .iter()
                .filter_map(|record| record.get_str("slot").ok());
            !taken.any(|taken| taken == slot)
        };
        let mut slots = (0..turns.at_once).map(|number| format!("{number} {owner}"));
        Ok(slots.find(is_free))
    }

    /// Somebody else has the slot by now, or an older Decant, which knows of none, has ended the job that had it.
    async fn clear_left_slots(&self, owner: &str) -> Result<(), Error> {
        let filter = doc! {
            "owner": owner, "state": { "$nin": ANNOUNCED.to_vec() }, "slot": { "$exists": true },
        };
        let unset = doc! { "$unset": { "slot": "" } };
        answer(self.jobs().update_many(filter, unset)).await?;
        Ok(())
    }
}

/// What a record becomes whose video is stored: queued in this slot and announced for the first time, or waiting.
pub(super) fn in_turn(slot: Option<String>, turns: Turns) -> Document {
    match slot {
        Some(slot) => doc! {
            "state": "queued", "slot": literal(slot),
            "announcements": 1, "announced_at": "$$NOW", "announce_at": after(turns.gap),
        },
        None => doc! { "state": "waiting", "announcements": 0 },
    }
}
