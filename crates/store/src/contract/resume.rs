use super::builders::{content, is_missing, sample, stored};
use crate::{Bucket, CHUNK_BYTES, Error, PayloadWriter, Store};
use bytes::Bytes;
use decant_events::FileId;

const OFFSETS: [usize; 7] = [
    0,
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    3 * CHUNK_BYTES,
    4 * CHUNK_BYTES + 99,
];

pub async fn a_payload_goes_on_where_its_writer_was_dropped(store: Store) {
    let bytes = sample(6 * CHUNK_BYTES + 17);
    for offset in OFFSETS {
        let id = half_written(&store, &bytes, offset, 0).await;
        assert!(is_missing(&store.payloads.open(Bucket::Videos, id).await));
        let writer = resume(&store, id, offset).await.expect("is resumed");
        end(&store, id, writer, bytes.slice(offset..), &bytes).await;
    }
}

pub async fn what_is_beyond_the_offset_is_dropped(store: Store) {
    let bytes = sample(6 * CHUNK_BYTES + 17);
    for offset in OFFSETS {
        for more in [1, CHUNK_BYTES, 5 * CHUNK_BYTES] {
            let id = half_written(&store, &bytes, offset, more).await;
            let writer = resume(&store, id, offset).await.expect("is resumed");
            // Nothing is added: all that ends the payload is the offset.
            let acknowledged = bytes.slice(..offset);
            end(&store, id, writer, Bytes::new(), &acknowledged).await;
        }
    }
}

pub async fn a_payload_is_resumed_earlier_than_its_last_checkpoint(store: Store) {
    let (old, new) = (sample(5 * CHUNK_BYTES), sample(4 * CHUNK_BYTES + 5));
    for offset in [0, 100, CHUNK_BYTES, 2 * CHUNK_BYTES + 1] {
        let id = half_written(&store, &old, old.len(), 0).await;
        let writer = resume(&store, id, offset).await.expect("is resumed");
        let whole = [old.slice(..offset), new.clone()].concat();
        end(&store, id, writer, new.clone(), &whole.into()).await;
    }
}

pub async fn a_payload_is_resumed_many_times(store: Store) {
    let bytes = sample(3 * CHUNK_BYTES + 17);
    let id = half_written(&store, &bytes, 0, 0).await;
    let mut offset = 0;
    while offset < bytes.len() {
        let mut writer = resume(&store, id, offset).await.expect("is resumed");
        let next = bytes.len().min(offset + 100_000);
        let piece = bytes.slice(offset..next);
        writer.write(piece).await.expect("is written");
        let durable = writer.checkpoint().await.expect("is durable");
        assert_eq!(durable, next as u64);
        offset = next;
    }
    let writer = resume(&store, id, offset).await.expect("is resumed");
    end(&store, id, writer, Bytes::new(), &bytes).await;
}

pub async fn checkpoints_change_nothing_for_their_writer(store: Store) {
    let bytes = sample(4 * CHUNK_BYTES + 17);
    for piece_bytes in [100_000, CHUNK_BYTES] {
        let id = FileId::mint();
        let mut writer = begin(&store, id).await;
        for start in (0..bytes.len()).step_by(piece_bytes) {
            let next = bytes.len().min(start + piece_bytes);
            let piece = bytes.slice(start..next);
            writer.write(piece).await.expect("is written");
            for _ in 0..2 {
                let durable = writer.checkpoint().await.expect("is durable");
                assert_eq!(durable, next as u64);
            }
        }
        end(&store, id, writer, Bytes::new(), &bytes).await;
    }
}

pub async fn the_head_of_a_resumed_payload_is_replaced(store: Store) {
    let bytes = sample(3 * CHUNK_BYTES);
    for offset in [0, 5, 1_000, CHUNK_BYTES, 2 * CHUNK_BYTES + 5] {
        for head_bytes in [1, 417, CHUNK_BYTES] {
            let head = Bytes::from(vec![0xff; head_bytes]);
            let id = half_written(&store, &bytes, offset, 0).await;
            let mut writer = resume(&store, id, offset).await.expect("is resumed");
            let rest = bytes.slice(offset..);
            writer.write(rest).await.expect("is written");
            writer.finish(head.clone()).await.expect("is finished");
            let read = content(&store, Bucket::Videos, id).await.expect("is read");
            let expected = [head, bytes.slice(head_bytes..)].concat();
            assert!(read == expected, "{head_bytes} bytes, resumed at {offset}");
        }
    }
}

