//! A record's way from the queue to its end.

use super::{
    database::Database,
    error::answer,
    expression::{after, before, is_by, is_unheld, literal, oid, with_attempt, with_litter},
    record,
};
use crate::{Error, Job, Lease, Mp3};
use decant_events::{FileId, Problem};
use mongodb::bson::{Document, doc};
use std::time::Duration;

impl Database {
    /// Takes the job for one more attempt, if nobody holds it and attempts are left.
    pub(super) async fn begin_attempt(
        &self,
        lease: &Lease,
        mp3_id: FileId,
        lease_for: Duration,
        max_attempts: u32,
    ) -> Result<Option<Job>, Error> {
        let filter = doc! {
            "_id": oid(lease.job_id), "attempts": { "$lt": i64::from(max_attempts) },
            "$or": is_unheld(),
        };
        let set = doc! {
            "state": "converting", "attempts": { "$add": ["$attempts", 1] }, "progress_percent": 0.0,
            "litter": with_attempt(), "attempt_mp3_id": oid(mp3_id),
            "lease_token": &lease.token, "lease_until": after(lease_for), "updated_at": "$$NOW",
        };
        self.change(filter, vec![doc! { "$set": set }]).await
    }

    /// Fails a job that nobody holds, if at least `attempts` have begun and, where `announced_for` is given, its last
    /// announcement is that old.
    pub(super) async fn fail_unheld(
        &self,
        id: FileId,
        attempts: u32,
        problem: &Problem,
        announced_for: Option<Duration>,
    ) -> Result<Option<Job>, Error> {
        let mut filter = doc! {
            "_id": oid(id), "attempts": { "$gte": i64::from(attempts) }, "$or": is_unheld(),
        };
        if let Some(age) = announced_for {
            filter.insert("$expr", is_by("announced_at", before(age)));
        }
        self.change(filter, failed(problem)).await
    }

    pub(super) async fn extend_lease(
        &self,
        lease: &Lease,
        lease_for: Duration,
        progress_percent: Option<f64>,
    ) -> Result<(), Error> {
        let mut filter = under(lease);
        filter.insert("state", doc! { "$in": ["uploading", "converting"] });
        let mut set = doc! { "lease_until": after(lease_for), "updated_at": "$$NOW" };
        if let Some(percent) = progress_percent {
            set.insert("progress_percent", percent.clamp(0.0, 100.0));
        }
        let renewed = self.change_leased(filter, vec![doc! { "$set": set }]);
        renewed.await.map(drop)
    }

    pub(super) async fn is_leased(&self, lease: &Lease) -> Result<bool, Error> {
        let found = self.jobs().find_one(under(lease));
        let found = answer(found.projection(doc! { "_id": 1 })).await?;
        Ok(found.is_some())
    }

    pub(super) async fn requeue(&self, lease: &Lease, forgive: bool) -> Result<(), Error> {
        let set = doc! {
            "state": "queued", "attempts": { "$subtract": ["$attempts", i32::from(forgive)] },
            "progress_percent": 0.0, "litter": with_attempt(), "updated_at": "$$NOW",
        };
        let stages = vec![doc! { "$set": set }, doc! { "$unset": ATTEMPT.to_vec() }];
        let requeued = self.change_leased(converting_under(lease), stages);
        requeued.await.map(drop)
    }

    pub(super) async fn end_ready(
        &self,
        lease: &Lease,
        mp3: &Mp3,
        waveform: &[u8],
    ) -> Result<Job, Error> {
        let mut filter = converting_under(lease);
        filter.insert("attempt_mp3_id", oid(mp3.id));
        // One value, so that nothing of an earlier MP3 stays.
        let published = record::stored_mp3(mp3, waveform)?;
        let mut set = ended("ready");
        set.extend(doc! {
            "progress_percent": 100.0, "mp3": literal(published), "litter": with_litter(&["$mp3.id"]),
        });
        let stages = vec![doc! { "$set": set }, without_attempt_and_turn()];
        self.change_leased(filter, stages).await
    }

    pub(super) async fn end_failed(&self, lease: &Lease, problem: &Problem) -> Result<Job, Error> {
        self.change_leased(converting_under(lease), failed(problem))
            .await
    }
}

fn under(lease: &Lease) -> Document {
    doc! { "_id": oid(lease.job_id), "lease_token": &lease.token }
}

fn converting_under(lease: &Lease) -> Document {
    let mut filter = under(lease);
    filter.insert("state", "converting");
    filter
}

/// What every end has in common: from then on its mail is due.
fn ended(state: &str) -> Document {
    doc! {
        "state": state, "finished_at": "$$NOW", "unmailed_since": "$$NOW", "updated_at": "$$NOW",
    }
}

fn failed(problem: &Problem) -> Vec<Document> {
    let mut set = ended("failed");
    set.insert("litter", with_attempt());
    // One value, so that nothing of an earlier problem stays.
    let problem = doc! { "code": problem.code.as_str(), "detail": problem.detail.as_str() };
    set.insert("problem", literal(problem));
    vec![doc! { "$set": set }, without_attempt_and_turn()]
}

/// What an attempt has.
const ATTEMPT: [&str; 3] = ["lease_token", "lease_until", "attempt_mp3_id"];

fn without_attempt_and_turn() -> Document {
    let mut fields = ATTEMPT.to_vec();
    fields.push("slot");
    doc! { "$unset": fields }
}
