use super::builders::{HOUR, NO_TIME, clock_moves, is_lost, job, new_job, queued, turns};
use crate::{Lease, Resumable, State, Store};
use decant_events::FileId;
use futures::future::join_all;
use std::time::Duration;

const LENGTH: u64 = 1_000;

pub async fn an_upload_in_pieces_is_known_and_hidden_until_it_ends(store: Store) {
    let new = new_job();
    let lease = store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    assert_eq!(find(&store, new.id).await, None);
    let beside = Some("filename JHsgw58g8J-RiyI=,empty");
    let expires_at = store
        .jobs
        .make_resumable(&lease, LENGTH, beside, HOUR)
        .await;
    let known = Resumable {
        id: new.id,
        owner: new.owner,
        file_name: new.file_name,
        length_bytes: LENGTH,
        offset_bytes: 0,
        metadata: beside.map(str::to_owned),
        expires_at: Some(expires_at.expect("is noted")),
        is_expired: false,
        is_held: true,
    };
    assert_eq!(find(&store, new.id).await, Some(known.clone()));
    assert_eq!(store.jobs.get(new.id).await.expect("answers"), None);

    store
        .jobs
        .uploaded(&lease, LENGTH, turns(HOUR))
        .await
        .expect("ends");
    let ended = Resumable {
        offset_bytes: LENGTH,
        expires_at: None,
        is_held: false,
        ..known
    };
    assert!(ended.has_ended());
    assert_eq!(find(&store, new.id).await, Some(ended));
    assert_eq!(job(&store, new.id).await.state, State::Queued);
}

pub async fn an_upload_in_one_piece_is_none_in_pieces(store: Store) {
    let lease = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    let id = lease.job_id;
    assert_eq!(find(&store, id).await, None);
    assert_eq!(resume(&store, id, 0, HOUR).await, None);
    assert_eq!(store.jobs.seize(id, HOUR).await.expect("answers"), None);
    assert!(is_lost(&store.jobs.pause(&lease, 1, HOUR).await));
    assert_eq!(find(&store, queued(&store).await).await, None);
}

pub async fn a_paused_upload_goes_on_at_its_offset_and_nowhere_else(store: Store) {
    let id = paused(&store, 400, HOUR).await;
    for elsewhere in [0, 399, 401, LENGTH] {
        assert_eq!(resume(&store, id, elsewhere, HOUR).await, None);
    }
    let lease = resume(&store, id, 400, HOUR).await.expect("goes on");
    store
        .jobs
        .uploaded(&lease, LENGTH, turns(HOUR))
        .await
        .expect("ends");
    assert_eq!(resume(&store, id, 400, HOUR).await, None);
    assert_eq!(resume(&store, id, LENGTH, HOUR).await, None);
}

pub async fn while_somebody_writes_nobody_else_does(store: Store) {
    let id = paused(&store, 0, HOUR).await;
    let lease = resume(&store, id, 0, HOUR).await.expect("goes on");
    assert_eq!(resume(&store, id, 0, HOUR).await, None);
    assert!(is_held(&store, id).await);
    let advanced = store.jobs.advance(&lease, 300, HOUR, HOUR).await;
    advanced.expect("advances");
    assert_eq!(resume(&store, id, 300, HOUR).await, None);
    let kept = store.jobs.renew(&lease, HOUR, None).await;
    kept.expect("is renewed");
    assert_eq!(resume(&store, id, 300, HOUR).await, None);
    store.jobs.pause(&lease, 500, HOUR).await.expect("is free");
    assert!(!is_held(&store, id).await);
    resume(&store, id, 500, NO_TIME).await.expect("goes on");
    assert!(!is_held(&store, id).await, "its lease has run out");
}

pub async fn fifty_who_go_on_at_once_are_one(store: Store) {
    let id = paused(&store, 7, HOUR).await;
    let all = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { resume(&store, id, 7, HOUR).await })
    });
    let all = join_all(all).await.into_iter();
    let granted = all.filter_map(|lease| lease.expect("no task panics"));
    assert_eq!(granted.count(), 1);
}

