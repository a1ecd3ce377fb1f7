use super::builders::{
    HOUR, MANY, NO_TIME, claim, claim_as, clock_moves, converting, failed, granted, ids, is_lost,
    job, litter, mp3, new_job, problem, queued, queued_with_gap, ready,
};
use crate::{Claim, Due, Job, Litter, State, Store};
use decant_events::FileId;
use futures::future::join_all;
use std::{collections::BTreeSet, time::Duration};

pub async fn a_queued_job_is_announced_when_its_gap_is_over(store: Store) {
    queued_with_gap(&store, HOUR).await;
    let due = queued_with_gap(&store, NO_TIME).await;
    let adopted = new_job();
    let adopted_id = adopted.id;
    let done = store.jobs.adopt(adopted, 1, NO_TIME).await;
    done.expect("is adopted");
    let mut announced = BTreeSet::new();
    while let Some(job) = announce(&store, Due::ByGap, HOUR).await {
        assert_eq!(job.state, State::Queued);
        announced.insert(job.id);
    }
    assert_eq!(announced, [due, adopted_id].into());
}

pub async fn the_gap_between_announcements_doubles(store: Store) {
    let id = queued_with_gap(&store, NO_TIME).await;
    let is_due = async |gap| announce(&store, Due::ByGap, gap).await.is_some();
    for _ in 0..20 {
        assert!(is_due(NO_TIME).await);
    }
    // After 21 announcements a millisecond has become half an hour.
    assert!(is_due(Duration::from_millis(1)).await);
    clock_moves(&store).await;
    assert!(!is_due(NO_TIME).await);
    assert_eq!(job(&store, id).await.state, State::Queued);
}

pub async fn a_lease_that_ran_out_is_freed_by_the_announcement(store: Store) {
    let id = queued_with_gap(&store, NO_TIME).await;
    let mp3_id = FileId::mint();
    let (lease, _) = granted(claim_as(&store, id, mp3_id, NO_TIME).await);
    let renewed = store.jobs.renew(&lease, NO_TIME, Some(40.0.into())).await;
    renewed.expect("nobody took it yet");
    let freed = announce(&store, Due::ByGap, HOUR).await.expect("is due");
    assert_eq!((freed.id, freed.state), (id, State::Queued));
    assert_eq!((freed.attempts, freed.progress_percent), (1, 0.0));
    assert_eq!(job(&store, id).await, freed);
    assert_eq!(litter(&store).await, [mp3_id].into());
    assert!(is_lost(&store.jobs.renew(&lease, HOUR, None).await));
    assert!(is_lost(&store.jobs.publish(&lease, mp3(mp3_id), &[]).await));
    assert_eq!(announce(&store, Due::ByGap, HOUR).await, None);
}

pub async fn a_live_lease_is_not_announced_by_its_gap(store: Store) {
    let id = queued_with_gap(&store, NO_TIME).await;
    granted(claim(&store, id, HOUR).await);
    assert_eq!(announce(&store, Due::ByGap, HOUR).await, None);
}

pub async fn lost_queues_announce_live_leases_too_and_leave_them_alone(store: Store) {
    let waiting = queued(&store).await;
    let (live, mp3_id) = converting(&store, HOUR).await;
    let (run_out, lost_mp3) = converting(&store, NO_TIME).await;
    let renewed = store.jobs.renew(&live, HOUR, Some(40.0.into())).await;
    renewed.expect("is renewed");

    let since = Due::AnnouncedBefore(clock_moves(&store).await);
    let later = queued(&store).await;
    let mut announced = BTreeSet::new();
    while let Some(job) = announce(&store, since, HOUR).await {
        assert!(announced.insert(job.id), "announced twice");
    }
    assert_eq!(announced, [waiting, live.job_id, run_out.job_id].into());
    assert_eq!(job(&store, later).await.state, State::Queued);

    assert_eq!(job(&store, run_out.job_id).await.state, State::Queued);
    assert_eq!(litter(&store).await, [lost_mp3].into());
    let untouched = job(&store, live.job_id).await;
    assert_eq!(untouched.state, State::Converting);
    assert_eq!(untouched.progress_percent, 40.0);
    let other = claim(&store, live.job_id, HOUR).await;
    assert!(matches!(other, Claim::Held));
    let published = store.jobs.publish(&live, mp3(mp3_id), &[]).await;
    published.expect("the lease still counts");
}

pub async fn uploads_and_ended_jobs_are_not_announced(store: Store) {
    let uploading = store.jobs.begin(new_job(), NO_TIME).await;
    uploading.expect("begins");
    ready(&store).await;
    failed(&store).await;
    let all = Due::AnnouncedBefore(clock_moves(&store).await);
    assert_eq!(announce(&store, Due::ByGap, HOUR).await, None);
    assert_eq!(announce(&store, all, HOUR).await, None);
}

