//! Every change of a record raises its version, and is found by it.

use super::builders::{
    HOUR, MANY, NO_TIME, at_once, claim, claim_as, claim_mail, converting, failed, granted, job,
    mail_granted, mp3, new_job, problem, queued, queued_with_gap, ready, turns, username,
};
use crate::{Bucket, Due, Job, NewJob, State, Store};
use decant_events::{ConversionOptions, FileId};
use futures::future::join_all;

/// The methods that change no record that people see, or make or delete one.
#[cfg(test)]
const LEAVE_VERSIONS: &[&str] = &[
    "now",
    "begin",
    "begin_once",
    "begun_with",
    "discard",
    "make_resumable",
    "resumable",
    "resume",
    "advance",
    "pause",
    "seize",
    "get",
    "get_by_mp3",
    "cover",
    "waveform",
    "list",
    "list_in",
    "find",
    "changed_since",
    "in_line",
    "line",
    "holds",
    "next_waiting",
    "tombstones",
    "drop_tombstone",
    "usage",
    "unmailed",
    "litter",
    "forget_litter",
    "expired_videos",
    "forget_video",
    "adopt",
    "export",
    "import",
];

pub async fn an_uploaders_changes_raise_the_version(store: Store) {
    let before = store.jobs.now().await.expect("the store answers");
    let lease = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    let options = ConversionOptions::default();
    // Nobody sees them before the upload ends; what is seen then is later than all of them.
    let asked = store.jobs.ask(&lease, &options, None).await;
    asked.expect("is noted");
    let renewed = store.jobs.renew(&lease, NO_TIME, None).await;
    renewed.expect("is renewed");
    let abandoned = store.jobs.take_abandoned_upload(NO_TIME, HOUR).await;
    let lease = abandoned.expect("the store answers").expect("is abandoned");
    let uploaded = store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    let began = u64::try_from(before.timestamp_millis()).expect("after 1970");
    assert!(
        uploaded.version >= began + 4,
        "{} {began}",
        uploaded.version
    );
    assert_eq!(job(&store, lease.job_id).await, uploaded);
}

pub async fn every_change_of_a_job_raises_its_version(store: Store) {
    let id = queued_with_gap(&store, NO_TIME).await;
    let mut last = job(&store, id).await.version;
    let mut has_risen = async |what: &str| {
        let version = job(&store, id).await.version;
        assert!(version > last, "{what}: {last} → {version}");
        last = version;
    };
    let jobs = &store.jobs;

    let announced = jobs.announce_next(Due::ByGap, NO_TIME).await;
    assert!(announced.expect("the store answers").is_some());
    has_risen("announce_next").await;
    jobs.unannounce(id).await.expect("is taken back");
    has_risen("unannounce").await;
    let (lease, _) = granted(claim(&store, id, HOUR).await);
    has_risen("claim").await;
    let renewed = jobs.renew(&lease, HOUR, Some(1.0.into())).await;
    renewed.expect("is renewed");
    has_risen("renew").await;
    jobs.release(&lease, true).await.expect("is released");
    has_risen("release").await;
    let mp3_id = FileId::mint();
    let (lease, _) = granted(claim_as(&store, id, mp3_id, HOUR).await);
    has_risen("claim").await;
    let published = jobs.publish(&lease, mp3(mp3_id), &[]).await;
    published.expect("is published");
    has_risen("publish").await;
    let mail = mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
    has_risen("claim_mail").await;
    jobs.release_mail(&mail).await.expect("is released");
    has_risen("release_mail").await;
    let mail = mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
    has_risen("claim_mail").await;
    jobs.mailed(&mail).await.expect("is mailed");
    has_risen("mailed").await;
    for bucket in [Bucket::Videos, Bucket::Mp3s] {
        let expired = jobs.expire_next(bucket, NO_TIME).await;
        assert_eq!(expired.expect("the store answers"), Some(id));
        has_risen("expire_next").await;
    }
}

pub async fn what_its_owner_does_to_a_job_raises_its_version(store: Store) {
    let ready = ready(&store).await;
    let (jobs, id) = (&store.jobs, ready.id);
    let renamed = jobs.rename(id, Some("Another title")).await;
    let renamed = renamed.expect("the store answers").expect("is renamed");
    assert!(renamed.version > ready.version);
    // Its turn is taken by another job of the same person.
    queued(&store).await;
    let waits = jobs.retry(id, None, at_once(1)).await;
    let waits = waits.expect("the store answers").expect("begins again");
    assert_eq!(waits.state, State::Waiting);
    assert!(waits.version > renamed.version);
    let announced = jobs.announce_waiting(&waits.owner, at_once(2)).await;
    let announced = announced.expect("the store answers").expect("is queued");
    assert_eq!(announced.id, id);
    assert!(announced.version > waits.version);
    let cancelled = jobs.cancel(id).await;
    assert!(cancelled.expect("the store answers").is_some());
    let last = changes(&store, announced.version).await;
    assert_eq!(ids_of(&last), [id]);
    assert_eq!(last[0].state, State::Cancelled);
}

pub async fn every_failure_raises_the_version(store: Store) {
    let (lease, _) = converting(&store, HOUR).await;
    let before = job(&store, lease.job_id).await.version;
    let failed = store.jobs.fail(&lease, &problem()).await.expect("fails");
    assert!(failed.version > before);

    let before = job(&store, queued(&store).await).await;
    let (jobs, id) = (&store.jobs, before.id);
    let dead = jobs.fail_undelivered(id, &problem(), NO_TIME).await;
    let dead = dead.expect("the store answers").expect("fails");
    assert!(dead.version > before.version);
}

