use super::{
    apart::everything,
    builders::{
        HOUR, MANY, claim_as, claim_mail, content, converting, failed, granted, is_missing, job,
        mail_granted, mp3, new_job, queued, ready, sample, turns, username,
    },
};
use crate::{
    Bucket, Copied, CopyError, Error, Job, Mp3, Snapshot, State, Store, UnreadableOptions, copy,
    copy_size,
};
use bytes::Bytes;
use decant_events::FileId;
use serde_json::json;

pub async fn a_record_goes_into_another_store_as_it_is(from: Store, to: Store) {
    let unmailed = failed(&from).await.id;
    let mailed = ready(&from).await.id;
    let lease = mail_granted(claim_mail(&from, mailed, HOUR, HOUR).await);
    from.jobs.mailed(&lease).await.expect("is mailed");
    let queued = queued(&from).await;
    let snapshots = export(&from).await;
    for snapshot in &snapshots {
        assert!(imports(&to, snapshot).await);
    }
    assert_eq!(export(&to).await, snapshots);
    for id in [mailed, unmailed] {
        assert_eq!(job(&to, id).await, job(&from, id).await);
    }
    assert_eq!(job(&to, queued).await.state, State::Waiting);
    let without_mail = to.jobs.unmailed(std::time::Duration::ZERO, MANY).await;
    assert_eq!(without_mail.expect("the store answers"), [unmailed]);
    assert_eq!(announce(&to).await, Some(queued));
    assert_eq!(job(&to, queued).await.state, State::Queued);
}

pub async fn a_running_conversion_waits_for_its_turn_in_another_store(from: Store, to: Store) {
    let (lease, mp3_id) = converting(&from, HOUR).await;
    from.jobs
        .renew(&lease, HOUR, Some(50.0))
        .await
        .expect("is noted");
    assert!(imports(&to, &export(&from).await[0]).await);
    let there = job(&to, lease.job_id).await;
    assert_eq!((there.state, there.progress_percent), (State::Waiting, 0.0));
    assert_eq!(announce(&to).await, Some(lease.job_id));
    granted(super::builders::claim(&to, lease.job_id, HOUR).await);
    from.jobs
        .publish(&lease, mp3(mp3_id), &[])
        .await
        .expect("goes on here");
}

pub async fn an_upload_that_has_not_ended_stays(from: Store, _to: Store) {
    from.jobs.begin(new_job(), HOUR).await.expect("begins");
    assert_eq!(export(&from).await, []);
}

pub async fn a_title_goes_along(from: Store, to: Store) {
    let id = ready(&from).await.id;
    let renamed = from.jobs.rename(id, Some("$Talk")).await;
    let renamed = renamed.expect("the store answers").expect("is renamed");
    let (copied, _) = copy(&from, &to, drop).await.expect("is copied");
    assert_eq!(copied.jobs, 1);
    assert_eq!(job(&to, id).await, renamed);
}

pub async fn what_was_cancelled_stays(from: Store, _to: Store) {
    let id = ready(&from).await.id;
    let cancelled = from.jobs.cancel(id).await;
    assert!(cancelled.expect("the store answers").is_some());
    assert_eq!(export(&from).await, []);
}

pub async fn what_was_asked_for_goes_along_with_the_cover_and_the_waveform(from: Store, to: Store) {
    let lease = from.jobs.begin(new_job(), HOUR).await.expect("begins");
    let noted = from.jobs.ask(&lease, &everything(), Some(b"cover")).await;
    noted.expect("is noted");
    let id = from
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends")
        .id;
    let mp3_id = FileId::mint();
    let (lease, _) = granted(claim_as(&from, id, mp3_id, HOUR).await);
    let published = from.jobs.publish(&lease, mp3(mp3_id), b"waveform").await;
    published.expect("is published");
    let snapshots = export(&from).await;
    assert!(imports(&to, &snapshots[0]).await);
    assert_eq!(export(&to).await, snapshots);
    assert_eq!(job(&to, id).await.options, Ok(everything()));
    let cover = to.jobs.cover(id).await.expect("the store answers");
    assert_eq!(cover.as_deref(), Some(&b"cover"[..]));
    let waveform = to.jobs.waveform(mp3_id).await.expect("the store answers");
    assert_eq!(waveform.as_deref(), Some(&b"waveform"[..]));

    let mut other = snapshots[0].clone();
    other.cover = Some(b"another".into());
    assert!(!imports(&to, &other).await);
    assert_eq!(export(&to).await, snapshots);
}

