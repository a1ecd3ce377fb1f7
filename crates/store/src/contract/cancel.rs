use super::{
    apart::everything,
    builders::{
        HOUR, MANY, NO_TIME, at_once, claim, claim_as, claim_mail, converting, failed, granted,
        ids, is_lost, litter, mail_granted, mp3, new_job, problem, queued, ready, turns, uploaded,
        username,
    },
};
use crate::{Claim, Due, Error, Litter, MailClaim, State, Store};
use decant_events::FileId;
use futures::future::join;

pub async fn a_cancelled_job_is_hidden(store: Store) {
    let done = ready(&store).await;
    let mp3_id = done.mp3.expect("it is ready").id;
    cancel(&store, done.id).await.expect("is cancelled");
    let jobs = &store.jobs;
    assert_eq!(jobs.get(done.id).await.expect("answers"), None);
    assert_eq!(jobs.get_by_mp3(mp3_id).await.expect("answers"), None);
    assert_eq!(jobs.list(None, None, MANY).await.expect("answers"), []);
    let kevin = username("kevin");
    let his = jobs.list(Some(&kevin), None, MANY).await;
    assert_eq!(his.expect("answers"), []);
    assert!(cancel(&store, done.id).await.is_none(), "it is gone");
    let again = jobs
        .begin(
            crate::NewJob {
                id: done.id,
                ..new_job()
            },
            HOUR,
        )
        .await;
    assert!(matches!(again, Err(Error::Exists)), "{again:?}");
}

pub async fn a_job_is_cancelled_wherever_it_stands(store: Store) {
    let ann = username("ann");
    let first = uploaded(&store, &ann, at_once(1)).await.id;
    let waiting = uploaded(&store, &ann, at_once(1)).await.id;
    let running = converting(&store, HOUR).await.0.job_id;
    let (ready, failed) = (ready(&store).await.id, failed(&store).await.id);
    for id in [waiting, first, running, ready, failed] {
        cancel(&store, id).await.expect("is cancelled");
        let claimed = claim(&store, id, HOUR).await;
        assert!(matches!(claimed, Claim::Missing), "{claimed:?}");
    }
    let all = Due::AnnouncedBefore(super::builders::clock_moves(&store).await);
    for due in [Due::ByGap, all] {
        let due = store.jobs.announce_next(due, HOUR).await;
        assert_eq!(due.expect("answers"), None);
    }
    assert_eq!(store.jobs.next_waiting(None).await.expect("answers"), None);
}

pub async fn who_converts_a_cancelled_job_has_lost_it(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    assert!(holds(&store, &lease).await);
    cancel(&store, lease.job_id).await.expect("is cancelled");
    assert!(!holds(&store, &lease).await);
    assert!(is_lost(&store.jobs.renew(&lease, HOUR, Some(1.0)).await));
    assert!(is_lost(&store.jobs.publish(&lease, mp3(mp3_id), &[]).await));
    assert!(is_lost(&store.jobs.fail(&lease, &problem()).await));
    assert!(is_lost(&store.jobs.release(&lease, true).await));
    let (jobs, id) = (&store.jobs, lease.job_id);
    let dead = jobs.fail_undelivered(id, &problem(), NO_TIME).await;
    assert_eq!(dead.expect("answers"), None);
}

pub async fn a_lease_is_held_until_somebody_else_has_it(store: Store) {
    let upload = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    assert!(holds(&store, &upload).await);
    let stored = store.jobs.uploaded(&upload, 1, turns(HOUR)).await;
    stored.expect("the upload ends");
    assert!(!holds(&store, &upload).await);
    let (late, _) = granted(claim(&store, upload.job_id, NO_TIME).await);
    assert!(holds(&store, &late).await, "it ran out, and nobody took it");
    let (next, _) = granted(claim(&store, upload.job_id, HOUR).await);
    assert!(!holds(&store, &late).await);
    assert!(holds(&store, &next).await);
}

