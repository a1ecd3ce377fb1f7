//! A server that is away, dies or hangs, an index that isn't ours, several stores at once.

use crate::{HOUR, TURNS, fresh_prefix, new_job, open, shared};
use bytes::Bytes;
use decant_events::{FileId, Problem};
use decant_store::{Bucket, CHUNK_BYTES, Claim, Error, MongoUri, Store, StoreUrl};
use decant_test_servers::{MongoServer, free_port};
use futures::future::join_all;
use mongodb::{
    Client, IndexModel,
    bson::{Document, doc},
};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// "A few seconds".
const SOON: Duration = Duration::from_secs(12);

fn assert_away<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_server_that_is_nowhere_is_unavailable_soon() {
    let uri = format!("mongodb://127.0.0.1:{}", free_port());
    let uri: MongoUri = uri.parse().unwrap();
    let began = Instant::now();
    assert_away(Store::open_apart(&uri, "x").await.map(drop));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// The older system's `MONGO_URI`, by a user who may use the three databases and nothing else.
#[tokio::test]
async fn a_user_of_three_databases_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let server = MongoServer::start_locked(folder.path());
    let roles: Vec<Document> = ["videos", "mp3s", "decant"]
        .map(|db| doc! { "role": "readWrite", "db": db })
        .into();
    let admin = Client::with_uri_str(server.uri()).await.unwrap();
    let admin = admin.database("admin");
    let user = doc! { "createUser": "kevin", "pwd": "s3cr3t@/", "roles": roles };
    admin.run_command(user).await.unwrap();

    let (_, place) = server.uri().split_once("://").unwrap();
    let host = place.split('/').next().unwrap();
    let uri = |password| format!("mongodb://kevin:{password}@{host}/videos?authSource=admin");
    let url: StoreUrl = uri("s3cr3t%40%2F").parse().unwrap();
    let store = Store::open(&url).await.unwrap();
    store.payloads.room().await.unwrap();
    store.jobs.begin(new_job(), HOUR).await.unwrap();
    write(&store, FileId::mint(), 1_000_000).await.unwrap();

    let wrong: StoreUrl = uri("s3cr3t-no-more").parse().unwrap();
    let refused = Store::open(&wrong).await.map(drop);
    assert!(!format!("{refused:?}").contains("s3cr3t"), "{refused:?}");
    assert_away(refused);
    assert!(Store::open(&server.uri().parse().unwrap()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_comes_back_with_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = MongoServer::start_ours(folder.path());
    let store = open(&server, "").await.unwrap();
    let job = new_job();
    let lease = store.jobs.begin(job.clone(), HOUR).await.unwrap();
    let stored = FileId::mint();
    write(&store, stored, 3 * CHUNK_BYTES).await.unwrap();
    let mut half = store
        .payloads
        .create(Bucket::Videos, job.id, "x")
        .await
        .unwrap();
    half.write(vec![7; CHUNK_BYTES].into()).await.unwrap();
    let reader = store.payloads.open(Bucket::Videos, stored).await.unwrap();

    server.stop();
    let began = Instant::now();
    assert_away(store.jobs.now().await);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let began = Instant::now();
    let (get, create, delete, read, ended) = tokio::join!(
        store.jobs.get(job.id),
        store.payloads.create(Bucket::Mp3s, FileId::mint(), "x"),
        store.payloads.delete(Bucket::Videos, stored),
        reader.read_at(0, 10),
        half.finish(Bytes::new()),
    );
    assert_away(get);
    assert_away(create.map(drop));
    assert_away(delete);
    assert_away(read);
    assert_away(ended);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());

    server.start_again();
    // The driver looks for it every half second at most while somebody waits.
    store.jobs.uploaded(&lease, 1, TURNS).await.unwrap();
    assert_eq!(reader.read_at(0, 10).await.unwrap().len(), 10);
    let lost = store.payloads.open(Bucket::Videos, job.id).await;
    assert!(matches!(lost.map(drop), Err(Error::NotFound)));
    store.payloads.delete(Bucket::Videos, job.id).await.unwrap();
    write(&store, job.id, 10).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = MongoServer::start_ours(folder.path());
    let store = open(&server, "").await.unwrap();
    let bytes: Bytes = (0..40 * CHUNK_BYTES).map(|at| (at / 1000) as u8).collect();
    for round in 0..2 {
        let payload = FileId::mint();
        write(&store, payload, round * 300_000).await.unwrap();
        let job = new_job();
        assert!(store.jobs.adopt(job.clone(), 1, HOUR).await.unwrap());
        let (id, acknowledged) = (FileId::mint(), watch::Sender::new(0));
        let mut progress = acknowledged.subscribe();
        let writing = tokio::spawn({
            let (store, bytes) = (store.clone(), bytes.clone());
            async move { write_until_it_breaks(&store, id, bytes, acknowledged).await }
        });
        // In the middle of a write: others are on their way.
        let some = progress.wait_for(|offset| *offset > 500_000 * round as u64);
        drop(some.await.unwrap());
        server.kill();
        // Not yet there again: else the driver's second try would succeed, and nothing would break.
        writing.await.unwrap();
        server.start_again();
        let acknowledged = *progress.borrow();
        assert!(acknowledged < bytes.len() as u64);
        eventually(async || store.jobs.get(job.id).await)
            .await
            .expect("is kept");
        let kept = store.payloads.open(Bucket::Videos, payload).await.unwrap();
        assert_eq!(kept.size_bytes(), round as u64 * 300_000);

        // Whatever its writer acknowledged is there to go on from.
        let offset = acknowledged as usize;
        let writer = store.payloads.resume(Bucket::Videos, id, "x", acknowledged);
        let mut writer = writer.await.unwrap();
        writer.write(bytes.slice(offset..)).await.unwrap();
        writer.finish(Bytes::new()).await.unwrap();
        let reader = store.payloads.open(Bucket::Videos, id).await.unwrap();
        let read = reader.read_at(0, usize::MAX).await.unwrap();
        assert!(read == bytes, "resumed at {offset}");
    }
}

/// Writes with checkpoints over and over; notes what they say.
async fn write_until_it_breaks(
    store: &Store,
    id: FileId,
    bytes: Bytes,
    acknowledged: watch::Sender<u64>,
) {
    let writer = store.payloads.create(Bucket::Videos, id, "x").await;
    let mut writer = writer.unwrap();
    for start in (0..bytes.len()).step_by(100_000) {
        let piece = bytes.slice(start..bytes.len().min(start + 100_000));
        if writer.write(piece).await.is_err() {
            return;
        }
        match writer.checkpoint().await {
            Ok(offset) => acknowledged.send_replace(offset),
            Err(_) => return,
        };
    }
}

/// The answer of the first try that gets one: connections that died with the server are noticed one by one.
async fn eventually<T>(ask: impl AsyncFn() -> Result<T, Error>) -> T {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < SOON, "{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_unavailable_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = MongoServer::start_ours(folder.path());
    let store = open(&server, "").await.unwrap();
    server.hold(true);
    let began = Instant::now();
    assert_away(store.jobs.now().await);
    assert!(
        began.elapsed() < Duration::from_secs(45),
        "{:?}",
        began.elapsed()
    );
    server.hold(false);
    eventually(async || store.jobs.now().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_stores_open_a_new_database_at_once_and_share_it() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let stores = join_all((0..8).map(|_| open(&shared.server, &prefix))).await;
    let stores: Vec<Store> = stores.into_iter().collect::<Result<_, _>>().unwrap();
    let mut jobs = Vec::new();
    for store in &stores {
        let job = new_job();
        assert!(store.jobs.adopt(job.clone(), 1, HOUR).await.unwrap());
        jobs.push(job.id);
    }
    let jobs = Arc::new(jobs);
    let claims = stores.into_iter().map(|store| {
        let jobs = Arc::clone(&jobs);
        tokio::spawn(async move {
            let mut granted = Vec::new();
            for id in jobs.iter() {
                let gave_up = Problem::new("gave-up", "");
                let claim = store.jobs.claim(*id, FileId::mint(), HOUR, 5, &gave_up);
                if let Claim::Granted(lease, _) = claim.await.unwrap() {
                    granted.push(lease.job_id);
                }
            }
            granted
        })
    });
    let granted: Vec<FileId> = join_all(claims)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(granted.len(), jobs.len());
    assert_eq!(granted.iter().collect::<HashSet<_>>().len(), jobs.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_of_one_id_one_begins() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let stores = join_all((0..4).map(|_| open(&shared.server, &prefix))).await;
    let id = FileId::mint();
    let begun = stores.iter().map(|store| async move {
        let payloads = &store.as_ref().unwrap().payloads;
        payloads.create(Bucket::Videos, id, "x").await.map(drop)
    });
    let begun = join_all(begun).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 1);
    for refused in begun.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, Error::Exists), "{refused:?}");
    }
}

