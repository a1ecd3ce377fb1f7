//! Payloads whose time is over.

use super::builders::{
    HOUR, MANY, NO_TIME, claim, claim_mail, converting, failed, job, litter, queued, ready,
};
use crate::{Bucket, Claim, MailClaim, State, Store};
use decant_events::FileId;
use std::time::Duration;

pub async fn an_mp3_expires_when_it_was_kept_long_enough(store: Store) {
    let first = ready(&store).await;
    let second = ready(&store).await;
    assert_eq!(expire(&store, Bucket::Mp3s, HOUR).await, None);
    for expected in [Some(&first), Some(&second), None] {
        let expired = expire(&store, Bucket::Mp3s, NO_TIME).await;
        assert_eq!(expired, expected.map(|job| job.id));
    }
    let mp3_id = first.mp3.as_ref().expect("it was ready").id;
    let expired = job(&store, first.id).await;
    assert_eq!((expired.state, &expired.mp3), (State::Expired, &None));
    assert_eq!(expired.expired_mp3, Some(mp3_id));
    assert_eq!(expired.finished_at, first.finished_at);
    let found = store.jobs.get_by_mp3(mp3_id).await;
    assert_eq!(found.expect("the store answers"), Some(expired));
    let waveform = store.jobs.waveform(mp3_id).await;
    assert_eq!(waveform.expect("the store answers"), None);
    let second = second.mp3.expect("it was ready").id;
    assert_eq!(litter(&store).await, [mp3_id, second].into());
}

pub async fn only_what_has_ended_expires(store: Store) {
    queued(&store).await;
    converting(&store, NO_TIME).await;
    let failed = failed(&store).await;
    for bucket in [Bucket::Mp3s, Bucket::Videos] {
        assert_eq!(expire(&store, bucket, HOUR).await, None);
    }
    assert_eq!(expire(&store, Bucket::Mp3s, NO_TIME).await, None);
    let video = expire(&store, Bucket::Videos, NO_TIME).await;
    assert_eq!(video, Some(failed.id));
    assert_eq!(expire(&store, Bucket::Videos, NO_TIME).await, None);
    // Without its video it has failed all the same.
    let after = job(&store, failed.id).await;
    assert_eq!(
        (after.state, after.problem),
        (State::Failed, failed.problem)
    );
}

pub async fn an_expired_video_is_found_until_its_payload_is_deleted(store: Store) {
    let id = ready(&store).await.id;
    assert_eq!(job(&store, id).await.video_expired_at, None);
    assert_eq!(expired_videos(&store, NO_TIME).await, []);
    assert_eq!(expire(&store, Bucket::Videos, NO_TIME).await, Some(id));
    let expired = job(&store, id).await;
    assert_eq!(expired.state, State::Ready);
    assert!(expired.mp3.is_some() && expired.video_expired_at.is_some());
    assert_eq!(expired_videos(&store, HOUR).await, []);
    assert_eq!(expired_videos(&store, NO_TIME).await, [id]);
    for _ in 0..2 {
        store.jobs.forget_video(id).await.expect("is forgotten");
        assert_eq!(expired_videos(&store, NO_TIME).await, []);
    }
    assert_eq!(job(&store, id).await, expired);
    assert_eq!(expire(&store, Bucket::Videos, NO_TIME).await, None);
}

pub async fn the_video_of_an_expired_job_expires_too(store: Store) {
    let id = ready(&store).await.id;
    assert_eq!(expire(&store, Bucket::Mp3s, NO_TIME).await, Some(id));
    assert_eq!(expire(&store, Bucket::Videos, NO_TIME).await, Some(id));
    assert_eq!(job(&store, id).await.state, State::Expired);
}

pub async fn an_expired_job_answers_claims_with_its_end_and_has_no_mail(store: Store) {
    let id = ready(&store).await.id;
    assert_eq!(expire(&store, Bucket::Mp3s, NO_TIME).await, Some(id));
    let claimed = claim(&store, id, HOUR).await;
    assert!(matches!(claimed, Claim::Ended(_)), "{claimed:?}");
    let mail = claim_mail(&store, id, HOUR, HOUR).await;
    assert!(matches!(mail, MailClaim::NotDue), "{mail:?}");
    let unmailed = store.jobs.unmailed(NO_TIME, MANY).await;
    assert_eq!(unmailed.expect("the store answers"), []);
    let expired = job(&store, id).await;
    assert_eq!((expired.mp3_ready(), expired.job_failed()), (None, None));
}

pub async fn a_waveform_goes_with_its_mp3(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let mp3 = super::builders::mp3(mp3_id);
    let published = store.jobs.publish(&lease, mp3, b"waveform").await;
    published.expect("is published");
    assert!(expire(&store, Bucket::Mp3s, NO_TIME).await.is_some());
    let waveform = store.jobs.waveform(mp3_id).await;
    assert_eq!(waveform.expect("the store answers"), None);
    let exported = store.jobs.export(None, 1).await.expect("answers");
    assert_eq!(exported[0].waveform, None);
}

async fn expire(store: &Store, bucket: Bucket, keep: Duration) -> Option<FileId> {
    let expired = store.jobs.expire_next(bucket, keep).await;
    expired.expect("the store answers")
}

async fn expired_videos(store: &Store, grace: Duration) -> Vec<FileId> {
    let expired = store.jobs.expired_videos(grace, MANY).await;
    expired.expect("the store answers")
}
