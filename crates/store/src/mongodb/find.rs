//! What people see and find of their jobs.

use super::{database::Database, error::answer, expression::oid, record};
use crate::{Error, InLine, Job, State};
use decant_events::{FileId, Username};
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};

impl Database {
    pub(super) async fn newest(
        &self,
        owner: Option<&Username>,
        states: &[State],
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        let states: Vec<_> = states.iter().map(|state| state.as_str()).collect();
        let hidden = vec!["uploading", "cancelled"];
        let mut filter = match states.is_empty() {
            true => doc! { "state": { "$nin": hidden } },
            false => doc! { "state": { "$nin": hidden, "$in": states } },
        };
        if let Some(owner) = owner {
            filter.insert("owner", owner.as_str());
        }
        if let Some(before) = before {
            filter.insert("_id", doc! { "$lt": oid(before) });
        }
        let records = self.find(filter, doc! { "_id": -1 }, limit).await?;
        records.iter().map(record::job).collect()
    }

    pub(super) async fn changed(
        &self,
        owner: Option<&Username>,
        version: u64,
        after: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        let mut filter = doc! { "state": { "$ne": "uploading" } };
        if let Some(owner) = owner {
            filter.insert("owner", owner.as_str());
        }
        match after {
            None => filter.insert("version", doc! { "$gt": version }),
            Some(after) => {
                let later: Bson = vec![
                    doc! { "version": { "$gt": version } },
                    doc! { "version": version, "_id": { "$gt": oid(after) } },
                ]
                .into();
                filter.insert("$or", later)
            }
        };
        let order = doc! { "version": 1, "_id": 1 };
        let records = self.find(filter, order, limit).await?;
        records.iter().map(record::job).collect()
    }

    pub(super) async fn first_in_line(&self, limit: u32) -> Result<Vec<InLine>, Error> {
        let filter = doc! { "state": { "$in": ["waiting", "queued"] } };
        let found = self.jobs().find(filter).sort(doc! { "_id": 1 });
        let found = found
            .projection(doc! { "owner": 1, "state": 1 })
            .limit(limit.into());
        let line: Vec<Document> = answer(async { found.await?.try_collect().await }).await?;
        line.iter().map(record::in_line).collect()
    }
}
