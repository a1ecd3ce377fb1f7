use super::*;
use decant_events::VideoUploaded;
use futures::stream;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(super) const BOUNDARY: &str = "----b";

pub(super) fn part(name: &str, file_name: &str, content: &str) -> String {
    format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
         content-type: video/mp4\r\n\r\n{content}\r\n"
    )
}

impl Door {
    pub(super) async fn multipart(&self, parts: &[impl AsRef<[u8]>]) -> TestReply {
        let mut body = Vec::new();
        for part in parts {
            body.extend(part.as_ref());
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        let request = self.request("POST", "/upload").header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        );
        self.send(request, body).await
    }

    pub(super) async fn video(&self, job: &Value) -> Vec<u8> {
        let id = job["id"].as_str().unwrap().parse().unwrap();
        let video = self.store.payloads.open(Bucket::Videos, id).await.unwrap();
        video.read_at(0, 1_000_000).await.unwrap().to_vec()
    }

    /// That no job can be seen, no record is left half-made and no file is in the store.
    pub(super) async fn assert_empty(&self) {
        assert_eq!(self.get("/jobs").await.json()["jobs"], json!([]));
        assert_eq!(self.records().await, 0);
        assert_eq!(self.videos(), 0);
    }

    /// How many records there are, hidden ones too.
    pub(super) async fn records(&self) -> usize {
        let mut database = self.database().await;
        let records = sqlx::query("SELECT id FROM jobs").fetch_all(&mut database);
        records.await.unwrap().len()
    }

    /// The records, past the function.
    pub(super) async fn database(&self) -> SqliteConnection {
        let database =
            SqliteConnectOptions::new().filename(self.folder.path().join("store/jobs.db"));
        SqliteConnection::connect_with(&database).await.unwrap()
    }

    pub(super) fn videos(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("store/videos"))
            .unwrap()
            .count()
    }
}

#[tokio::test]
async fn a_part_named_file_becomes_a_queued_job() {
    let door = Door::new().await;
    let reply = door
        .multipart(&[part("file", "Größe 🎬.mp4", "video")])
        .await;
    assert_eq!(reply.status, 202);
    let job = reply.json();
    assert_eq!(
        reply.header("location"),
        format!("/jobs/{}", job["id"].as_str().unwrap())
    );
    assert_eq!(
        (&job["state"], &job["file_name"]),
        (&json!("queued"), &json!("Größe 🎬.mp4"))
    );
    assert_eq!(
        (&job["size_bytes"], &job["mp3_fid"]),
        (&json!(5), &Value::Null)
    );
    assert_eq!(door.video(&job).await, b"video");
    assert_eq!(
        door.get(reply.header("location")).await.json()["id"],
        job["id"]
    );
}

#[tokio::test]
async fn a_body_that_is_the_video_itself_becomes_a_queued_job() {
    let door = Door::new().await;
    let reply = door.upload("a.mp4", b"video").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["file_name"]),
        (202, &json!("a.mp4"))
    );
    assert_eq!(door.video(&reply.json()).await, b"video");
}

#[tokio::test]
async fn an_upload_is_announced_with_its_trace() {
    let door = Door::new().await;
    let job = door.upload("a.mp4", b"video").await.json();
    let events = door.events.lock().unwrap();
    let [(headers, body)] = &events[..] else {
        panic!("one event, got {}", events.len())
    };
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(header("ce-type"), "dev.decant.video.uploaded");
    assert_eq!(header("ce-source"), "/decant/upload");
    assert_eq!(header("ce-subject"), job["id"].as_str().unwrap());
    assert!(headers.contains_key("ce-time"));
    let video: VideoUploaded = serde_json::from_slice(body).unwrap();
    assert_eq!(video.username.as_str(), "kevin@email.com");
    assert_eq!((video.mp3_fid, video.size_bytes), (None, Some(5)));
}

#[tokio::test]
async fn without_a_broker_an_upload_is_taken_all_the_same() {
    let auth = login::auth().await;
    let door = Door::to("http://127.0.0.1:9/", &auth, Arc::default(), &[]).await;
    assert_eq!(door.upload("a.mp4", b"video").await.status, 202);
}

#[tokio::test]
async fn a_broker_that_is_away_for_a_moment_is_told_without_a_sweep() {
    let (heard, mut hears) = tokio::sync::mpsc::channel(2);
    let away = Arc::new(AtomicBool::new(true));
    let broker = Router::new().route(
        "/",
        post(move |event: Bytes| async move {
            heard.send(event).await.unwrap();
            match away.swap(false, Ordering::Relaxed) {
                true => StatusCode::SERVICE_UNAVAILABLE,
                false => StatusCode::ACCEPTED,
            }
        }),
    );
    let auth = login::auth().await;
    let door = Door::to(&serve(broker).await, &auth, Arc::default(), &[]).await;
    assert_eq!(door.upload("a.mp4", b"video").await.status, 202);
    let refused = hears.try_recv().expect("told before the answer");
    let taken = hears.recv().await.expect("told again");
    assert_eq!(refused, taken);
}

