//! From a folder into MongoDB, and back.

use crate::{HOUR, TURNS, fresh_store, new_job};
use bytes::Bytes;
use decant_events::{FileId, Problem};
use decant_store::{
    Bucket, CHUNK_BYTES, Claim, Copied, Mp3, Snapshot, Store, StoreUrl, copy, copy_size,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_from_a_folder_into_mongodb_and_on_into_another_folder_is_the_same() {
    let home = tempfile::tempdir().unwrap();
    let folder = async |name| {
        let url = StoreUrl::Folder(home.path().join(name));
        Store::open(&url).await.unwrap()
    };
    let (one, other) = (folder("one").await, folder("other").await);
    let (mongodb, _server) = fresh_store().await;
    let video_bytes = [0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 7];
    for bytes in video_bytes {
        convert(&one, bytes).await;
    }
    let expected = Copied {
        jobs: 4,
        payloads: 8,
        bytes: 2 * video_bytes.iter().sum::<usize>() as u64,
    };
    assert_eq!(copy_size(&one).await.unwrap(), expected);

    for (from, to) in [(&one, &mongodb), (&mongodb, &other)] {
        let (copied, left_out) = copy(from, to, drop).await.unwrap();
        assert_eq!(copied, expected);
        assert!(left_out.is_empty(), "{left_out:?}");
    }

    assert_eq!(records(&other).await, records(&one).await);
    for Snapshot { job, .. } in records(&one).await {
        let payloads = [
            (Bucket::Videos, job.id),
            (Bucket::Mp3s, job.mp3.unwrap().id),
        ];
        for (bucket, id) in payloads {
            assert_eq!(read(&other, bucket, id).await, read(&one, bucket, id).await);
        }
    }
}

/// A ready job with a video and an MP3 of this size.
async fn convert(store: &Store, bytes: usize) {
    let lease = store.jobs.begin(new_job(), HOUR).await.unwrap();
    let (id, mp3_id) = (lease.job_id, FileId::mint());
    let size_bytes = write(store, Bucket::Videos, id, bytes).await;
    store
        .jobs
        .uploaded(&lease, size_bytes, TURNS)
        .await
        .unwrap();
    let gave_up = Problem::new("gave-up", "");
    let claim = store.jobs.claim(id, mp3_id, HOUR, 5, &gave_up);
    let Claim::Granted(lease, _) = claim.await.unwrap() else {
        panic!("nobody else wants it");
    };
    let mp3 = Mp3 {
        id: mp3_id,
        size_bytes: write(store, Bucket::Mp3s, mp3_id, bytes).await,
        duration_ms: 1,
    };
    store.jobs.publish(&lease, mp3, b"waveform").await.unwrap();
}

async fn write(store: &Store, bucket: Bucket, id: FileId, bytes: usize) -> u64 {
    let content: Bytes = (0..bytes).map(|at| (at % 251) as u8).collect();
    let mut writer = store.payloads.create(bucket, id, "talk.mp4").await.unwrap();
    writer.write(content).await.unwrap();
    writer.finish(Bytes::new()).await.unwrap()
}

async fn read(store: &Store, bucket: Bucket, id: FileId) -> Bytes {
    let payload = store.payloads.open(bucket, id).await.unwrap();
    payload.read_at(0, 10_000_000).await.unwrap()
}

async fn records(store: &Store) -> Vec<Snapshot> {
    store.jobs.export(None, 1000).await.unwrap()
}