#[tokio::test]
async fn chunks_that_a_deleted_writer_left_are_replaced() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let store = open(&shared.server, &prefix).await.unwrap();
    let client = Client::with_uri_str(shared.server.uri()).await.unwrap();
    let chunks = client.database(&format!("{prefix}videos"));
    let chunks = chunks.collection::<Document>("fs.chunks");
    let id = FileId::mint();
    let oid = mongodb::bson::oid::ObjectId::from_bytes(id.bytes());
    let mut writer = store
        .payloads
        .create(Bucket::Videos, id, "x")
        .await
        .unwrap();
    // An insert that was under way when its payload was deleted, come too late: within, and beyond the end.
    for n in [1, 2, 9] {
        let late = doc! { "files_id": oid, "n": n, "data": "wrong" };
        chunks.insert_one(late).await.unwrap();
    }
    let bytes = Bytes::from(vec![7; 5 * CHUNK_BYTES]);
    writer.write(bytes.clone()).await.unwrap();
    writer.finish(Bytes::new()).await.unwrap();
    let reader = store.payloads.open(Bucket::Videos, id).await.unwrap();
    assert!(reader.read_at(0, usize::MAX).await.unwrap() == bytes);
    let stored = chunks.count_documents(doc! { "files_id": oid }).await;
    assert_eq!(stored.unwrap(), 5);
}