pub async fn a_writer_that_is_gone_is_replaced_and_moves_nothing_more(store: Store) {
    let id = paused(&store, 100, HOUR).await;
    let gone = resume(&store, id, 100, NO_TIME).await.expect("goes on");
    let next = resume(&store, id, 100, HOUR).await.expect("goes on");
    assert!(is_lost(&store.jobs.advance(&gone, 200, HOUR, HOUR).await));
    assert!(is_lost(&store.jobs.pause(&gone, 200, HOUR).await));
    assert!(is_lost(&store.jobs.uploaded(&gone, LENGTH, turns(HOUR)).await));
    assert_eq!(offset(&store, id).await, 100);
    store.jobs.pause(&next, 150, HOUR).await.expect("is free");
    assert!(is_lost(&store.jobs.pause(&next, 160, HOUR).await));
    assert_eq!(offset(&store, id).await, 150);
}

pub async fn a_late_writer_that_nobody_replaced_moves_the_offset(store: Store) {
    let id = paused(&store, 0, HOUR).await;
    let late = resume(&store, id, 0, NO_TIME).await.expect("goes on");
    let advanced = store.jobs.advance(&late, 10, HOUR, NO_TIME).await;
    advanced.expect("advances");
    store.jobs.pause(&late, 20, HOUR).await.expect("is free");
    assert_eq!(offset(&store, id).await, 20);
}

pub async fn an_offset_never_goes_back(store: Store) {
    let id = paused(&store, 400, HOUR).await;
    let lease = resume(&store, id, 400, HOUR).await.expect("goes on");
    let earlier = store.jobs.advance(&lease, 300, HOUR, HOUR).await;
    earlier.expect("advances");
    store.jobs.pause(&lease, 0, HOUR).await.expect("is free");
    assert_eq!(offset(&store, id).await, 400);
}

pub async fn whatever_comes_puts_the_expiry_off(store: Store) {
    let id = paused(&store, 0, HOUR).await;
    let lease = resume(&store, id, 0, HOUR).await.expect("goes on");
    let first = expiry(&store, id).await;
    clock_moves(&store).await;
    let second = store.jobs.advance(&lease, 1, HOUR, HOUR).await;
    let second = second.expect("advances");
    assert_eq!(expiry(&store, id).await, second);
    clock_moves(&store).await;
    let third = store.jobs.pause(&lease, 1, HOUR).await.expect("is free");
    assert_eq!(expiry(&store, id).await, third);
    assert!(first < second && second < third);
}

pub async fn an_expired_upload_does_not_go_on(store: Store) {
    let id = paused(&store, 5, NO_TIME).await;
    let found = find(&store, id).await.expect("is kept for the sweep");
    assert!(found.is_expired && !found.has_ended());
    assert_eq!(resume(&store, id, 5, HOUR).await, None);
}

pub async fn a_paused_upload_is_abandoned_when_it_has_expired(store: Store) {
    let kept = paused(&store, 5, HOUR).await;
    let expired = paused(&store, 5, NO_TIME).await;
    assert_eq!(take_abandoned(&store, HOUR).await, None);
    let taken = take_abandoned(&store, NO_TIME).await;
    let taken = taken.expect("is abandoned");
    assert_eq!(taken.job_id, expired);
    assert_eq!(take_abandoned(&store, NO_TIME).await, None);
    store.jobs.discard(&taken).await.expect("is discarded");
    assert_eq!(find(&store, expired).await, None);
    resume(&store, kept, 5, HOUR).await.expect("goes on");
}

pub async fn an_upload_whose_writer_died_is_kept_until_it_expires(store: Store) {
    let id = paused(&store, 5, HOUR).await;
    resume(&store, id, 5, NO_TIME).await.expect("goes on");
    assert_eq!(take_abandoned(&store, NO_TIME).await, None);
    resume(&store, id, 5, HOUR).await.expect("goes on");
}

