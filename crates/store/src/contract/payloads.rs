use super::builders::{content, is_missing, sample, stored};
use crate::{Bucket, CHUNK_BYTES, Error, Store};
use bytes::Bytes;
use decant_events::FileId;
use futures::{FutureExt, TryStreamExt, future::join_all};
use std::sync::Arc;

const SIZES: [usize; 6] = [
    0,
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    5 * CHUNK_BYTES + 17,
];

pub async fn a_payload_reads_back_as_it_was_written(store: Store) {
    for size in SIZES {
        for piece_bytes in [777, 8_192, CHUNK_BYTES, 6 * CHUNK_BYTES] {
            let bytes = sample(size);
            let id = stored(&store, &bytes, piece_bytes).await;
            let read = content(&store, Bucket::Videos, id).await.expect("is read");
            assert!(read == bytes, "{size} bytes in pieces of {piece_bytes}");
        }
    }
}

pub async fn the_head_replaces_the_first_bytes(store: Store) {
    let cases = [
        (1, 1),
        (1_000, 417),
        (CHUNK_BYTES, CHUNK_BYTES),
        (CHUNK_BYTES + 1, CHUNK_BYTES),
        (6 * CHUNK_BYTES, 417),
    ];
    for (size, head_size) in cases {
        let id = FileId::mint();
        let bytes = sample(size);
        let head = Bytes::from(vec![0xff; head_size]);
        let writer = store.payloads.create(Bucket::Mp3s, id, "talk.mp3").await;
        let mut writer = writer.expect("begins");
        writer.write(bytes.clone()).await.expect("is written");
        let finished = writer.finish(head.clone()).await.expect("is finished");
        assert_eq!(finished, size as u64);
        let read = content(&store, Bucket::Mp3s, id).await.expect("is read");
        assert!(read == [head, bytes.slice(head_size..)].concat(), "{size}");
    }
}

pub async fn a_half_written_payload_cannot_be_opened(store: Store) {
    let id = FileId::mint();
    let writer = store.payloads.create(Bucket::Videos, id, "talk.mp4").await;
    let mut writer = writer.expect("begins");
    assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await));
    let bytes = sample(9 * CHUNK_BYTES);
    writer.write(bytes).await.expect("is written");
    assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await));
    drop(writer);
    assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await));
}

pub async fn a_write_that_was_dropped_leaves_no_hole(store: Store) {
    let id = FileId::mint();
    let writer = store.payloads.create(Bucket::Videos, id, "talk.mp4").await;
    let mut writer = writer.expect("begins");
    let (first, second) = (sample(9 * CHUNK_BYTES), sample(100));
    // Polled once, then dropped: as by a client that goes away.
    let _ = writer.write(first.clone()).now_or_never();
    let ended = match writer.write(second.clone()).await {
        Ok(()) => writer.finish(Bytes::new()).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(_) => {
            let read = content(&store, Bucket::Videos, id).await.expect("is read");
            assert!(read == second || read == [first, second].concat());
        }
        Err(_) => assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await)),
    }
}

pub async fn what_was_never_written_is_not_found(store: Store) {
    for bucket in [Bucket::Videos, Bucket::Mp3s] {
        assert!(is_missing(
            &store.payloads.open(bucket, FileId::mint()).await
        ));
    }
}

pub async fn each_bucket_has_its_own_payloads(store: Store) {
    let id = stored(&store, &sample(10), 10).await;
    assert!(is_missing(&store.payloads.open(Bucket::Mp3s, id).await));
    let deleted = store.payloads.delete(Bucket::Mp3s, id).await;
    deleted.expect("deletes nothing");
    let read = content(&store, Bucket::Videos, id).await;
    assert_eq!(read.expect("is read"), sample(10));
}

pub async fn a_finished_payload_is_never_overwritten(store: Store) {
    let bytes = sample(CHUNK_BYTES + 1);
    let id = stored(&store, &bytes, CHUNK_BYTES).await;
    // The back end may notice early or late, but it notices.
    let again = async {
        let writer = store.payloads.create(Bucket::Videos, id, "other.mp4").await;
        let mut writer = writer?;
        writer.write(Bytes::from_static(b"other")).await?;
        writer.finish(Bytes::new()).await
    };
    assert!(matches!(again.await, Err(Error::Exists)));
    let read = content(&store, Bucket::Videos, id).await.expect("is read");
    assert!(read == bytes);
}

pub async fn deleting_is_idempotent(store: Store) {
    let id = stored(&store, &sample(CHUNK_BYTES + 1), CHUNK_BYTES).await;
    for _ in 0..2 {
        let deleted = store.payloads.delete(Bucket::Videos, id).await;
        deleted.expect("is deleted");
        assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await));
    }
    let deleted = store.payloads.delete(Bucket::Mp3s, FileId::mint()).await;
    deleted.expect("deletes what was never there");
}

