//! Records on their way into another store, or out of one.

use super::{
    apart::binary,
    database::Database,
    expression::{date, literal, oid},
    record,
    upload::{no_record, stored_size},
};
use crate::{Error, Snapshot, State};
use decant_events::FileId;
use mongodb::bson::{Document, doc};

impl Database {
    pub(super) async fn snapshots(
        &self,
        after: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Snapshot>, Error> {
        let mut filter = doc! { "state": { "$nin": ["uploading", "cancelled"] } };
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": oid(after) });
        }
        let (oldest_first, whole) = (doc! { "_id": 1 }, doc! {});
        let records = self.find_parts(filter, oldest_first, limit, whole).await?;
        records.iter().map(record::snapshot).collect()
    }

    pub(super) async fn insert_snapshot(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let stages = vec![doc! { "$set": document(snapshot)? }];
        self.insert(no_record(snapshot.job.id), stages).await
    }
}

fn document(snapshot: &Snapshot) -> Result<Document, Error> {
    let job = &snapshot.job;
    let mut record = doc! {
        "owner": literal(job.owner.as_str()), "file_name": literal(job.file_name.as_str()),
        "state": job.state.as_str(), "run": job.run, "attempts": job.attempts,
        "progress_percent": job.progress_percent, "announcements": 0,
        "mailed_run": snapshot.mailed_run, "mail_tries": 0,
        "created_at": date(job.created_at), "updated_at": date(job.updated_at),
        "version": stored_size(job.version)?,
    };
    if let Some(id) = job.expired_mp3 {
        record.insert("expired_mp3_id", oid(id));
    }
    if let Some(time) = job.video_expired_at {
        record.insert("video_expired_at", date(time));
    }
    if let Some(traceparent) = &job.traceparent {
        record.insert("traceparent", literal(traceparent.as_str()));
    }
    if let Some(options) = record::stored_asked(&job.options)? {
        record.insert("options", literal(options));
    }
    if let Some(cover) = &snapshot.cover {
        record.insert("cover", binary(cover));
    }
    if let Some(size_bytes) = job.size_bytes {
        record.insert("size_bytes", stored_size(size_bytes)?);
    }
    if let Some(mp3) = &job.mp3 {
        let waveform = snapshot.waveform.as_deref().unwrap_or_default();
        record.insert("mp3", literal(record::stored_mp3(mp3, waveform)?));
    }
    if let Some(problem) = &job.problem {
        let problem = doc! { "code": problem.code.as_str(), "detail": problem.detail.as_str() };
        record.insert("problem", literal(problem));
    }
    if let Some(title) = &job.own_title {
        record.insert("title", literal(title.as_str()));
    }
    if let Some(finished_at) = job.finished_at {
        record.insert("finished_at", date(finished_at));
        if matches!(job.state, State::Ready | State::Failed) && snapshot.mailed_run < job.run {
            record.insert("unmailed_since", date(finished_at));
        }
    }
    Ok(record)
}