pub async fn a_living_writer_is_not_abandoned_however_late_it_is(store: Store) {
    let id = paused(&store, 5, HOUR).await;
    let lease = resume(&store, id, 5, HOUR).await.expect("goes on");
    let advanced = store.jobs.advance(&lease, 6, NO_TIME, HOUR).await;
    advanced.expect("advances");
    assert_eq!(take_abandoned(&store, NO_TIME).await, None);
    let advanced = store.jobs.advance(&lease, 7, NO_TIME, NO_TIME).await;
    advanced.expect("advances");
    let taken = take_abandoned(&store, NO_TIME).await;
    assert_eq!(taken.expect("is abandoned").job_id, id);
    assert!(is_lost(&store.jobs.advance(&lease, 8, HOUR, HOUR).await));
}

pub async fn whoever_ends_an_upload_takes_it_from_its_writer(store: Store) {
    let id = paused(&store, 5, HOUR).await;
    let writer = resume(&store, id, 5, HOUR).await.expect("goes on");
    let seized = store.jobs.seize(id, HOUR).await.expect("answers");
    let seized = seized.expect("is seized");
    assert!(is_lost(&store.jobs.advance(&writer, 6, HOUR, HOUR).await));
    assert!(is_lost(&store.jobs.uploaded(&writer, LENGTH, turns(HOUR)).await));
    assert_eq!(resume(&store, id, 5, HOUR).await, None);
    store.jobs.discard(&seized).await.expect("is discarded");
    assert_eq!(find(&store, id).await, None);
    assert_eq!(store.jobs.seize(id, HOUR).await.expect("answers"), None);
}

pub async fn an_upload_has_one_end_when_its_writer_and_its_owner_race(store: Store) {
    for _ in 0..20 {
        let id = paused(&store, 5, HOUR).await;
        let lease = resume(&store, id, 5, HOUR).await.expect("goes on");
        let (writer, owner) = (store.clone(), store.clone());
        let (uploaded, seized) = tokio::join!(
            tokio::spawn(async move { writer.jobs.uploaded(&lease, LENGTH, turns(HOUR)).await }),
            tokio::spawn(async move { owner.jobs.seize(id, HOUR).await }),
        );
        let seized = seized.expect("no task panics").expect("answers");
        let uploaded = uploaded.expect("no task panics");
        assert_eq!(uploaded.is_ok(), seized.is_none());
        assert_eq!(is_lost(&uploaded), seized.is_some());
    }
}

/// An upload in pieces that nobody writes, at this offset.
async fn paused(store: &Store, offset_bytes: u64, keep_for: Duration) -> FileId {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let noted = store.jobs.make_resumable(&lease, LENGTH, None, HOUR).await;
    noted.expect("is noted");
    let paused = store.jobs.pause(&lease, offset_bytes, keep_for).await;
    paused.expect("is free");
    lease.job_id
}

async fn resume(
    store: &Store,
    id: FileId,
    offset_bytes: u64,
    lease_for: Duration,
) -> Option<Lease> {
    let lease = store.jobs.resume(id, offset_bytes, lease_for).await;
    lease.expect("the store answers")
}

async fn find(store: &Store, id: FileId) -> Option<Resumable> {
    let found = store.jobs.resumable(id).await;
    found.expect("the store answers")
}

async fn offset(store: &Store, id: FileId) -> u64 {
    let found = find(store, id).await;
    found.expect("there is such an upload").offset_bytes
}

async fn is_held(store: &Store, id: FileId) -> bool {
    let found = find(store, id).await;
    found.expect("there is such an upload").is_held
}

async fn expiry(store: &Store, id: FileId) -> chrono::DateTime<chrono::Utc> {
    let found = find(store, id).await.expect("there is such an upload");
    found.expires_at.expect("it has not ended")
}

async fn take_abandoned(store: &Store, grace: Duration) -> Option<Lease> {
    let taken = store.jobs.take_abandoned_upload(grace, HOUR).await;
    taken.expect("the store answers")
}