pub async fn an_offset_beyond_what_is_durable_is_refused(store: Store) {
    let bytes = sample(3 * CHUNK_BYTES);
    let offset = CHUNK_BYTES + 7;
    let id = half_written(&store, &bytes, offset, 0).await;
    for beyond in [offset + 1, 2 * CHUNK_BYTES, 9 * CHUNK_BYTES] {
        let refused = resume(&store, id, beyond).await.map(drop);
        assert!(matches!(refused, Err(Error::Corrupt(_))), "{refused:?}");
    }
    let writer = resume(&store, id, offset).await.expect("is resumed");
    end(&store, id, writer, bytes.slice(offset..), &bytes).await;
}

pub async fn only_a_half_written_payload_is_resumed(store: Store) {
    assert!(is_missing(&resume(&store, FileId::mint(), 0).await));
    let finished = stored(&store, &sample(10), 10).await;
    let refused = resume(&store, finished, 5).await.map(drop);
    assert!(matches!(refused, Err(Error::Exists)), "{refused:?}");
    let read = content(&store, Bucket::Videos, finished).await;
    assert_eq!(read.expect("is read"), sample(10));

    let id = half_written(&store, &sample(10), 10, 0).await;
    let deleted = store.payloads.delete(Bucket::Videos, id).await;
    deleted.expect("is deleted");
    assert!(is_missing(&resume(&store, id, 10).await));
}

pub async fn a_payload_that_two_write_is_finished_by_one(store: Store) {
    let bytes = sample(4 * CHUNK_BYTES + 5);
    let offset = CHUNK_BYTES + 3;
    let id = FileId::mint();
    let mut early = begin(&store, id).await;
    let piece = bytes.slice(..offset);
    early.write(piece).await.expect("is written");
    early.checkpoint().await.expect("is durable");
    let rest = bytes.slice(offset..);
    match resume(&store, id, offset).await {
        Ok(writer) => {
            let stale = async {
                early.write(rest.clone()).await?;
                early.finish(Bytes::new()).await
            };
            assert!(stale.await.is_err());
            end(&store, id, writer, rest, &bytes).await;
        }
        Err(error) => {
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            end(&store, id, early, rest, &bytes).await;
        }
    }
}

pub async fn an_early_writer_changes_nothing_of_its_successors(store: Store) {
    let bytes = sample(4 * CHUNK_BYTES + 5);
    // In the first chunk, in a later one, and between two.
    for offset in [100_000, CHUNK_BYTES + 3, CHUNK_BYTES] {
        for head in [None, Some(Bytes::new()), Some("stale".into())] {
            let id = FileId::mint();
            let mut early = begin(&store, id).await;
            let piece = bytes.slice(..offset);
            early.write(piece).await.expect("is written");
            early.checkpoint().await.expect("is durable");
            let mut late = match resume(&store, id, offset).await {
                Ok(late) => late,
                Err(error) => {
                    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
                    end(&store, id, early, bytes.slice(offset..), &bytes).await;
                    continue;
                }
            };
            let next = 3 * CHUNK_BYTES + 1;
            let piece = bytes.slice(offset..next);
            late.write(piece).await.expect("is written");
            late.checkpoint().await.expect("is durable");
            let stale = async {
                if let Some(head) = head {
                    return early.finish(head).await;
                }
                early.write(Bytes::from_static(b"stale")).await?;
                early.checkpoint().await
            };
            assert!(stale.await.is_err(), "resumed at {offset}");
            end(&store, id, late, bytes.slice(next..), &bytes).await;
        }
    }
}

async fn begin(store: &Store, id: FileId) -> Box<dyn PayloadWriter> {
    let writer = store.payloads.create(Bucket::Videos, id, "talk.mp4").await;
    writer.expect("begins")
}

async fn resume(store: &Store, id: FileId, offset: usize) -> Result<Box<dyn PayloadWriter>, Error> {
    let offset = offset as u64;
    store
        .payloads
        .resume(Bucket::Videos, id, "talk.mp4", offset)
        .await
}

/// A payload whose writer acknowledged the first `offset` of the bytes, wrote `more`, and was dropped.
async fn half_written(store: &Store, bytes: &Bytes, offset: usize, more: usize) -> FileId {
    let id = FileId::mint();
    let mut writer = begin(store, id).await;
    let acknowledged = bytes.slice(..offset);
    writer.write(acknowledged).await.expect("is written");
    let durable = writer.checkpoint().await.expect("is durable");
    assert_eq!(durable, offset as u64);
    let more = sample(more);
    writer.write(more).await.expect("is written");
    id
}

/// Writes the rest, and compares the whole.
async fn end(
    store: &Store,
    id: FileId,
    mut writer: Box<dyn PayloadWriter>,
    rest: Bytes,
    whole: &Bytes,
) {
    writer.write(rest).await.expect("is written");
    let size = writer.finish(Bytes::new()).await.expect("is finished");
    assert_eq!(size, whole.len() as u64);
    let read = content(store, Bucket::Videos, id).await.expect("is read");
    assert!(read == *whole, "{} bytes", whole.len());
}
