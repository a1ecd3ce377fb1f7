use super::builders::{
    HOUR, MANY, NO_TIME, clock_moves, is_lost, job, new_job, queued, turns, username,
};
use crate::{Claim, Error, Job, Lease, NewJob, State, Store};
use decant_events::{ConversionOptions, FileId, VideoUploaded};

pub async fn an_upload_is_hidden_until_it_ends(store: Store) {
    let new = new_job();
    let lease = store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    assert_eq!(lease.job_id, new.id);
    assert_eq!(store.jobs.get(new.id).await.expect("answers"), None);
    assert_eq!(list(&store, None, MANY).await, []);
    let ended = store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert_eq!(job(&store, new.id).await, ended);
    assert_eq!(list(&store, None, MANY).await, [new.id]);
}

pub async fn a_stored_video_queues_its_job(store: Store) {
    let new = new_job();
    let before = store.jobs.now().await.expect("answers");
    let lease = store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    let queued = store.jobs.uploaded(&lease, 4_711, turns(HOUR)).await;
    let queued = queued.expect("is queued");
    let after = store.jobs.now().await.expect("answers");
    assert!(before <= queued.created_at && queued.created_at <= queued.updated_at);
    assert!(queued.updated_at <= after);
    let expected = Job {
        id: new.id,
        owner: new.owner,
        state: State::Queued,
        run: 1,
        file_name: new.file_name,
        own_title: None,
        size_bytes: Some(4_711),
        options: Ok(ConversionOptions::default()),
        progress_percent: 0.0,
        attempts: 0,
        mp3: None,
        problem: None,
        traceparent: None,
        created_at: queued.created_at,
        updated_at: queued.updated_at,
    };
    assert_eq!(queued, expected);
    let announcement = VideoUploaded {
        video_fid: queued.id,
        mp3_fid: None,
        username: queued.owner.clone(),
        file_name: Some("talk.mp4".into()),
        size_bytes: Some(4_711),
        options: ConversionOptions::default(),
    };
    assert_eq!(queued.announcement(), announcement);
    assert_eq!((queued.mp3_ready(), queued.job_failed()), (None, None));
}

pub async fn what_people_write_survives(store: Store) {
    let new = NewJob {
        file_name: "Übung 'eins'; DROP TABLE jobs; -- $ne {\"a\": 1}\n\u{1f3b5}.mkv".into(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        ..new_job()
    };
    let lease = store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    let largest = i64::MAX as u64;
    let queued = store.jobs.uploaded(&lease, largest, turns(HOUR)).await;
    let queued = queued.expect("is queued");
    assert_eq!(queued.file_name, new.file_name);
    assert_eq!(queued.traceparent, new.traceparent);
    assert_eq!(queued.size_bytes, Some(largest));
}

pub async fn an_id_is_begun_once(store: Store) {
    let new = new_job();
    let lease = store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    let again = store.jobs.begin(new, HOUR).await;
    assert!(matches!(again, Err(Error::Exists)));
    let ended = store.jobs.uploaded(&lease, 1, turns(HOUR)).await;
    ended.expect("the first lease is untouched");
}

pub async fn the_uploaders_lease_ends_with_the_upload(store: Store) {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert!(is_lost(&store.jobs.uploaded(&lease, 2, turns(HOUR)).await));
    assert!(is_lost(&store.jobs.renew(&lease, HOUR, None).await));
    assert!(is_lost(&store.jobs.discard(&lease).await));
    assert_eq!(job(&store, lease.job_id).await.size_bytes, Some(1));
}

pub async fn only_the_uploader_changes_an_upload(store: Store) {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let strangers = Lease {
        token: "0".repeat(32),
        ..lease.clone()
    };
    assert!(is_lost(
        &store.jobs.uploaded(&strangers, 2, turns(HOUR)).await
    ));
    assert!(is_lost(&store.jobs.renew(&strangers, HOUR, None).await));
    assert!(is_lost(&store.jobs.discard(&strangers).await));
    // An upload's lease is none for a conversion.
    assert!(is_lost(&store.jobs.release(&lease, true).await));
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
}

pub async fn an_uploader_that_is_late_still_ends_its_upload(store: Store) {
    let lease = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    let renewed = store.jobs.renew(&lease, NO_TIME, None).await;
    renewed.expect("nobody took it");
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
}

pub async fn a_broken_upload_is_discarded(store: Store) {
    let new = new_job();
    let lease = store.jobs.begin(new.clone(), NO_TIME).await;
    let lease = lease.expect("begins");
    store.jobs.discard(&lease).await.expect("is discarded");
    assert!(is_lost(&store.jobs.discard(&lease).await));
    assert!(is_lost(&store.jobs.uploaded(&lease, 1, turns(HOUR)).await));
    let abandoned = store.jobs.take_abandoned_upload(NO_TIME, HOUR).await;
    assert_eq!(abandoned.expect("answers"), None);
    store.jobs.begin(new, HOUR).await.expect("the id is free");
}

pub async fn the_list_is_newest_first_and_pages_by_cursor(store: Store) {
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(queued(&store).await);
    }
    ids.reverse();
    assert_eq!(list(&store, None, MANY).await, ids);
    assert_eq!(list(&store, None, 3).await, ids[..3]);
    assert_eq!(list(&store, Some(ids[2]), 3).await, ids[3..6]);
    assert_eq!(list(&store, Some(ids[5]), 3).await, ids[6..]);
    assert_eq!(list(&store, Some(ids[6]), 3).await, []);
}