pub async fn changes_come_in_order_and_page_by_page(store: Store) {
    assert_eq!(changes(&store, 0).await, []);
    store.jobs.begin(new_job(), HOUR).await.expect("is hidden");
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(queued(&store).await);
    }
    let all = changes(&store, 0).await;
    assert_eq!(ids_of(&all), ids);
    assert!(all.is_sorted_by_key(|job| (job.version, job.id)));

    // The first one changes last.
    let (lease, _) = granted(claim(&store, ids[0], HOUR).await);
    let renewed = store.jobs.renew(&lease, HOUR, Some(50.0.into())).await;
    renewed.expect("is renewed");
    ids.rotate_left(1);
    let all = changes(&store, 0).await;
    assert_eq!(ids_of(&all), ids);
    assert_eq!(ids_of(&changes(&store, all[3].version).await), ids[4..]);
    assert_eq!(changes(&store, all[4].version).await, []);

    let mut paged = Vec::new();
    let (mut version, mut after) = (0, None);
    loop {
        let page = store.jobs.changed_since(None, version, after, 2).await;
        let page = page.expect("the store answers");
        let Some(last) = page.last() else { break };
        (version, after) = (last.version, Some(last.id));
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

pub async fn changes_of_one_moment_are_paged_too(store: Store) {
    queued(&store).await;
    let plain = store.jobs.export(None, 1).await.expect("answers").remove(0);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut same = plain.clone();
        same.job.id = FileId::mint();
        ids.push(same.job.id);
        assert!(store.jobs.import(&same).await.expect("answers"));
    }
    let version = plain.job.version;
    let rest = store
        .jobs
        .changed_since(None, version, Some(ids[0]), MANY)
        .await;
    assert_eq!(ids_of(&rest.expect("answers")), ids[1..]);
}

pub async fn changes_keep_owners_apart_and_tell_of_cancelled_jobs(store: Store) {
    queued(&store).await;
    let anns = NewJob {
        owner: username("ann"),
        ..new_job()
    };
    let id = anns.id;
    store.jobs.adopt(anns, 1, HOUR).await.expect("is adopted");
    let ann = username("ann");
    let hers = store.jobs.changed_since(Some(&ann), 0, None, MANY).await;
    let hers = hers.expect("the store answers");
    assert_eq!(ids_of(&hers), [id]);

    let cancelled = NewJob {
        owner: username("ann"),
        ..new_job()
    };
    let cancelled_id = cancelled.id;
    store
        .jobs
        .adopt(cancelled, 1, HOUR)
        .await
        .expect("is adopted");
    let cancelled = store.jobs.cancel(cancelled_id).await;
    assert!(cancelled.expect("the store answers").is_some());
    let hers = store.jobs.changed_since(Some(&ann), 0, None, MANY).await;
    let states: Vec<_> = hers.expect("answers").iter().map(|job| job.state).collect();
    assert_eq!(states, [State::Queued, State::Cancelled]);
    let listed = store.jobs.list(Some(&ann), None, MANY).await;
    assert_eq!(ids_of(&listed.expect("answers")), [id]);
}

pub async fn a_job_changes_at_many_hands_and_no_version_is_twice(store: Store) {
    let (lease, _) = converting(&store, HOUR).await;
    let before = job(&store, lease.job_id).await.version;
    let changes = (0..20).map(|_| {
        let (store, lease) = (store.clone(), lease.clone());
        tokio::spawn(async move { store.jobs.renew(&lease, HOUR, Some(1.0.into())).await })
    });
    for change in join_all(changes).await {
        change.expect("no task panics").expect("is renewed");
    }
    assert!(job(&store, lease.job_id).await.version >= before + 20);
}

pub async fn an_end_is_dated(store: Store) {
    let before = store.jobs.now().await.expect("the store answers");
    for ended in [ready(&store).await, failed(&store).await] {
        let finished_at = ended.finished_at.expect("it has ended");
        assert!(before <= finished_at && finished_at <= ended.updated_at);
        assert_eq!(job(&store, ended.id).await.finished_at, Some(finished_at));
    }
    let queued = queued(&store).await;
    assert_eq!(job(&store, queued).await.finished_at, None);
}

async fn changes(store: &Store, version: u64) -> Vec<Job> {
    let changed = store.jobs.changed_since(None, version, None, MANY).await;
    changed.expect("the store answers")
}

fn ids_of(jobs: &[Job]) -> Vec<FileId> {
    jobs.iter().map(|job| job.id).collect()
}

#[cfg(test)]
mod tests {
    use super::LEAVE_VERSIONS;

    #[test]
    fn every_method_raises_a_version_above_or_is_listed() {
        let methods = include_str!("../jobs.rs").lines();
        let methods =
            methods.filter_map(|line| line.trim().strip_prefix("async fn ")?.split('(').next());
        let here = include_str!("versions.rs").replace(['\n', ' '], "");
        for method in methods {
            let is_called = here.contains(&format!("jobs.{method}("))
                || method == "claim"
                || method == "claim_mail";
            assert!(
                is_called || LEAVE_VERSIONS.contains(&method),
                "{method} must be seen to raise the version"
            );
        }
    }
}
