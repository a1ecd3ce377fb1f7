use super::builders::{HOUR, NO_TIME, converting, is_lost, job, new_job, queued, turns};
use crate::{Lease, State, Store};
use futures::future::join_all;
use std::time::Duration;

pub async fn an_abandoned_upload_is_taken_after_a_grace(store: Store) {
    let live = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let gone = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    let back = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    let renewed = store.jobs.renew(&back, HOUR, None).await;
    renewed.expect("is renewed");
    queued(&store).await;
    converting(&store, NO_TIME).await;
    assert_eq!(take(&store, HOUR, HOUR).await, None);
    let taken = take(&store, NO_TIME, HOUR).await.expect("is abandoned");
    assert_eq!(taken.job_id, gone.job_id);
    assert_eq!(take(&store, NO_TIME, HOUR).await, None);
    for lease in [live, back] {
        store
            .jobs
            .uploaded(&lease, 1, turns(HOUR))
            .await
            .expect("ends");
    }
}

pub async fn an_uploader_that_comes_back_too_late_has_lost_its_upload(store: Store) {
    let new = new_job();
    let late = store.jobs.begin(new.clone(), NO_TIME).await;
    let late = late.expect("begins");
    let taken = take(&store, NO_TIME, HOUR).await.expect("is abandoned");
    assert!(is_lost(&store.jobs.renew(&late, HOUR, None).await));
    assert!(is_lost(&store.jobs.uploaded(&late, 1, turns(HOUR)).await));
    assert!(is_lost(&store.jobs.discard(&late).await));
    store.jobs.discard(&taken).await.expect("is discarded");
    assert!(is_lost(&store.jobs.uploaded(&late, 1, turns(HOUR)).await));
    assert_eq!(take(&store, NO_TIME, HOUR).await, None);
    store.jobs.begin(new, HOUR).await.expect("the id is free");
}

pub async fn an_upload_has_one_end_when_its_uploader_and_the_sweep_race(store: Store) {
    for _ in 0..20 {
        let late = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
        let id = late.job_id;
        let (uploader, sweep) = (store.clone(), store.clone());
        let (uploaded, taken) = tokio::join!(
            tokio::spawn(async move { uploader.jobs.uploaded(&late, 1, turns(HOUR)).await }),
            tokio::spawn(async move { take(&sweep, NO_TIME, HOUR).await }),
        );
        let uploaded = uploaded.expect("no task panics");
        match taken.expect("no task panics") {
            Some(taken) => {
                assert!(is_lost(&uploaded));
                store.jobs.discard(&taken).await.expect("is discarded");
            }
            None => {
                uploaded.expect("is acknowledged");
                assert_eq!(job(&store, id).await.state, State::Queued);
            }
        }
    }
}

pub async fn each_abandoned_upload_is_taken_once_by_many_sweeps(store: Store) {
    let mut abandoned = Vec::new();
    for _ in 0..12 {
        let lease = store.jobs.begin(new_job(), NO_TIME).await;
        abandoned.push(lease.expect("begins").job_id);
    }
    let sweeps = (0..6).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Some(lease) = take(&store, NO_TIME, HOUR).await {
                store.jobs.discard(&lease).await.expect("is discarded");
                taken.push(lease.job_id);
            }
            taken
        })
    });
    let sweeps = join_all(sweeps).await.into_iter();
    let mut taken: Vec<_> = sweeps
        .flat_map(|sweep| sweep.expect("no task panics"))
        .collect();
    taken.sort();
    assert_eq!(taken, abandoned);
}

pub async fn an_abandoned_upload_that_was_not_discarded_is_taken_again(store: Store) {
    let lease = store.jobs.begin(new_job(), NO_TIME).await;
    lease.expect("begins");
    let crashed = take(&store, NO_TIME, NO_TIME).await.expect("is abandoned");
    let next = take(&store, NO_TIME, HOUR).await.expect("is abandoned");
    assert_eq!(next.job_id, crashed.job_id);
    assert!(is_lost(&store.jobs.discard(&crashed).await));
    store.jobs.discard(&next).await.expect("is discarded");
}

async fn take(store: &Store, grace: Duration, lease_for: Duration) -> Option<Lease> {
    let taken = store.jobs.take_abandoned_upload(grace, lease_for).await;
    taken.expect("the store answers")
}