pub async fn a_cancelled_job_leaves_its_mp3s_as_litter_and_nothing_apart(store: Store) {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let noted = store.jobs.ask(&lease, &everything(), Some(b"cover")).await;
    noted.expect("is noted");
    let stored = store.jobs.uploaded(&lease, 1, turns(HOUR)).await;
    let id = stored.expect("the upload ends").id;
    let (first, second) = (FileId::mint(), FileId::mint());
    let (lease, _) = granted(claim_as(&store, id, first, HOUR).await);
    let published = store.jobs.publish(&lease, mp3(first), b"waveform").await;
    published.expect("is published");
    let again = store.jobs.retry(id, None, turns(HOUR)).await;
    assert!(again.expect("answers").is_some());
    granted(claim_as(&store, id, second, HOUR).await);

    let left = cancel(&store, id).await.expect("is cancelled");
    assert_eq!(ids(left), [first, second].into());
    assert_eq!(litter(&store).await, [first, second].into());
    assert_eq!(store.jobs.cover(id).await.expect("answers"), None);
    assert_eq!(store.jobs.waveform(first).await.expect("answers"), None);
    let never_converted = queued(&store).await;
    let left = cancel(&store, never_converted).await;
    assert_eq!(left.expect("is cancelled"), []);
}

pub async fn a_cancelled_job_has_no_mail(store: Store) {
    let id = ready(&store).await.id;
    let sending = mail_granted(claim_mail(&store, id, HOUR, NO_TIME).await);
    cancel(&store, id).await.expect("is cancelled");
    assert!(is_lost(&store.jobs.mailed(&sending).await));
    let claim = claim_mail(&store, id, HOUR, NO_TIME).await;
    assert!(matches!(claim, MailClaim::NotDue), "{claim:?}");
    let unmailed = store.jobs.unmailed(NO_TIME, MANY).await;
    assert_eq!(unmailed.expect("answers"), []);
}

pub async fn an_upload_and_an_unknown_job_cannot_be_cancelled(store: Store) {
    let upload = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    assert!(cancel(&store, upload.job_id).await.is_none());
    assert!(cancel(&store, FileId::mint()).await.is_none());
    let stored = store.jobs.uploaded(&upload, 1, turns(HOUR)).await;
    stored.expect("it is untouched");
}

pub async fn a_publication_and_a_cancellation_at_once_have_one_outcome(store: Store) {
    for _ in 0..8 {
        let (lease, mp3_id) = converting(&store, HOUR).await;
        let (publisher, canceller, id) = (store.clone(), store.clone(), lease.job_id);
        let published =
            tokio::spawn(async move { publisher.jobs.publish(&lease, mp3(mp3_id), &[]).await });
        let cancelled = tokio::spawn(async move { cancel(&canceller, id).await });
        let (published, cancelled) = join(published, cancelled).await;
        let published = published.expect("no task panics");
        assert!(published.is_ok() || is_lost(&published), "{published:?}");
        let left = cancelled.expect("no task panics").expect("is cancelled");
        assert_eq!(ids(left), [mp3_id].into(), "published or not, it is named");
        assert_eq!(store.jobs.get(id).await.expect("answers"), None);
    }
}

pub async fn a_tombstone_is_found_after_a_grace_and_goes_after_its_litter(store: Store) {
    let (done, other) = (ready(&store).await, queued(&store).await);
    let mp3_id = done.mp3.expect("it is ready").id;
    cancel(&store, done.id).await.expect("is cancelled");
    let tombstones = async |grace| {
        let tombstones = store.jobs.tombstones(grace, MANY).await;
        tombstones.expect("the store answers")
    };
    assert_eq!(tombstones(HOUR).await, []);
    assert_eq!(tombstones(NO_TIME).await, [done.id]);
    let dropped = async |id| {
        let dropped = store.jobs.drop_tombstone(id).await;
        dropped.expect("the store answers")
    };
    assert!(!dropped(done.id).await, "it names an MP3");
    let litter = Litter {
        job_id: done.id,
        mp3_id,
    };
    let forgotten = store.jobs.forget_litter(&litter).await;
    forgotten.expect("is forgotten");
    assert!(dropped(done.id).await);
    assert!(!dropped(done.id).await);
    assert_eq!(tombstones(NO_TIME).await, []);
    assert!(!dropped(other).await, "it is no tombstone");
    let state = super::builders::job(&store, other).await.state;
    assert_eq!(state, State::Queued);
}

async fn cancel(store: &Store, id: FileId) -> Option<Vec<Litter>> {
    let cancelled = store.jobs.cancel(id).await;
    cancelled.expect("the store answers")
}

async fn holds(store: &Store, lease: &crate::Lease) -> bool {
    let holds = store.jobs.holds(lease).await;
    holds.expect("the store answers")
}