#[tokio::test]
async fn an_index_that_lets_chunks_be_stored_twice_is_refused() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let client = Client::with_uri_str(shared.server.uri()).await.unwrap();
    let videos = client.database(&format!("{prefix}videos"));
    let keys = doc! { "files_id": 1, "n": 1 };
    let index = IndexModel::builder().keys(keys).build();
    let chunks = videos.collection::<Document>("fs.chunks");
    chunks.create_index(index).await.unwrap();
    match open(&shared.server, &prefix).await {
        Err(Error::Corrupt(said)) => assert!(said.contains("files_id_1_n_1"), "{said}"),
        other => panic!("{:?}", other.map(drop)),
    }
}

#[tokio::test]
async fn what_a_record_should_not_hold_is_reported_as_damage() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let store = open(&shared.server, &prefix).await.unwrap();
    let client = Client::with_uri_str(shared.server.uri()).await.unwrap();
    let jobs = client.database(&format!("{prefix}decant"));
    let jobs = jobs.collection::<Document>("jobs");
    for change in [
        doc! { "state": "dancing" },
        doc! { "owner": "nobody" },
        doc! { "size_bytes": -1 },
        doc! { "mp3": { "id": "short" } },
        doc! { "created_at": "yesterday" },
    ] {
        let job = new_job();
        store.jobs.adopt(job.clone(), 1, HOUR).await.unwrap();
        jobs.update_many(doc! {}, doc! { "$set": &change })
            .await
            .unwrap();
        let damaged = store.jobs.get(job.id).await;
        assert!(
            matches!(damaged, Err(Error::Corrupt(_))),
            "{change}: {damaged:?}"
        );
        jobs.delete_many(doc! {}).await.unwrap();
    }
}

#[tokio::test]
async fn words_that_mean_something_to_the_database_are_words() {
    let (shared, prefix) = (shared(), fresh_prefix());
    let store = open(&shared.server, &prefix).await.unwrap();
    for word in [
        "$owner",
        "$$NOW",
        "$$ROOT",
        "{$gt: 1}",
        "a.b.$c",
        "",
        "\u{1f3b5}",
    ] {
        let mut job = new_job();
        job.file_name = word.into();
        job.traceparent = Some(word.into());
        let id = job.id;
        let lease = store.jobs.begin(job, HOUR).await.unwrap();
        store.jobs.uploaded(&lease, 1, TURNS).await.unwrap();
        let problem = Problem::new(word, word);
        let failed = store
            .jobs
            .fail_undelivered(id, &problem, Duration::ZERO)
            .await;
        let failed = failed.unwrap().expect("fails");
        assert_eq!(failed.problem, Some(problem));
        assert_eq!(failed.file_name, word);
        assert_eq!(failed.traceparent.as_deref(), Some(word));
    }
}

async fn write(store: &Store, id: FileId, size: usize) -> Result<u64, Error> {
    let mut writer = store.payloads.create(Bucket::Videos, id, "x").await?;
    writer.write(vec![7; size].into()).await?;
    writer.finish(Bytes::new()).await
}
