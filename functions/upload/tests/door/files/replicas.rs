//! Other processes on the same store, and those that died.

use super::*;

impl Door {
    /// Another replica of the function, which has seen nothing of what this one has.
    async fn replica(&self) -> TestFunction {
        let url = self.folder.path().join("store").display().to_string();
        let store = Store::open(&url.parse::<StoreUrl>().unwrap())
            .await
            .unwrap();
        TestFunction::new(router(App::new(store, &self.config).unwrap()))
    }

    /// Half-written bytes of an upload in the store.
    pub(super) fn part_bytes(&self, path: &str) -> u64 {
        let part = format!("store/videos/{}.part", id_of(path));
        std::fs::metadata(self.folder.path().join(part)).map_or(0, |part| part.len())
    }
}

#[tokio::test]
async fn an_upload_goes_on_at_another_replica() {
    let door = Door::new().await;
    let metadata = [("filename", "a.mp4"), ("mono", "on")];
    let path = door.begin(10, &metadata).await;
    for (offset, bytes) in [(0, "vi"), (2, "d"), (3, "eo vide"), (10, "")] {
        let replica = door.replica().await;
        let head = door.tus("HEAD", &path).body(().into()).unwrap();
        let head = replica.send(head).await;
        assert_eq!(head.header("upload-offset"), offset.to_string());
        assert_eq!(head.header("upload-metadata"), encoded(&metadata));
        let piece = door.piece(&path, offset).body(bytes.into()).unwrap();
        assert_eq!(replica.send(piece).await.status, 204);
    }
    let job = door.get(&job_of(&path)).await.json();
    assert_eq!(job["options"], json!({"mono": true}));
    assert_eq!(door.video(&job).await, b"video vide");
}

#[tokio::test]
async fn bytes_of_a_process_that_died_before_it_told_the_record_are_written_anew() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    door.patch(&path, 0, b"vid").await;
    let payloads = &door.store.payloads;
    let mut died = payloads
        .resume(Bucket::Videos, id_of(&path), "", 3)
        .await
        .unwrap();
    died.write(Bytes::from_static(b"rubbish")).await.unwrap();
    died.checkpoint().await.unwrap();
    drop(died);
    assert_eq!(door.offset(&path).await, 3);
    assert_eq!(
        door.patch(&path, 3, b"eo").await.header("upload-offset"),
        "5"
    );
    assert_eq!(
        door.patch(&path, 5, b"video").await.header("upload-offset"),
        "10"
    );
    let job = door.get(&job_of(&path)).await.json();
    assert_eq!(door.video(&job).await, b"videovideo");
}

#[tokio::test]
async fn a_video_whose_process_died_before_it_was_a_job_becomes_one() {
    let door = Door::new().await;
    let path = door.begin(10, &[("quality", "v0")]).await;
    door.patch(&path, 0, b"vid").await;
    let payloads = &door.store.payloads;
    let mut died = payloads
        .resume(Bucket::Videos, id_of(&path), "", 3)
        .await
        .unwrap();
    died.write(Bytes::from_static(b"eovideo")).await.unwrap();
    died.finish(Bytes::new()).await.unwrap();
    assert_eq!(door.offset(&path).await, 3);
    assert_eq!(door.get(&job_of(&path)).await.status, 404);
    assert_eq!(
        door.patch(&path, 3, b"eovideo")
            .await
            .header("upload-offset"),
        "10"
    );
    let job = door.get(&job_of(&path)).await.json();
    assert_eq!(
        (&job["state"], &job["size_bytes"]),
        (&json!("queued"), &json!(10))
    );
    assert_eq!(door.video(&job).await, b"videovideo");
    assert_eq!(door.events.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_process_that_died_while_it_wrote_keeps_others_out_for_its_lease_and_no_longer() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    let jobs = &door.store.jobs;
    let dead = jobs.resume(id_of(&path), 0, MINUTE).await.unwrap().unwrap();
    assert_eq!(
        refused(&door.patch(&path, 0, b"video").await),
        (423, "locked".into())
    );
    jobs.advance(&dead, 0, MINUTE, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(door.patch(&path, 0, b"video").await.status, 204);
}
