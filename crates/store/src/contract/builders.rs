use crate::{Bucket, Claim, Error, Job, Lease, Litter, MailClaim, Mp3, NewJob, Store, Turns};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use decant_events::{FileId, Problem, Username};
use std::{collections::BTreeSet, time::Duration};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
/// A lease of this length has run out as it begins, a gap or a grace is over.
pub(super) const NO_TIME: Duration = Duration::ZERO;
pub(super) const MANY: u32 = 1000;
pub(super) const MAX_ATTEMPTS: u32 = 5;

pub(super) fn username(name: &str) -> Username {
    format!("{name}@email.com").parse().expect("a mail address")
}

pub(super) fn new_job() -> NewJob {
    NewJob {
        id: FileId::mint(),
        owner: username("kevin"),
        file_name: "talk.mp4".into(),
        traceparent: None,
    }
}

pub(super) fn gave_up() -> Problem {
    Problem::new("gave-up", "Every attempt broke off.")
}

pub(super) fn problem() -> Problem {
    Problem::new("no-audio", "The video has no sound.")
}

pub(super) fn mp3(id: FileId) -> Mp3 {
    Mp3 {
        id,
        size_bytes: 4_321,
        duration_ms: 60_000,
    }
}

/// More turns than a case has jobs.
pub(super) fn turns(gap: Duration) -> Turns {
    Turns { at_once: MANY, gap }
}

/// So many turns, whose first gap is an hour.
pub(super) fn at_once(at_once: u32) -> Turns {
    Turns { at_once, gap: HOUR }
}

/// A job of this person's, whose video is stored.
pub(super) async fn uploaded(store: &Store, owner: &Username, turns: Turns) -> Job {
    let new = NewJob {
        owner: owner.clone(),
        ..new_job()
    };
    let lease = store.jobs.begin(new, HOUR).await.expect("begins");
    let stored = store.jobs.uploaded(&lease, 1_000, turns).await;
    stored.expect("the upload ends")
}

/// A job whose video is stored and whose first gap is an hour.
pub(super) async fn queued(store: &Store) -> FileId {
    queued_with_gap(store, HOUR).await
}

pub(super) async fn queued_with_gap(store: &Store, gap: Duration) -> FileId {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let job = store.jobs.uploaded(&lease, 1_000, turns(gap)).await;
    job.expect("is queued").id
}

pub(super) async fn claim(store: &Store, id: FileId, lease_for: Duration) -> Claim {
    let mp3_id = FileId::mint();
    claim_as(store, id, mp3_id, lease_for).await
}

pub(super) async fn claim_as(
    store: &Store,
    id: FileId,
    mp3_id: FileId,
    lease_for: Duration,
) -> Claim {
    let gave_up = gave_up();
    let claim = store
        .jobs
        .claim(id, mp3_id, lease_for, MAX_ATTEMPTS, &gave_up);
    claim.await.expect("the store answers")
}

pub(super) fn granted(claim: Claim) -> (Lease, Job) {
    match claim {
        Claim::Granted(lease, job) => (lease, *job),
        other => panic!("expected a grant, got {other:?}"),
    }
}

pub(super) fn ended(claim: Claim) -> Job {
    match claim {
        Claim::Ended(job) => *job,
        other => panic!("expected an end, got {other:?}"),
    }
}

/// A claimed job and the id of the MP3 that its attempt writes.
pub(super) async fn converting(store: &Store, lease_for: Duration) -> (Lease, FileId) {
    let id = queued(store).await;
    let mp3_id = FileId::mint();
    let (lease, _) = granted(claim_as(store, id, mp3_id, lease_for).await);
    (lease, mp3_id)
}

pub(super) async fn ready(store: &Store) -> Job {
    let (lease, mp3_id) = converting(store, HOUR).await;
    let job = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    job.expect("is published")
}

pub(super) async fn failed(store: &Store) -> Job {
    let (lease, _) = converting(store, HOUR).await;
    store.jobs.fail(&lease, &problem()).await.expect("fails")
}

pub(super) async fn job(store: &Store, id: FileId) -> Job {
    let job = store.jobs.get(id).await.expect("the store answers");
    job.expect("there is such a job")
}

pub(super) async fn claim_mail(
    store: &Store,
    id: FileId,
    lease_for: Duration,
    gap: Duration,
) -> MailClaim {
    let claim = store.jobs.claim_mail(id, lease_for, gap).await;
    claim.expect("the store answers")
}

pub(super) fn mail_granted(claim: MailClaim) -> Lease {
    match claim {
        MailClaim::Granted(lease, _) => lease,
        other => panic!("expected a grant, got {other:?}"),
    }
}

pub(super) async fn litter(store: &Store) -> BTreeSet<FileId> {
    let litter = store.jobs.litter(NO_TIME, MANY).await;
    ids(litter.expect("the store answers"))
}

pub(super) fn ids(litter: Vec<Litter>) -> BTreeSet<FileId> {
    litter.into_iter().map(|litter| litter.mp3_id).collect()
}

/// Waits until the database's clock, which can't be injected, has moved by a few milliseconds.
pub(super) async fn clock_moves(store: &Store) -> DateTime<Utc> {
    let start = store.jobs.now().await.expect("the store answers");
    loop {
        let now = store.jobs.now().await.expect("the store answers");
        if (now - start).num_milliseconds() > 3 {
            return now;
        }
    }
}

pub(super) fn is_lost<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::LeaseLost))
}

pub(super) fn is_missing<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound))
}

/// Bytes that tell their place, so that none can stand in for others.
pub(super) fn sample(size: usize) -> Bytes {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..size).map(|_| next()).collect()
}

/// Stores `bytes` under a fresh id, written in pieces.
pub(super) async fn stored(store: &Store, bytes: &Bytes, piece_bytes: usize) -> FileId {
    let id = FileId::mint();
    let writer = store.payloads.create(Bucket::Videos, id, "talk.mp4").await;
    let mut writer = writer.expect("begins");
    for start in (0..bytes.len()).step_by(piece_bytes) {
        let piece = bytes.slice(start..bytes.len().min(start + piece_bytes));
        writer.write(piece).await.expect("is written");
    }
    let size = writer.finish(Bytes::new()).await.expect("is finished");
    assert_eq!(size, bytes.len() as u64);
    id
}

/// The whole payload, by its stream.
pub(super) async fn content(store: &Store, bucket: Bucket, id: FileId) -> Result<Bytes, Error> {
    use futures::TryStreamExt;
    let reader = store.payloads.open(bucket, id).await?;
    let size = reader.size_bytes();
    let pieces: Vec<Bytes> = reader.stream(0..size).try_collect().await?;
    Ok(pieces.concat().into())
}