pub async fn deleting_a_half_written_payload_stops_its_writer(store: Store) {
    let id = FileId::mint();
    let writer = store.payloads.create(Bucket::Videos, id, "talk.mp4").await;
    let mut writer = writer.expect("begins");
    let bytes = sample(5 * CHUNK_BYTES);
    writer.write(bytes).await.expect("is written");
    let deleted = store.payloads.delete(Bucket::Videos, id).await;
    deleted.expect("is deleted");

    // Somebody else begins the same id meanwhile: the first writer must not finish the second's bytes.
    let second = store.payloads.create(Bucket::Videos, id, "talk.mp4").await;
    let mut second = second.expect("begins again");
    second.write(sample(10)).await.expect("is written");
    assert!(writer.finish(Bytes::new()).await.is_err());
    assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await));
    second.finish(Bytes::new()).await.expect("is finished");
    let read = content(&store, Bucket::Videos, id).await;
    assert_eq!(read.expect("is read"), sample(10));
}

pub async fn reads_end_where_the_payload_ends(store: Store) {
    let size = 3 * CHUNK_BYTES + 100;
    let bytes = sample(size);
    let id = stored(&store, &bytes, 10_000).await;
    let reader = store.payloads.open(Bucket::Videos, id).await;
    let reader = reader.expect("opens");
    assert_eq!(reader.size_bytes(), size as u64);
    let ranges = [
        (0, 0),
        (0, 1),
        (0, size),
        (0, size + 1),
        (1, CHUNK_BYTES),
        (CHUNK_BYTES - 1, 2),
        (CHUNK_BYTES, CHUNK_BYTES),
        (CHUNK_BYTES + 5, 2 * CHUNK_BYTES),
        (size - 3, 10),
        (size, 10),
        (size + 7, 10),
    ];
    for (offset, length) in ranges {
        let read = reader.read_at(offset as u64, length).await.expect("reads");
        let expected = &bytes[offset.min(size)..(offset + length).min(size)];
        assert!(read == expected, "{length} bytes from {offset}");
    }
    let beyond = reader.read_at(u64::MAX, 10).await.expect("reads");
    assert!(beyond.is_empty());
}

pub async fn a_stream_gives_exactly_its_range(store: Store) {
    let size = 3 * CHUNK_BYTES + 100;
    let bytes = sample(size);
    let id = stored(&store, &bytes, size).await;
    let reader = store.payloads.open(Bucket::Videos, id).await;
    let reader = reader.expect("opens");
    for (start, end) in [(0, size), (5, 5), (7, 8), (CHUNK_BYTES - 1, size - 1)] {
        let stream = Arc::clone(&reader).stream(start as u64..end as u64);
        let pieces: Vec<Bytes> = stream.try_collect().await.expect("reads");
        assert!(pieces.iter().all(|piece| piece.len() <= CHUNK_BYTES));
        assert!(pieces.concat() == bytes[start..end], "{start}..{end}");
    }
}

pub async fn a_reader_never_gives_wrong_bytes_of_a_deleted_payload(store: Store) {
    let bytes = sample(4 * CHUNK_BYTES);
    let id = stored(&store, &bytes, CHUNK_BYTES).await;
    let reader = store.payloads.open(Bucket::Videos, id).await;
    let reader = reader.expect("opens");
    reader.read_at(0, 10).await.expect("reads");
    let deleted = store.payloads.delete(Bucket::Videos, id).await;
    deleted.expect("is deleted");
    let offset = 2 * CHUNK_BYTES;
    match reader.read_at(offset as u64, CHUNK_BYTES).await {
        Ok(read) => assert!(read == bytes[offset..offset + CHUNK_BYTES]),
        Err(error) => assert!(matches!(error, Error::NotFound | Error::Corrupt(_))),
    }
}

pub async fn payloads_are_read_and_written_side_by_side(store: Store) {
    let bytes = sample(5 * CHUNK_BYTES + 3);
    let first = stored(&store, &bytes, CHUNK_BYTES).await;
    let tasks = (0..8).map(|n| {
        let (store, bytes) = (store.clone(), bytes.clone());
        tokio::spawn(async move {
            let id = match n % 2 {
                0 => first,
                _ => stored(&store, &bytes, 50_000).await,
            };
            let read = content(&store, Bucket::Videos, id).await.expect("is read");
            assert!(read == bytes);
        })
    });
    for task in join_all(tasks).await {
        task.expect("no task panics");
    }
}