#[tokio::test]
async fn an_upload_without_one_whole_video_leaves_nothing() {
    let door = Door::new().await;
    for (what, parts) in [
        ("no part", vec![]),
        ("an empty one", vec![part("file", "a.mp4", "")]),
        (
            "two of them",
            vec![
                part("file", "a.mp4", "video"),
                part("file", "b.mp4", "video"),
            ],
        ),
    ] {
        let reply = door.multipart(&parts).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (400, "bad-request"),
            "{what}"
        );
        assert!(
            reply.json()["detail"].as_str().unwrap().contains("`file`"),
            "{what}"
        );
    }
    let no_body = door.upload("a.mp4", b"").await;
    assert_eq!(
        (no_body.status.as_u16(), no_body.problem_code().as_str()),
        (400, "bad-request")
    );
    let no_boundary = door
        .request("POST", "/upload")
        .header("content-type", "multipart/form-data");
    assert_eq!(
        door.send(no_boundary, "x").await.problem_code(),
        "bad-request"
    );
    door.assert_empty().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let door = Door::new().await;
    let broken = || {
        let start = part("file", "a.mp4", "video").into_bytes();
        let pieces = [
            Ok(start),
            Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        ];
        Body::from_stream(stream::iter(pieces))
    };
    let raw = door.send(door.request("POST", "/upload"), broken()).await;
    assert_eq!(
        (raw.status.as_u16(), raw.problem_code().as_str()),
        (400, "broken-upload")
    );
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = door
        .request("POST", "/upload")
        .header("content-type", content_type);
    assert_eq!(door.send(request, broken()).await.status, 400);
    door.assert_empty().await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_leaves_nothing() {
    let door = Door::new().await;
    let address = serve(door.router.clone())
        .await
        .replace("http://", "")
        .replace('/', "");
    let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\ncontent-length: 1000000\r\n\r\n",
        door.keys.bearer("kevin@email.com")
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&[0; 500_000]).await.unwrap();
    until(|| door.videos() == 1).await;
    drop(connection);
    until(|| door.videos() == 0).await;
    until_async(async || door.records().await == 0).await;
    door.assert_empty().await;
}

#[tokio::test]
async fn a_video_that_is_too_large_leaves_nothing() {
    let door = Door::with(&["--max-upload", "10KB"]).await;
    let too_large = vec![0; 10_001];
    let announced = door.upload("a.mp4", &too_large).await;
    assert_eq!(
        (announced.status.as_u16(), announced.problem_code().as_str()),
        (413, "too-large")
    );
    let unannounced = Body::from_stream(stream::iter([Ok::<_, io::Error>(too_large)]));
    let passed = door
        .send(door.request("POST", "/upload"), unannounced)
        .await;
    assert_eq!(
        (passed.status.as_u16(), passed.problem_code().as_str()),
        (413, "too-large")
    );
    let in_part = door
        .multipart(&[part("file", "a.mp4", &"x".repeat(10_001))])
        .await;
    assert_eq!(in_part.status, 413);
    door.assert_empty().await;
    assert_eq!(door.upload("a.mp4", &[0; 10_000]).await.status, 202);
}

/// What a client is told that reads the answer only when it has sent everything.
async fn told_after_all(door: &Door, headers: &str, body: &[u8]) -> String {
    let address = serve(door.router.clone())
        .await
        .replace("http://", "")
        .replace('/', "");
    let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

#[tokio::test]
async fn a_refused_upload_is_told_why_while_it_still_sends() {
    let door = Door::with(&["--max-upload", "10KB"]).await;
    let large = "x".repeat(20_000_000);
    assert_eq!(
        told_after_all(&door, "", large.as_bytes()).await,
        "HTTP/1.1 401"
    );

    let token = format!("authorization: {}\r\n", door.keys.bearer("kevin@email.com"));
    assert_eq!(
        told_after_all(&door, &token, large.as_bytes()).await,
        "HTTP/1.1 413"
    );

    let door = Door::new().await;
    let token = format!("authorization: {}\r\n", door.keys.bearer("kevin@email.com"));
    let multipart = format!("{token}content-type: multipart/form-data; boundary={BOUNDARY}\r\n");
    let two = format!(
        "{}{}",
        part("file", "a.mp4", "video"),
        part("file", "b.mp4", &large)
    );
    assert_eq!(
        told_after_all(&door, &multipart, two.as_bytes()).await,
        "HTTP/1.1 400"
    );
}

#[tokio::test]
async fn without_a_store_everybody_is_told_to_come_back() {
    let door = Door::new().await;
    let store = door.folder.path().join("store");
    std::fs::rename(&store, door.folder.path().join("away")).unwrap();
    let reply = door.upload("a.mp4", b"video").await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (503, "store-unavailable")
    );
    assert_eq!(reply.header("retry-after"), "5");
    let ready = door.send(Request::get("/health/readiness"), ()).await;
    assert_eq!(ready.status, 503);
}

/// Waits until it is so; the test fails if it isn't within a minute.
pub(super) async fn until(so: impl Fn() -> bool) {
    until_async(async || so()).await;
}

pub(super) async fn until_async(so: impl AsyncFn() -> bool) {
    let watch = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(MINUTE, watch)
        .await
        .expect("it to become so");
}
