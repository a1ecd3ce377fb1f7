use super::builders::{
    HOUR, NO_TIME, claim_as, converting, granted, is_lost, job, mp3, new_job, queued, ready,
    sample, turns,
};
use crate::{Job, Lease, Store};
use decant_events::{ConversionOptions, FileId};

pub async fn what_is_asked_for_is_in_the_record_and_its_announcement(store: Store) {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let noted = store.jobs.ask(&lease, &everything(), None).await;
    noted.expect("is noted");
    let queued = store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert_eq!(queued.options, Ok(everything()));
    assert_eq!(queued.announcement().options, everything());
    assert_eq!(job(&store, queued.id).await, queued);
    let list = store.jobs.list(None, None, 1).await.expect("answers");
    assert_eq!(list, std::slice::from_ref(&queued));
    let claim = claim_as(&store, queued.id, FileId::mint(), HOUR).await;
    assert_eq!(granted(claim).1.options, Ok(everything()));
}

pub async fn where_nothing_is_asked_for_options_are_the_default(store: Store) {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let nothing = ConversionOptions::default();
    let noted = store.jobs.ask(&lease, &nothing, None).await;
    noted.expect("is noted");
    let queued = store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert!(is_default(&queued));
    let new = new_job();
    let adopted = store.jobs.adopt(new.clone(), 1, HOUR).await;
    assert!(adopted.expect("is adopted"));
    assert!(is_default(&job(&store, new.id).await));
    assert_eq!(cover(&store, new.id).await, None);
}

pub async fn only_the_uploader_asks_and_only_before_the_upload_ends(store: Store) {
    let lease = store.jobs.begin(new_job(), NO_TIME).await.expect("begins");
    let ask = async |lease: &Lease| {
        let cover = sample(10);
        store.jobs.ask(lease, &everything(), Some(&cover)).await
    };
    let stranger = Lease {
        token: "0".repeat(32),
        ..lease.clone()
    };
    assert!(is_lost(&ask(&stranger).await));
    let queued = store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert!(is_lost(&ask(&lease).await));
    let claim = claim_as(&store, queued.id, FileId::mint(), HOUR).await;
    assert!(is_lost(&ask(&granted(claim).0).await));
    assert!(is_default(&job(&store, queued.id).await));
    assert_eq!(cover(&store, queued.id).await, None);
}

pub async fn a_cover_is_kept_with_its_job(store: Store) {
    let picture = sample(ConversionOptions::LARGEST_COVER_BYTES);
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let noted = store.jobs.ask(&lease, &everything(), Some(&picture)).await;
    noted.expect("is noted");
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    let other = queued(&store).await;
    let (lease, _) = granted(claim_as(&store, lease.job_id, FileId::mint(), HOUR).await);
    assert_eq!(cover(&store, lease.job_id).await, Some(picture.to_vec()));
    assert_eq!(cover(&store, other).await, None);
    assert_eq!(cover(&store, FileId::mint()).await, None);
}

pub async fn a_discarded_upload_takes_its_cover_along(store: Store) {
    let new = new_job();
    let lease = store.jobs.begin(new.clone(), HOUR).await.expect("begins");
    let noted = store.jobs.ask(&lease, &everything(), Some(b"cover")).await;
    noted.expect("is noted");
    store.jobs.discard(&lease).await.expect("is discarded");
    let lease = store.jobs.begin(new, HOUR).await.expect("the id is free");
    store
        .jobs
        .uploaded(&lease, 1, turns(HOUR))
        .await
        .expect("ends");
    assert_eq!(cover(&store, lease.job_id).await, None);
    assert!(is_default(&job(&store, lease.job_id).await));
}

pub async fn a_published_mp3_has_its_waveform(store: Store) {
    let (lease, mp3_id) = converting(&store, HOUR).await;
    let points: Vec<u8> = (0..=255).collect();
    let published = store.jobs.publish(&lease, mp3(mp3_id), &points).await;
    assert_eq!(published.expect("is published").mp3, Some(mp3(mp3_id)));
    assert_eq!(waveform(&store, mp3_id).await, Some(points));
    let plain = ready(&store).await.mp3.expect("is ready").id;
    assert_eq!(waveform(&store, plain).await, None);
    assert_eq!(waveform(&store, FileId::mint()).await, None);
}

pub async fn the_waveform_of_an_attempt_that_lost_is_nobodys(store: Store) {
    let (late, late_mp3) = converting(&store, NO_TIME).await;
    let mp3_id = FileId::mint();
    let (lease, _) = granted(claim_as(&store, late.job_id, mp3_id, HOUR).await);
    let lost = store.jobs.publish(&late, mp3(late_mp3), b"late").await;
    assert!(is_lost(&lost));
    let published = store.jobs.publish(&lease, mp3(mp3_id), b"first").await;
    published.expect("is published");
    let lost = store.jobs.publish(&late, mp3(late_mp3), b"later").await;
    assert!(is_lost(&lost));
    assert_eq!(waveform(&store, late_mp3).await, None);
    assert_eq!(waveform(&store, mp3_id).await, Some(b"first".into()));
}

/// All options, with what a database might take for words of its own.
pub(super) fn everything() -> ConversionOptions {
    let mut options = ConversionOptions::default();
    for (name, text) in [
        ("quality", "320k"),
        ("mono", "true"),
        ("sample_rate", "22050"),
        ("start", "0.000000001"),
        ("end", "99:59:59.999999999"),
        ("fade", "3"),
        ("loudness", "-23.45"),
        ("track", "2"),
        ("title", "$title"),
        ("artist", "$$NOW"),
        ("album", "'; DROP TABLE jobs; --"),
        ("year", "2026"),
        ("comment", "{\"$literal\": 1}\n\u{1f3b5}"),
    ] {
        options.set(name, text).expect("is right");
    }
    options
}

fn is_default(job: &Job) -> bool {
    job.options == Ok(ConversionOptions::default())
}

async fn cover(store: &Store, id: FileId) -> Option<Vec<u8>> {
    store.jobs.cover(id).await.expect("the store answers")
}

async fn waveform(store: &Store, mp3_id: FileId) -> Option<Vec<u8>> {
    let waveform = store.jobs.waveform(mp3_id).await;
    waveform.expect("the store answers")
}
