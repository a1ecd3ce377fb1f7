//! Records that an older Decant has left.

use crate::{HOUR, fresh_prefix, new_job, open, shared};
use decant_events::{FileId, Problem};
use decant_store::Claim;
use mongodb::{
    Client,
    bson::{Document, doc},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_before_there_were_versions_has_the_time_of_its_last_change() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let store = open(&shared.server, &prefix).await.unwrap();
    let new = new_job();
    let id = new.id;
    assert!(store.jobs.adopt(new, 1, HOUR).await.unwrap());
    let client = Client::with_uri_str(shared.server.uri()).await.unwrap();
    let database = client.database(&format!("{prefix}decant"));
    let older = doc! { "$unset": { "version": "" } };
    let records = database.collection::<Document>("jobs");
    records.update_one(doc! {}, older).await.unwrap();

    let job = store.jobs.get(id).await.unwrap().unwrap();
    let changed_ms = u64::try_from(job.updated_at.timestamp_millis()).unwrap();
    assert_eq!(job.version, changed_ms);
    let gave_up = Problem::new("gave-up", "");
    let claim = store.jobs.claim(id, FileId::mint(), HOUR, 5, &gave_up);
    let Claim::Granted(_, claimed) = claim.await.unwrap() else {
        panic!("nobody else wants it");
    };
    assert!(claimed.version >= job.version);
    let changed = store.jobs.changed_since(None, 1, None, 10).await.unwrap();
    assert_eq!(changed, [*claimed]);
}
