use super::*;
use crate::uploads::{until, until_async};
use futures::channel::mpsc;
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

type Sender = mpsc::UnboundedSender<io::Result<&'static [u8]>>;

impl Door {
    /// A piece whose bytes are sent while the test goes on.
    fn open_piece(&self, path: &str, offset: u64) -> (Sender, JoinHandle<TestReply>) {
        let (sender, body) = mpsc::unbounded();
        let request = self.piece(path, offset).body(Body::from_stream(body));
        let (function, request) = (self.function.clone(), request.unwrap());
        let reply = tokio::spawn(async move { function.send(request).await });
        (sender, reply)
    }

    /// Waits until somebody writes the upload.
    async fn until_written(&self, path: &str) {
        let written = "SELECT id FROM jobs WHERE id = ? AND lease_token IS NOT NULL";
        let id = id_of(path).to_string();
        until_async(async || {
            let mut database = self.database().await;
            let found = sqlx::query(written).bind(&id).fetch_all(&mut database);
            !found.await.unwrap().is_empty()
        })
        .await;
    }

    async fn address(&self) -> String {
        let address = serve(self.router.clone()).await;
        address.replace("http://", "").replace('/', "")
    }

    /// Begins a piece of this size over a connection, and sends no more than `bytes` of it.
    async fn half_a_piece(&self, path: &str, size: usize, bytes: &[u8]) -> TcpStream {
        let address = self.address().await;
        let mut connection = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\ntus-resumable: 1.0.0\r\n\
             content-type: {BYTES}\r\nupload-offset: 0\r\ncontent-length: {size}\r\n\r\n",
            self.keys.bearer("kevin@email.com")
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        connection
    }
}

#[tokio::test]
async fn while_somebody_sends_nobody_else_may() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    let (sender, reply) = door.open_piece(&path, 0);
    door.until_written(&path).await;
    let other = door.patch(&path, 0, b"video").await;
    assert_eq!(refused(&other), (423, "locked".into()));
    assert_eq!(other.header("retry-after"), "5");
    let ended = async {
        sender.unbounded_send(Ok(b"video")).unwrap();
        drop(sender);
        reply.await.unwrap()
    };
    let (offset, ended) = tokio::join!(door.offset(&path), ended);
    assert_eq!(offset, 5, "whoever asks is told when it is certain");
    assert_eq!(ended.header("upload-offset"), "5");
    assert_eq!(
        door.patch(&path, 5, b"video").await.header("upload-offset"),
        "10"
    );
}

#[tokio::test]
async fn what_came_before_a_connection_broke_is_kept_and_the_upload_is_free_at_once() {
    let door = Door::new().await;
    let bytes = vec![7; 700_000];
    let path = door.begin(1_000_000, &[]).await;
    let connection = door.half_a_piece(&path, 1_000_000, &bytes).await;
    until(|| door.part_bytes(&path) > 0).await;
    drop(connection);
    // Without waiting for a lease to run out.
    let within = tokio::time::timeout(piece_lease() / 2, async {
        until_async(async || door.offset(&path).await > 0).await;
        let offset = door.offset(&path).await;
        door.patch(&path, offset, &vec![7; 1_000_000 - offset as usize])
            .await
    });
    assert_eq!(within.await.unwrap().header("upload-offset"), "1000000");
    let job = door.get(&job_of(&path)).await.json();
    assert!(door.video(&job).await.iter().all(|byte| *byte == 7));
}

/// How long a writer that died keeps others out.
fn piece_lease() -> Duration {
    Duration::from_secs(10)
}

#[tokio::test]
async fn a_broken_body_keeps_what_came() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    let (sender, reply) = door.open_piece(&path, 0);
    sender.unbounded_send(Ok(b"video")).unwrap();
    let broken = io::Error::from(io::ErrorKind::ConnectionReset);
    sender.unbounded_send(Err(broken)).unwrap();
    assert_eq!(
        refused(&reply.await.unwrap()),
        (400, "broken-upload".into())
    );
    assert_eq!(door.offset(&path).await, 5);
    assert_eq!(
        door.patch(&path, 5, b"video").await.header("upload-offset"),
        "10"
    );
}

#[tokio::test]
async fn a_connection_that_falls_silent_keeps_nobody_from_going_on() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    let mut silent = door.half_a_piece(&path, 10, b"video").await;
    until_async(async || door.patch(&path, 5, b"video").await.status == 204).await;
    assert_eq!(door.get(&job_of(&path)).await.json()["state"], "queued");
    let mut answer = vec![0; 12];
    silent.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 204");
}

#[tokio::test]
async fn whoever_ends_an_upload_ends_it_for_its_writer_too() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    let (sender, reply) = door.open_piece(&path, 0);
    door.until_written(&path).await;
    let deleted = door.send(door.tus("DELETE", &path), ()).await;
    assert_eq!(deleted.status, 204);
    sender.unbounded_send(Ok(b"0123456789")).unwrap();
    drop(sender);
    assert_eq!(refused(&reply.await.unwrap()), (423, "locked".into()));
    assert_eq!(door.head(&path).await.status, 404);
    door.assert_empty().await;
}

#[tokio::test]
async fn a_hundred_pieces_at_one_offset_store_one() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    let all = (0..100).map(|_| door.patch(&path, 0, b"video"));
    let replies = futures::future::join_all(all).await;
    let taken = replies.iter().filter(|reply| reply.status == 204).count();
    assert_eq!(taken, 1);
    for reply in replies.iter().filter(|reply| reply.status != 204) {
        let status = reply.status.as_u16();
        assert!([409, 423, 503].contains(&status), "{status}");
    }
    assert_eq!(door.offset(&path).await, 5);
}

#[tokio::test]
async fn an_upload_that_has_all_its_bytes_is_told_to_be_whole_when_it_is_a_job() {
    let door = Door::new().await;
    // So much that the record is told at once.
    let whole: &'static [u8] = vec![7; 32 * 1024 * 1024].leak();
    let path = door.begin(whole.len(), &[]).await;
    let (sender, reply) = door.open_piece(&path, 0);
    sender.unbounded_send(Ok(whole)).unwrap();
    // Its connection stays open, so that the end comes some seconds later.
    until_async(async || {
        let upload = door.store.jobs.resumable(id_of(&path)).await;
        let upload = upload.unwrap().unwrap();
        let is_whole = upload.offset_bytes == upload.length_bytes;
        assert_eq!(is_whole, upload.has_ended(), "{upload:?}");
        is_whole
    })
    .await;
    drop(sender);
    assert_eq!(reply.await.unwrap().status, 204);
}