pub async fn each_due_job_is_announced_once_by_many_sweeps(store: Store) {
    let mut due = Vec::new();
    for _ in 0..12 {
        due.push(queued_with_gap(&store, NO_TIME).await);
    }
    let sweeps = (0..6).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut announced = Vec::new();
            while let Some(job) = announce(&store, Due::ByGap, HOUR).await {
                announced.push(job.id);
            }
            announced
        })
    });
    let sweeps = join_all(sweeps).await.into_iter();
    let mut announced: Vec<_> = sweeps
        .flat_map(|sweep| sweep.expect("no task panics"))
        .collect();
    announced.sort();
    assert_eq!(announced, due);
}

pub async fn an_announcement_that_is_taken_back_is_due_at_once(store: Store) {
    let id = queued_with_gap(&store, NO_TIME).await;
    let millisecond = Duration::from_millis(1);
    for _ in 0..20 {
        let announced = announce(&store, Due::ByGap, millisecond).await;
        assert_eq!(announced.expect("is due").id, id);
        store.jobs.unannounce(id).await.expect("is taken back");
    }
    // None of the twenty is counted: the gap is two milliseconds, not half an hour.
    assert!(announce(&store, Due::ByGap, millisecond).await.is_some());
    clock_moves(&store).await;
    assert!(announce(&store, Due::ByGap, HOUR).await.is_some());
    assert_eq!(announce(&store, Due::ByGap, HOUR).await, None);
}

pub async fn lost_queues_announce_what_was_taken_back(store: Store) {
    let id = queued(&store).await;
    let since = Due::AnnouncedBefore(clock_moves(&store).await);
    for _ in 0..2 {
        let announced = announce(&store, since, HOUR).await;
        assert_eq!(announced.expect("was announced before").id, id);
        store.jobs.unannounce(id).await.expect("is taken back");
    }
    assert!(announce(&store, since, HOUR).await.is_some());
    assert_eq!(announce(&store, since, HOUR).await, None);
}

pub async fn only_an_unfinished_job_has_its_announcement_taken_back(store: Store) {
    let uploading = store.jobs.begin(new_job(), NO_TIME).await;
    let uploading = uploading.expect("begins");
    let ended = [ready(&store).await, failed(&store).await];
    for id in [ended[0].id, ended[1].id, uploading.job_id, FileId::mint()] {
        let left_alone = store.jobs.unannounce(id).await;
        left_alone.expect("the store answers");
    }
    for end in ended {
        assert_eq!(job(&store, end.id).await, end);
    }
    assert_eq!(announce(&store, Due::ByGap, HOUR).await, None);

    let (live, mp3_id) = converting(&store, HOUR).await;
    let unannounced = store.jobs.unannounce(live.job_id).await;
    unannounced.expect("is taken back");
    assert_eq!(announce(&store, Due::ByGap, HOUR).await, None);
    let published = store.jobs.publish(&live, mp3(mp3_id), &[]).await;
    published.expect("the lease still counts");
}

pub async fn the_mp3_of_a_lost_attempt_is_litter_until_it_is_forgotten(store: Store) {
    let (lease, first) = converting(&store, NO_TIME).await;
    let (second, third) = (FileId::mint(), FileId::mint());
    for mp3_id in [second, third] {
        granted(claim_as(&store, lease.job_id, mp3_id, NO_TIME).await);
    }
    let find = async |grace, limit| {
        let litter = store.jobs.litter(grace, limit).await;
        litter.expect("the store answers")
    };
    assert_eq!(ids(find(NO_TIME, MANY).await), [first, second].into());
    assert_eq!(find(NO_TIME, 1).await.len(), 1);
    assert_eq!(find(HOUR, MANY).await, []);
    let litter = Litter {
        job_id: lease.job_id,
        mp3_id: first,
    };
    for _ in 0..2 {
        let forgotten = store.jobs.forget_litter(&litter).await;
        forgotten.expect("is forgotten");
        assert_eq!(ids(find(NO_TIME, MANY).await), [second].into());
    }
}

pub async fn every_end_without_an_mp3_leaves_litter(store: Store) {
    let mut expected = BTreeSet::new();

    let (lease, mp3_id) = converting(&store, HOUR).await;
    store.jobs.fail(&lease, &problem()).await.expect("fails");
    expected.insert(mp3_id);

    let (lease, mp3_id) = converting(&store, HOUR).await;
    let released = store.jobs.release(&lease, true).await;
    released.expect("is released");
    expected.insert(mp3_id);

    let (lease, mp3_id) = converting(&store, NO_TIME).await;
    let (jobs, id) = (&store.jobs, lease.job_id);
    let dead = jobs.fail_undelivered(id, &problem(), NO_TIME).await;
    dead.expect("answers").expect("fails");
    expected.insert(mp3_id);

    ready(&store).await;
    converting(&store, HOUR).await;
    assert_eq!(litter(&store).await, expected);
}

async fn announce(store: &Store, due: Due, gap: Duration) -> Option<Job> {
    let announced = store.jobs.announce_next(due, gap).await;
    announced.expect("the store answers")
}
