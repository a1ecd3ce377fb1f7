//! Uploads that are sent again under their key.

use super::*;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

impl Door {
    async fn upload_as(&self, who: &str, key: &str) -> TestReply {
        let request = Request::post("/upload?filename=a.mp4");
        let request = request
            .header("authorization", self.keys.bearer(who))
            .header("idempotency-key", key);
        self.send(request, "video").await
    }

    async fn upload_once(&self, key: &str) -> TestReply {
        self.upload_as("kevin@email.com", key).await
    }

    async fn count(&self) -> usize {
        let jobs = self.get("/jobs").await.json();
        jobs["jobs"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn the_same_key_gives_the_same_job() {
    let door = Door::new().await;
    let first = door.upload_once("a key").await;
    let again = door.upload_once("a key").await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (202, 202));
    assert_eq!(first.json(), again.json());
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(door.events.lock().unwrap().len(), 1);

    assert_ne!(
        door.upload_once("another").await.json()["id"],
        first.json()["id"]
    );
    let eves = door.upload_as("eve@email.com", "a key").await;
    assert_eq!(eves.status, 202);
    assert_ne!(eves.json()["id"], first.json()["id"]);
    assert_eq!(door.count().await, 2);
}

#[tokio::test]
async fn of_two_uploads_with_a_key_at_once_one_becomes_a_job() {
    let door = Door::new().await;
    for round in 0..5 {
        let key = format!("key {round}");
        let (one, other) = tokio::join!(door.upload_once(&key), door.upload_once(&key));
        let mut ids = Vec::new();
        for reply in [one, other] {
            match reply.status.as_u16() {
                202 => ids.push(reply.json()["id"].clone()),
                _ => {
                    assert_eq!(reply.status, 409);
                    assert_eq!(reply.problem_code(), "upload-in-progress");
                    assert!(!reply.header("retry-after").is_empty());
                }
            }
        }
        ids.push(door.upload_once(&key).await.json()["id"].clone());
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(door.count().await, round + 1);
    }
}

#[tokio::test]
async fn an_upload_that_still_comes_in_is_not_taken_twice() {
    let door = Door::new().await;
    let address = serve(door.router.clone()).await;
    let address = address.replace("http://", "").replace('/', "");
    let mut slow = tokio::net::TcpStream::connect(&address).await.unwrap();
    let bearer = door.keys.bearer("kevin@email.com");
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: {address}\r\nauthorization: {bearer}\r\nidempotency-key: a key\r\n\
         content-length: 10\r\nconnection: close\r\n\r\nvideo"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let owner = "kevin@email.com".parse().unwrap();
    let begun = tokio::time::timeout(MINUTE, async {
        while door
            .store
            .jobs
            .begun_with(&owner, "a key")
            .await
            .unwrap()
            .is_none()
        {}
    });
    begun.await.expect("it comes in");
    assert_eq!(
        door.upload_once("a key").await.problem_code(),
        "upload-in-progress"
    );

    slow.write_all(b"video").await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let again = door.upload_once("a key").await;
    assert!(answer.contains(again.json()["id"].as_str().unwrap()));
    assert_eq!(again.json()["size_bytes"], json!(10));
}

#[tokio::test]
async fn an_upload_that_broke_may_be_sent_again_under_its_key() {
    let door = Door::new().await;
    let empty = door
        .request("POST", "/upload")
        .header("idempotency-key", "a key");
    assert_eq!(door.send(empty, ()).await.status, 400);
    assert_eq!(door.upload_once("a key").await.status, 202);
}

#[tokio::test]
async fn a_key_is_a_line_of_plain_text() {
    let door = Door::new().await;
    let longest = "k".repeat(255);
    assert_eq!(door.upload_once(&longest).await.status, 202);
    let longer = "k".repeat(256);
    for wrong in ["", &longer, "a\tb"] {
        let refused = door.upload_once(wrong).await;
        assert_eq!(refused.status, 400, "{wrong:?}");
        assert_eq!(refused.problem_code(), "bad-request");
    }
    assert_eq!(door.count().await, 1);
}
