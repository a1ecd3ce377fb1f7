//! Made at every start: where they are there already, the database says so and does nothing, and of several replicas that
//! start at once one makes them.

use super::{
    error::{answer, codes},
    gridfs::Place,
};
use crate::Error;
use mongodb::{
    Collection, IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};

pub(super) async fn of_jobs(jobs: &Collection<Document>) -> Result<(), Error> {
    let unique = IndexOptions::builder().unique(true).sparse(true).build();
    let sparse = IndexOptions::builder().sparse(true).build();
    make(
        jobs,
        [
            index(doc! { "owner": 1, "_id": 1 }, None),
            index(doc! { "mp3.id": 1 }, unique.clone()),
            index(doc! { "once": 1 }, unique.clone()),
            index(doc! { "expired_mp3_id": 1 }, sparse.clone()),
            index(doc! { "version": 1, "_id": 1 }, None),
            index(doc! { "owner": 1, "version": 1, "_id": 1 }, None),
            index(doc! { "state": 1, "_id": 1 }, None),
            index(doc! { "state": 1, "finished_at": 1 }, None),
            index(doc! { "video_litter_since": 1 }, sparse.clone()),
            index(doc! { "state": 1, "lease_until": 1 }, None),
            index(doc! { "state": 1, "announce_at": 1 }, None),
            index(doc! { "state": 1, "owner": 1, "_id": 1 }, None),
            index(doc! { "slot": 1 }, unique),
            // Enough to add up what a person takes up, without the records.
            index(
                doc! {
                    "owner": 1, "state": 1, "size_bytes": 1, "upload_offset": 1, "mp3.size_bytes": 1,
                    "video_expired_at": 1,
                },
                None,
            ),
            index(doc! { "unmailed_since": 1 }, sparse.clone()),
            index(doc! { "litter.since": 1 }, sparse),
        ],
    )
    .await
}

/// Those of the GridFS specification. Before the first write: the Rust driver's own GridFS would make one that lets a
/// chunk be stored twice.
pub(super) async fn of_payloads(place: &Place) -> Result<(), Error> {
    let unique = IndexOptions::builder().unique(true).build();
    let chunks = index(doc! { "files_id": 1, "n": 1 }, unique);
    make(&place.chunks, [chunks]).await?;
    let files = index(doc! { "filename": 1, "uploadDate": 1 }, None);
    make(&place.files, [files]).await
}

fn index(keys: Document, options: impl Into<Option<IndexOptions>>) -> IndexModel {
    IndexModel::builder().keys(keys).options(options).build()
}

async fn make(
    collection: &Collection<Document>,
    indexes: impl IntoIterator<Item = IndexModel>,
) -> Result<(), Error> {
    let made = answer(collection.create_indexes(indexes)).await;
    let place = collection.namespace();
    made.map(drop).map_err(|error| match error {
        Error::Exists => Error::Corrupt(format!(
            "{place} holds things twice that may be there once: delete one of each, then start again"
        )),
        Error::Unavailable(cause) if is_conflict(cause.as_ref()) => Error::Corrupt(format!(
            "{place} has an index of ours with other options: drop it, then start again ({cause})"
        )),
        other => other,
    })
}

fn is_conflict(cause: &(dyn std::error::Error + 'static)) -> bool {
    const OPTIONS_CONFLICT: i32 = 85;
    const KEY_SPECS_CONFLICT: i32 = 86;
    let cause = cause.downcast_ref::<mongodb::error::Error>();
    cause.is_some_and(|cause| {
        let codes = codes(cause);
        codes.contains(&OPTIONS_CONFLICT) || codes.contains(&KEY_SPECS_CONFLICT)
    })
}
