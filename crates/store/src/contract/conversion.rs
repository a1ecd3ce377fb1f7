use super::builders::{
    HOUR, MAX_ATTEMPTS, NO_TIME, claim, claim_as, converting, ended, failed, gave_up, granted,
    is_lost, job, litter, mp3, new_job, problem, queued, ready,
};
use crate::{Claim, Mp3, State, Store};
use decant_events::FileId;
use futures::future::join_all;

pub async fn a_queued_job_is_claimed(store: Store) {
    let id = queued(&store).await;
    let (lease, claimed) = granted(claim(&store, id, HOUR).await);
    assert_eq!(lease.job_id, id);
    assert_eq!(claimed.state, State::Converting);
    assert_eq!((claimed.attempts, claimed.progress_percent), (1, 0.0));
    assert_eq!(job(&store, id).await, claimed);
}

pub async fn a_job_without_a_stored_video_cannot_be_claimed(store: Store) {
    let missing = claim(&store, FileId::mint(), HOUR).await;
    assert!(matches!(missing, Claim::Missing));
    let new = new_job();
    let id = new.id;
    store.jobs.begin(new, NO_TIME).await.expect("begins");
    assert!(matches!(claim(&store, id, HOUR).await, Claim::Missing));
}

pub async fn fifty_claims_at_once_grant_one(store: Store) {
    let id = queued(&store).await;
    let claims = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { claim(&store, id, HOUR).await })
    });
    let mut grants = 0;
    for claim in join_all(claims).await {
        match claim.expect("no task panics") {
            Claim::Granted(..) => grants += 1,
            Claim::Held => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(grants, 1);
    assert_eq!(job(&store, id).await.attempts, 1);
}

pub async fn a_live_lease_keeps_others_away(store: Store) {
    let (lease, _) = converting(&store, HOUR).await;
    let second = claim(&store, lease.job_id, HOUR).await;
    assert!(matches!(second, Claim::Held));
    assert_eq!(job(&store, lease.job_id).await.attempts, 1);
}

pub async fn a_lease_that_ran_out_is_taken_over(store: Store) {
    let (first, mp3_id) = converting(&store, NO_TIME).await;
    let renewed = store.jobs.renew(&first, NO_TIME, Some(50.0.into())).await;
    renewed.expect("nobody took it yet");
    let (second, taken) = granted(claim(&store, first.job_id, HOUR).await);
    assert_ne!(first.token, second.token);
    assert_eq!((taken.attempts, taken.progress_percent), (2, 0.0));
    assert_eq!(litter(&store).await, [mp3_id].into());
}

pub async fn a_holder_that_was_taken_over_has_lost_its_lease(store: Store) {
    let (lost, lost_mp3) = converting(&store, NO_TIME).await;
    let mp3_id = FileId::mint();
    let (held, _) = granted(claim_as(&store, lost.job_id, mp3_id, HOUR).await);
    assert!(is_lost(
        &store.jobs.renew(&lost, HOUR, Some(99.0.into())).await
    ));
    assert!(is_lost(
        &store.jobs.publish(&lost, mp3(lost_mp3), &[]).await
    ));
    assert!(is_lost(&store.jobs.fail(&lost, &problem()).await));
    assert!(is_lost(&store.jobs.release(&lost, true).await));
    let untouched = job(&store, held.job_id).await;
    assert_eq!(untouched.state, State::Converting);
    assert_eq!(untouched.progress_percent, 0.0);
    let published = store.jobs.publish(&held, mp3(mp3_id), &[]).await;
    assert_eq!(published.expect("is published").mp3, Some(mp3(mp3_id)));
    assert_eq!(litter(&store).await, [lost_mp3].into());
}

pub async fn a_late_holder_that_nobody_replaced_still_publishes(store: Store) {
    let (lease, mp3_id) = converting(&store, NO_TIME).await;
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    assert_eq!(published.expect("is published").state, State::Ready);
    assert_eq!(litter(&store).await, [].into());
}

pub async fn progress_is_noted_with_the_lease(store: Store) {
    let (lease, _) = converting(&store, NO_TIME).await;
    let percent = async || job(&store, lease.job_id).await.progress_percent;
    let renewed = store.jobs.renew(&lease, HOUR, Some(12.5.into())).await;
    renewed.expect("is renewed");
    assert_eq!(percent().await, 12.5);
    let renewed = store.jobs.renew(&lease, HOUR, None).await;
    renewed.expect("is renewed");
    assert_eq!(percent().await, 12.5);
    let renewed = store.jobs.renew(&lease, HOUR, Some(150.0.into())).await;
    renewed.expect("is renewed");
    assert_eq!(percent().await, 100.0);
    // It was renewed for an hour.
    let other = claim(&store, lease.job_id, HOUR).await;
    assert!(matches!(other, Claim::Held));
}

pub async fn a_published_mp3_is_found(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let by_mp3 = async || store.jobs.get_by_mp3(mp3_id).await.expect("answers");
    assert_eq!(by_mp3().await, None);
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    let published = published.expect("is published");
    assert_eq!(published.state, State::Ready);
    assert_eq!(published.progress_percent, 100.0);
    assert_eq!(published.mp3, Some(mp3(mp3_id)));
    assert_eq!(published.problem, None);
    assert_eq!(by_mp3().await, Some(published));
}

pub async fn only_the_mp3_of_the_claim_is_published(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let other: Mp3 = mp3(FileId::mint());
    assert!(is_lost(&store.jobs.publish(&lease, other, &[]).await));
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    published.expect("is published");
}

pub async fn a_failed_job_tells_its_problem(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let failed = store.jobs.fail(&lease, &problem()).await.expect("fails");
    assert_eq!(failed.state, State::Failed);
    assert_eq!(failed.problem, Some(problem()));
    assert_eq!(failed.mp3, None);
    assert_eq!(litter(&store).await, [mp3_id].into());
}

pub async fn an_ended_job_answers_claims_with_its_end(store: Store) {
    for end in [ready(&store).await, failed(&store).await] {
        assert_eq!(ended(claim(&store, end.id, HOUR).await), end);
        assert_eq!(job(&store, end.id).await, end);
    }
}

pub async fn an_ended_job_cannot_be_changed_under_its_old_lease(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    let published = published.expect("is published");
    assert!(is_lost(&store.jobs.publish(&lease, mp3(mp3_id), &[]).await));
    assert!(is_lost(&store.jobs.fail(&lease, &problem()).await));
    assert!(is_lost(&store.jobs.release(&lease, false).await));
    assert!(is_lost(&store.jobs.renew(&lease, HOUR, None).await));
    assert_eq!(job(&store, lease.job_id).await, published);
}

pub async fn a_released_job_is_queued_again(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let renewed = store.jobs.renew(&lease, HOUR, Some(70.0.into())).await;
    renewed.expect("is renewed");
    let released = store.jobs.release(&lease, false).await;
    released.expect("is released");
    let queued = job(&store, lease.job_id).await;
    assert_eq!(queued.state, State::Queued);
    assert_eq!((queued.attempts, queued.progress_percent), (1, 0.0));
    assert_eq!(litter(&store).await, [mp3_id].into());
    assert!(is_lost(&store.jobs.release(&lease, false).await));
    let (_, taken) = granted(claim(&store, lease.job_id, HOUR).await);
    assert_eq!(taken.attempts, 2);
}

pub async fn a_forgiven_attempt_does_not_count(store: Store) {
    let id = queued(&store).await;
    for _ in 0..2 * MAX_ATTEMPTS {
        let (lease, taken) = granted(claim(&store, id, HOUR).await);
        assert_eq!(taken.attempts, 1);
        let released = store.jobs.release(&lease, true).await;
        released.expect("is released");
        assert_eq!(job(&store, id).await.attempts, 0);
    }
}

pub async fn used_up_attempts_fail_the_job(store: Store) {
    let id = queued(&store).await;
    let mut attempted = Vec::new();
    for _ in 0..MAX_ATTEMPTS {
        let mp3_id = FileId::mint();
        granted(claim_as(&store, id, mp3_id, NO_TIME).await);
        attempted.push(mp3_id);
    }
    let end = ended(claim(&store, id, HOUR).await);
    assert_eq!(end.state, State::Failed);
    assert_eq!(end.attempts, MAX_ATTEMPTS);
    assert_eq!(end.problem, Some(gave_up()));
    assert_eq!(ended(claim(&store, id, HOUR).await), end);
    assert_eq!(litter(&store).await, attempted.into_iter().collect());

    // The same where the last attempt was given back.
    let id = queued(&store).await;
    for _ in 0..MAX_ATTEMPTS {
        let (lease, _) = granted(claim(&store, id, HOUR).await);
        let released = store.jobs.release(&lease, false).await;
        released.expect("is released");
    }
    let end = ended(claim(&store, id, HOUR).await);
    assert_eq!(end.problem, Some(gave_up()));
}

pub async fn a_live_last_attempt_may_end(store: Store) {
    let id = queued(&store).await;
    for _ in 1..MAX_ATTEMPTS {
        granted(claim(&store, id, NO_TIME).await);
    }
    let mp3_id = FileId::mint();
    let (lease, last) = granted(claim_as(&store, id, mp3_id, HOUR).await);
    assert_eq!(last.attempts, MAX_ATTEMPTS);
    assert!(matches!(claim(&store, id, HOUR).await, Claim::Held));
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    published.expect("is published");
}

pub async fn an_ended_job_tells_its_end_as_an_event(store: Store) {
    let ready = ready(&store).await;
    let said = ready.mp3_ready().expect("is ready");
    let mp3 = ready.mp3.clone().expect("is published");
    assert_eq!((said.video_fid, said.mp3_fid), (ready.id, mp3.id));
    assert_eq!(
        (said.username, said.title),
        (ready.owner.clone(), "talk".into())
    );
    assert_eq!(
        (said.duration_ms, said.size_bytes),
        (mp3.duration_ms, mp3.size_bytes)
    );
    assert_eq!(ready.job_failed(), None);

    let failed = failed(&store).await;
    let said = failed.job_failed().expect("has failed");
    assert_eq!((said.video_fid, said.problem), (failed.id, problem()));
    assert_eq!(said.username, failed.owner);
    assert_eq!(failed.mp3_ready(), None);
}
