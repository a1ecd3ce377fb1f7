//! The one mail about the end of a run.

use super::{
    database::Database,
    error::answer,
    expression::{after, after_doubling, date, date_before, is_by, next_version, oid},
    record,
};
use crate::{Error, Job, Lease};
use decant_events::FileId;
use mongodb::bson::{Bson, Document, doc};
use std::time::Duration;

impl Database {
    /// Takes the mail, if it is due and nobody sends it.
    pub(super) async fn begin_mail(
        &self,
        lease: &Lease,
        lease_for: Duration,
        gap: Duration,
    ) -> Result<Option<Job>, Error> {
        let mut filter = due(lease.job_id);
        let free = vec![
            doc! { "mail_until": { "$exists": false } },
            doc! { "$expr": is_by("mail_until", "$$NOW") },
        ];
        filter.insert("$or", free);
        let set = doc! {
            "mail_token": &lease.token, "mail_until": after(lease_for),
            "updated_at": "$$NOW", "version": next_version(),
            "mail_tries": { "$add": ["$mail_tries", 1] },
            "mail_at": after_doubling(gap, "$mail_tries"),
        };
        self.change(filter, vec![doc! { "$set": set }]).await
    }

    /// Whether the mail is due and somebody sends it right now.
    pub(super) async fn mail_is_held(&self, id: FileId) -> Result<bool, Error> {
        let mut filter = due(id);
        filter.insert("mail_until", doc! { "$exists": true });
        filter.insert("$expr", doc! { "$gt": ["$mail_until", "$$NOW"] });
        Ok(
            answer(self.jobs().find_one(filter).projection(doc! { "_id": 1 }))
                .await?
                .is_some(),
        )
    }

    pub(super) async fn end_mail(&self, lease: &Lease) -> Result<(), Error> {
        let set = doc! { "mailed_run": "$run", "updated_at": "$$NOW", "version": next_version() };
        let unset = vec!["mail_token", "mail_until", "unmailed_since"];
        self.leave_mail(lease, set, unset).await
    }

    pub(super) async fn free_mail(&self, lease: &Lease) -> Result<(), Error> {
        let set = doc! { "updated_at": "$$NOW", "version": next_version() };
        let unset = vec!["mail_token", "mail_until"];
        self.leave_mail(lease, set, unset).await
    }

    async fn leave_mail(
        &self,
        lease: &Lease,
        set: Document,
        unset: Vec<&str>,
    ) -> Result<(), Error> {
        let filter = doc! { "_id": oid(lease.job_id), "mail_token": &lease.token };
        let stages = vec![doc! { "$set": set }, doc! { "$unset": unset }];
        self.change_leased(filter, stages).await.map(drop)
    }

    pub(super) async fn without_mail(
        &self,
        grace: Duration,
        limit: u32,
    ) -> Result<Vec<FileId>, Error> {
        let now = self.clock().await?;
        let not_again_yet: Bson = vec![
            doc! { "mail_at": { "$exists": false } },
            doc! { "mail_at": { "$lte": date(now) } },
        ]
        .into();
        let filter = doc! {
            "unmailed_since": { "$lte": date_before(now, grace) }, "$or": not_again_yet,
        };
        let order = doc! { "unmailed_since": 1 };
        let records = self.find(filter, order, limit).await?;
        records
            .iter()
            .map(|record| record::id(record, "_id"))
            .collect()
    }
}

/// The job has ended, and this run has no mail yet.
fn due(id: FileId) -> Document {
    doc! { "_id": oid(id), "unmailed_since": { "$exists": true } }
}
