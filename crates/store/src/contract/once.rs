//! Uploads that their owners call by a key.

use super::builders::{HOUR, NO_TIME, is_lost, job, new_job, turns, username};
use crate::{Error, Lease, NewJob, State, Store};
use futures::future::join_all;
use std::time::Duration;

pub async fn an_upload_with_a_key_is_begun_once(store: Store) {
    let lease = begin(&store, "a key", HOUR).await.expect("begins");
    assert_eq!(begin(&store, "a key", HOUR).await, None);
    assert_eq!(found(&store).await, Some((lease.job_id, State::Uploading)));
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert_eq!(begin(&store, "a key", HOUR).await, None);
    assert_eq!(found(&store).await, Some((lease.job_id, State::Queued)));
}

pub async fn keys_are_their_owners(store: Store) {
    begin(&store, "a key", HOUR).await.expect("begins");
    begin(&store, "another key", HOUR).await.expect("begins");
    begin(&store, "A key", HOUR).await.expect("begins");
    let anns = NewJob {
        owner: username("ann"),
        ..new_job()
    };
    let begun = store.jobs.begin_once(anns.clone(), "a key", HOUR).await;
    assert!(begun.expect("the store answers").is_some());
    let hers = store.jobs.begun_with(&anns.owner, "a key").await;
    assert_eq!(hers.expect("answers").map(|job| job.id), Some(anns.id));
    let nobodys = store.jobs.begun_with(&username("eve"), "a key").await;
    assert_eq!(nobodys.expect("answers"), None);
}

pub async fn of_many_uploads_with_a_key_at_once_one_begins(store: Store) {
    for round in 0..5 {
        let key = format!("key {round}");
        let begun = (0..10).map(|_| {
            let (store, key) = (store.clone(), key.clone());
            tokio::spawn(async move { begin(&store, &key, HOUR).await })
        });
        let begun = join_all(begun).await.into_iter();
        let begun: Vec<Lease> = begun.filter_map(|one| one.expect("no panic")).collect();
        assert_eq!(begun.len(), 1);
        let found = store.jobs.begun_with(&username("kevin"), &key).await;
        let found = found.expect("the store answers").expect("has begun");
        assert_eq!(found.id, begun[0].job_id);
    }
}

pub async fn an_upload_that_was_discarded_gives_its_key_back(store: Store) {
    let lease = begin(&store, "a key", HOUR).await.expect("begins");
    store.jobs.discard(&lease).await.expect("is discarded");
    assert_eq!(found(&store).await, None);
    begin(&store, "a key", HOUR).await.expect("begins");
}

pub async fn an_upload_that_nobody_goes_on_with_gives_its_key_to_the_next(store: Store) {
    let gone = begin(&store, "a key", NO_TIME).await.expect("begins");
    assert_eq!(found(&store).await, None);
    let next = begin(&store, "a key", HOUR).await.expect("begins");
    assert!(is_lost(&store.jobs.renew(&gone, HOUR, None).await));
    assert!(is_lost(&store.jobs.uploaded(&gone, 1, turns(HOUR)).await));
    let sweep = store.jobs.take_abandoned_upload(NO_TIME, HOUR).await;
    let swept = sweep.expect("the store answers").expect("is abandoned");
    assert_eq!(swept.job_id, gone.job_id);
    store
        .jobs
        .uploaded(&next, 1, turns(HOUR))
        .await
        .expect("ends");
    assert_eq!(job(&store, next.job_id).await.state, State::Queued);
}

pub async fn a_cancelled_job_gives_its_key_back(store: Store) {
    let lease = begin(&store, "a key", HOUR).await.expect("begins");
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    let mut cancelled = store.jobs.export(None, 1).await.expect("answers").remove(0);
    assert_eq!(cancelled.idempotency_key.as_deref(), Some("a key"));
    cancelled.job.id = new_job().id;
    cancelled.job.state = State::Cancelled;
    cancelled.idempotency_key = Some("another key".into());
    assert!(store.jobs.import(&cancelled).await.expect("answers"));
    let (jobs, owner) = (&store.jobs, username("kevin"));
    let nobodys = jobs.begun_with(&owner, "another key").await;
    assert_eq!(nobodys.expect("answers"), None);
    begin(&store, "another key", HOUR).await.expect("begins");
}

pub async fn an_id_is_begun_once_with_a_key_too(store: Store) {
    let new = new_job();
    store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    let again = store.jobs.begin_once(new, "a key", HOUR).await;
    assert!(matches!(again, Err(Error::Exists)), "{again:?}");
}

async fn begin(store: &Store, key: &str, lease_for: Duration) -> Option<Lease> {
    let begun = store.jobs.begin_once(new_job(), key, lease_for).await;
    begun.expect("the store answers")
}

async fn found(store: &Store) -> Option<(decant_events::FileId, State)> {
    let found = store.jobs.begun_with(&username("kevin"), "a key").await;
    let found = found.expect("the store answers");
    found.map(|job| (job.id, job.state))
}