pub async fn options_of_another_version_hide_no_job_and_go_along(from: Store, to: Store) {
    queued(&from).await;
    let plain = export(&from).await.remove(0);
    for written in [
        json!({"quality": "v9", "start": 1.5}),
        json!({"start": {"seconds": 1}}),
        json!([true, null]),
        json!("{broken"),
    ] {
        let mut unreadable = plain.clone();
        unreadable.job.id = FileId::mint();
        unreadable.job.options = Err(UnreadableOptions(written));
        assert!(imports(&from, &unreadable).await);
        let there = job(&from, unreadable.job.id).await;
        assert_eq!(there.options, unreadable.job.options);
        assert!(there.announcement().options.is_default());
        assert_eq!(announce(&from).await, Some(there.id));
        let claim = super::builders::claim(&from, there.id, HOUR).await;
        assert_eq!(granted(claim).1.options, there.options);
    }
    let listed = from.jobs.list(None, None, MANY).await;
    assert_eq!(listed.expect("the store answers").len(), 5);
    let snapshots = export(&from).await;
    for snapshot in &snapshots {
        assert!(imports(&to, snapshot).await);
    }
    assert_eq!(export(&to).await, snapshots);
}

pub async fn a_record_that_is_there_is_left_alone(from: Store, to: Store) {
    let ended = ready(&from).await;
    let mut snapshot = export(&from).await.remove(0);
    assert!(imports(&to, &snapshot).await);
    snapshot.job.file_name = "another.mp4".into();
    assert!(!imports(&to, &snapshot).await);
    assert_eq!(job(&to, ended.id).await, ended);
}

pub async fn records_come_page_by_page(from: Store, _to: Store) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(queued(&from).await);
    }
    ids.sort();
    let mut seen: Vec<FileId> = Vec::new();
    for expected in [2, 2, 1, 0] {
        let page = from.jobs.export(seen.last().copied(), 2).await;
        let page = page.expect("the store answers");
        assert_eq!(page.len(), expected);
        seen.extend(page.iter().map(|snapshot| snapshot.job.id));
    }
    assert_eq!(seen, ids);
}

pub async fn a_copy_is_whole_and_can_be_repeated(from: Store, to: Store) {
    let done = converted(&from, &sample(700_000), &sample(300_000)).await;
    let waiting = queued(&from).await;
    let expected = Copied {
        jobs: 2,
        payloads: 2,
        bytes: 1_000_000,
    };
    // A copy that broke off has left half an MP3.
    let mp3_id = done.mp3.as_ref().expect("it is ready").id;
    let half = to.payloads.create(Bucket::Mp3s, mp3_id, "half").await;
    let mut half = half.expect("begins");
    half.write(sample(100)).await.expect("is written");
    drop(half);
    for _ in 0..2 {
        let mut told = Vec::new();
        let copied = copy(&from, &to, |so_far| told.push(so_far)).await;
        let (copied, left_out) = copied.expect("is copied");
        assert_eq!(copied, expected);
        let [lost] = &left_out[..] else {
            panic!("one video was never stored, not {left_out:?}");
        };
        assert_eq!((lost.job, lost.kind), (waiting, "video"));
        assert!(matches!(lost.why, Error::NotFound), "{lost:?}");
        assert_eq!(told.last(), Some(&expected));
        assert_eq!(job(&to, done.id).await, done);
        assert_eq!(job(&to, waiting).await.state, State::Waiting);
        for (bucket, id) in [(Bucket::Videos, done.id), (Bucket::Mp3s, mp3_id)] {
            let there = content(&to, bucket, id).await.expect("is there");
            assert_eq!(there, content(&from, bucket, id).await.expect("is there"));
        }
        assert!(is_missing(&content(&to, Bucket::Videos, waiting).await));
    }
}