pub async fn the_list_keeps_owners_apart(store: Store) {
    let mut by_owner = Vec::new();
    for name in ["ann", "bob", "ann"] {
        let new = NewJob {
            owner: username(name),
            ..new_job()
        };
        by_owner.push(new.id);
        let adopted = store.jobs.adopt(new, 1, HOUR).await;
        adopted.expect("is adopted");
    }
    let ann = username("ann");
    let all = store.jobs.list(Some(&ann), None, MANY).await;
    assert_eq!(ids(all.expect("answers")), [by_owner[2], by_owner[0]]);
    let older = store.jobs.list(Some(&ann), Some(by_owner[2]), MANY).await;
    assert_eq!(ids(older.expect("answers")), [by_owner[0]]);
    let nobodys = store.jobs.list(Some(&username("eve")), None, MANY).await;
    assert_eq!(nobodys.expect("answers"), []);
}

pub async fn somebody_elses_video_is_adopted_once(store: Store) {
    let new = new_job();
    let adopt = |size| store.jobs.adopt(new.clone(), size, HOUR);
    assert!(adopt(5).await.expect("is adopted"));
    assert!(!adopt(6).await.expect("answers"));
    let adopted = job(&store, new.id).await;
    assert_eq!(adopted.state, State::Queued);
    assert_eq!(adopted.size_bytes, Some(5));
    let claim = super::builders::claim(&store, new.id, HOUR).await;
    assert!(matches!(claim, Claim::Granted(..)));

    let uploading = new_job();
    let begun = store.jobs.begin(uploading.clone(), HOUR).await;
    begun.expect("begins");
    let adopted = store.jobs.adopt(uploading, 1, HOUR).await;
    assert!(!adopted.expect("answers"));
}

pub async fn a_change_moves_the_time_of_the_last_change(store: Store) {
    let lease = super::builders::converting(&store, HOUR).await.0;
    let before = job(&store, lease.job_id).await;
    clock_moves(&store).await;
    let renewed = store.jobs.renew(&lease, HOUR, Some(10.0)).await;
    renewed.expect("is renewed");
    let after = job(&store, lease.job_id).await;
    assert!(before.updated_at < after.updated_at);
    assert_eq!(before.created_at, after.created_at);
}

async fn list(store: &Store, before: Option<FileId>, limit: u32) -> Vec<FileId> {
    let jobs = store.jobs.list(None, before, limit).await;
    ids(jobs.expect("the store answers"))
}

fn ids(jobs: Vec<Job>) -> Vec<FileId> {
    jobs.into_iter().map(|job| job.id).collect()
}
