use super::builders::{
    HOUR, NO_TIME, clock_moves, converting, failed, is_lost, job, litter, mp3, new_job, problem,
    queued, queued_with_gap, ready, turns,
};
use crate::{Due, Job, State, Store};
use decant_events::FileId;
use std::time::Duration;

pub async fn a_dead_event_fails_what_nobody_holds(store: Store) {
    let waiting = queued(&store).await;
    let (held_before, mp3_id) = converting(&store, NO_TIME).await;
    for id in [waiting, held_before.job_id] {
        let failed = fail_undelivered(&store, id, NO_TIME).await;
        let failed = failed.expect("fails");
        assert_eq!(failed.state, State::Failed);
        assert_eq!(failed.problem, Some(problem()));
        assert_eq!(job(&store, id).await, failed);
    }
    assert_eq!(litter(&store).await, [mp3_id].into());
    let late = store.jobs.publish(&held_before, mp3(mp3_id), &[]).await;
    assert!(is_lost(&late));
}

pub async fn a_dead_event_leaves_what_is_held_or_ended(store: Store) {
    let held = converting(&store, HOUR).await.0.job_id;
    for id in [held, ready(&store).await.id, failed(&store).await.id] {
        let before = job(&store, id).await;
        assert_eq!(fail_undelivered(&store, id, NO_TIME).await, None);
        assert_eq!(job(&store, id).await, before);
    }
    let uploading = new_job();
    let lease = store.jobs.begin(uploading, NO_TIME).await.expect("begins");
    for id in [lease.job_id, FileId::mint()] {
        assert_eq!(fail_undelivered(&store, id, NO_TIME).await, None);
    }
    let ended = store.jobs.uploaded(&lease, 1, turns(HOUR)).await;
    ended.expect("the upload goes on");
}

pub async fn a_dead_event_leaves_what_was_announced_since(store: Store) {
    let id = queued_with_gap(&store, NO_TIME).await;
    let gone = converting(&store, NO_TIME).await.0.job_id;
    for id in [id, gone] {
        let before = job(&store, id).await;
        assert_eq!(fail_undelivered(&store, id, HOUR).await, None);
        assert_eq!(job(&store, id).await, before);
    }

    // A later announcement starts the time again.
    let age = Duration::from_millis(3);
    clock_moves(&store).await;
    let announced = store.jobs.announce_next(Due::ByGap, HOUR).await;
    assert_eq!(announced.expect("answers").expect("is due").id, id);
    assert_eq!(fail_undelivered(&store, id, HOUR).await, None);
    clock_moves(&store).await;
    let failed = fail_undelivered(&store, id, age).await;
    assert_eq!(failed.expect("fails").state, State::Failed);

    // One that was taken back is due again: no age is enough.
    store.jobs.unannounce(gone).await.expect("is taken back");
    assert_eq!(fail_undelivered(&store, gone, NO_TIME).await, None);
}

async fn fail_undelivered(store: &Store, id: FileId, announced_for: Duration) -> Option<Job> {
    let failed = store
        .jobs
        .fail_undelivered(id, &problem(), announced_for)
        .await;
    failed.expect("the store answers")
}