pub async fn a_copy_takes_covers_and_waveforms_along(from: Store, to: Store) {
    let lease = from.jobs.begin(new_job(), HOUR).await.expect("begins");
    let id = lease.job_id;
    let noted = from.jobs.ask(&lease, &everything(), Some(b"cover")).await;
    noted.expect("is noted");
    write(&from, Bucket::Videos, id, &sample(1_000)).await;
    let uploaded = from.jobs.uploaded(&lease, 1_000, turns(HOUR)).await;
    uploaded.expect("ends");
    let published = Mp3 {
        size_bytes: 100,
        ..mp3(FileId::mint())
    };
    let (lease, _) = granted(claim_as(&from, id, published.id, HOUR).await);
    write(&from, Bucket::Mp3s, published.id, &sample(100)).await;
    let done = from.jobs.publish(&lease, published.clone(), b"waveform");
    let done = done.await.expect("is published");

    // They are the record's: only payloads are counted.
    let expected = Copied {
        jobs: 1,
        payloads: 2,
        bytes: 1_100,
    };
    assert_eq!(copy_size(&from).await.expect("is counted"), expected);
    for _ in 0..2 {
        let (copied, left_out) = copy(&from, &to, drop).await.expect("is copied");
        assert_eq!((copied, left_out.len()), (expected, 0));
        assert_eq!(job(&to, id).await, done);
        let cover = to.jobs.cover(id).await.expect("the store answers");
        assert_eq!(cover.as_deref(), Some(&b"cover"[..]));
        let waveform = to.jobs.waveform(published.id).await;
        let waveform = waveform.expect("the store answers");
        assert_eq!(waveform.as_deref(), Some(&b"waveform"[..]));
    }
    assert_eq!(export(&to).await, export(&from).await);
}

pub async fn a_copy_with_another_cover_or_waveform_differs(from: Store, to: Store) {
    let done = converted(&from, &sample(10), &sample(10)).await;
    let plain = export(&from).await.remove(0);
    let mut other = plain.clone();
    other.cover = Some(b"cover".into());
    other.waveform = Some(b"waveform".into());
    assert!(imports(&to, &other).await);
    let differs = copy(&from, &to, drop).await;
    assert!(
        matches!(differs, Err(CopyError::Differs(id, "record")) if id == done.id),
        "{differs:?}"
    );
}

pub async fn a_copy_that_differs_is_found(from: Store, to: Store) {
    let done = converted(&from, &sample(1_000), &sample(10)).await;
    write(&to, Bucket::Videos, done.id, &sample(999)).await;
    let differs = copy(&from, &to, drop).await;
    assert!(
        matches!(differs, Err(CopyError::Differs(id, "video")) if id == done.id),
        "{differs:?}"
    );
    let deleted = to.payloads.delete(Bucket::Videos, done.id).await;
    deleted.expect("is deleted");
    let mut other = sample(1_000).to_vec();
    other[999] ^= 1;
    write(&to, Bucket::Videos, done.id, &other.into()).await;
    let differs = copy(&from, &to, drop).await;
    assert!(
        matches!(differs, Err(CopyError::Differs(id, "video")) if id == done.id),
        "{differs:?}"
    );
    assert!(
        matches!(to.jobs.get(done.id).await, Ok(None)),
        "a record promises its payloads"
    );
}

async fn export(store: &Store) -> Vec<Snapshot> {
    let snapshots = store.jobs.export(None, MANY).await;
    snapshots.expect("the store answers")
}

/// Kevin's next job that is announced.
async fn announce(store: &Store) -> Option<FileId> {
    let kevin = username("kevin");
    let next = store.jobs.announce_waiting(&kevin, turns(HOUR)).await;
    next.expect("the store answers").map(|job| job.id)
}

async fn imports(store: &Store, snapshot: &Snapshot) -> bool {
    let imported = store.jobs.import(snapshot).await;
    imported.expect("the store answers")
}

/// A ready job with its payloads.
async fn converted(store: &Store, video: &Bytes, sound: &Bytes) -> Job {
    let (lease, mp3_id) = converting(store, HOUR).await;
    write(store, Bucket::Videos, lease.job_id, video).await;
    write(store, Bucket::Mp3s, mp3_id, sound).await;
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    published.expect("is published")
}

async fn write(store: &Store, bucket: Bucket, id: FileId, bytes: &Bytes) {
    let written: Result<u64, Error> = async {
        let mut writer = store.payloads.create(bucket, id, "talk.mp4").await?;
        writer.write(bytes.clone()).await?;
        writer.finish(Bytes::new()).await
    }
    .await;
    assert_eq!(written.expect("is stored"), bytes.len() as u64);
}
