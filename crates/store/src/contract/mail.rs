use super::builders::{
    HOUR, MANY, NO_TIME, claim_mail, clock_moves, converting, failed, is_lost, mail_granted,
    queued, ready,
};
use crate::{Lease, MailClaim, Store};
use decant_events::FileId;
use futures::future::join_all;
use std::time::Duration;

pub async fn a_mail_is_due_when_the_job_has_ended(store: Store) {
    let converting = converting(&store, NO_TIME).await.0.job_id;
    for id in [FileId::mint(), queued(&store).await, converting] {
        let claim = claim_mail(&store, id, HOUR, HOUR).await;
        assert!(matches!(claim, MailClaim::NotDue));
    }
    for end in [ready(&store).await, failed(&store).await] {
        match claim_mail(&store, end.id, HOUR, HOUR).await {
            MailClaim::Granted(lease, job) => {
                assert_eq!(lease.job_id, end.id);
                assert_eq!(
                    (job.state, job.mp3, job.problem),
                    (end.state, end.mp3, end.problem)
                );
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

pub async fn fifty_mail_claims_at_once_grant_one(store: Store) {
    let id = ready(&store).await.id;
    let claims = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { claim_mail(&store, id, HOUR, HOUR).await })
    });
    let mut grants = 0;
    for claim in join_all(claims).await {
        match claim.expect("no task panics") {
            MailClaim::Granted(..) => grants += 1,
            MailClaim::Held => {}
            MailClaim::NotDue => panic!("the mail is due"),
        }
    }
    assert_eq!(grants, 1);
}

pub async fn a_run_is_mailed_once(store: Store) {
    let id = ready(&store).await.id;
    let lease = mail_granted(claim_mail(&store, id, HOUR, NO_TIME).await);
    store.jobs.mailed(&lease).await.expect("is mailed");
    let again = claim_mail(&store, id, HOUR, NO_TIME).await;
    assert!(matches!(again, MailClaim::NotDue));
    assert_eq!(unmailed(&store, NO_TIME).await, []);
    assert!(is_lost(&store.jobs.mailed(&lease).await));
    assert!(is_lost(&store.jobs.release_mail(&lease).await));
}

pub async fn a_released_mail_is_claimed_at_once(store: Store) {
    let id = failed(&store).await.id;
    let lease = mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
    let held = claim_mail(&store, id, HOUR, HOUR).await;
    assert!(matches!(held, MailClaim::Held));
    let strangers = Lease {
        token: "0".repeat(32),
        ..lease.clone()
    };
    assert!(is_lost(&store.jobs.release_mail(&strangers).await));
    let released = store.jobs.release_mail(&lease).await;
    released.expect("is released");
    mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
}

pub async fn a_mail_lease_that_ran_out_is_taken_over(store: Store) {
    let id = ready(&store).await.id;
    let lost = mail_granted(claim_mail(&store, id, NO_TIME, HOUR).await);
    let held = mail_granted(claim_mail(&store, id, NO_TIME, HOUR).await);
    assert!(is_lost(&store.jobs.mailed(&lost).await));
    assert!(is_lost(&store.jobs.release_mail(&lost).await));
    // It has run out too, but nobody has taken it.
    store.jobs.mailed(&held).await.expect("is mailed");
}

pub async fn unmailed_jobs_are_found_after_a_grace(store: Store) {
    queued(&store).await;
    converting(&store, HOUR).await;
    let first = ready(&store).await.id;
    clock_moves(&store).await;
    let second = failed(&store).await.id;
    assert_eq!(unmailed(&store, HOUR).await, []);
    assert_eq!(unmailed(&store, NO_TIME).await, [first, second]);
    let one = store.jobs.unmailed(NO_TIME, 1).await;
    assert_eq!(one.expect("answers").len(), 1);

    // A job that was tried just now waits for its gap.
    let lease = mail_granted(claim_mail(&store, first, HOUR, HOUR).await);
    store.jobs.release_mail(&lease).await.expect("is released");
    assert_eq!(unmailed(&store, NO_TIME).await, [second]);
}

pub async fn the_gap_between_tries_doubles(store: Store) {
    let id = ready(&store).await.id;
    let millisecond = Duration::from_millis(1);
    let first = mail_granted(claim_mail(&store, id, HOUR, millisecond).await);
    store.jobs.release_mail(&first).await.expect("is released");
    clock_moves(&store).await;
    assert_eq!(unmailed(&store, NO_TIME).await, [id]);
    for _ in 0..20 {
        mail_granted(claim_mail(&store, id, NO_TIME, NO_TIME).await);
    }
    assert_eq!(unmailed(&store, NO_TIME).await, [id]);
    // After 21 tries a millisecond has become half an hour.
    mail_granted(claim_mail(&store, id, NO_TIME, millisecond).await);
    clock_moves(&store).await;
    assert_eq!(unmailed(&store, NO_TIME).await, []);
}

async fn unmailed(store: &Store, grace: Duration) -> Vec<FileId> {
    let unmailed = store.jobs.unmailed(grace, MANY).await;
    unmailed.expect("the store answers")
}
