use super::*;
use futures::stream;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::io;

fn checksums(bytes: &[u8]) -> [String; 3] {
    let crc32 = crc32fast::hash(bytes).to_be_bytes();
    [
        format!("sha1 {}", STANDARD.encode(Sha1::digest(bytes))),
        format!("sha256 {}", STANDARD.encode(Sha256::digest(bytes))),
        format!("crc32 {}", STANDARD.encode(crc32)),
    ]
}

#[test]
fn a_checksum_is_written_as_the_protocol_has_it() {
    // The protocol's own example, of «hello world».
    assert_eq!(
        checksums(b"hello world")[0],
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="
    );
}

#[tokio::test]
async fn bytes_with_a_right_checksum_move_the_offset() {
    let door = Door::new().await;
    for at_end in [false, true] {
        for checksum in checksums(b"video") {
            let path = door.begin(if at_end { 5 } else { 6 }, &[]).await;
            let request = door.piece(&path, 0).header("upload-checksum", checksum);
            let reply = door.send(request, "video").await;
            assert_eq!(
                (reply.status.as_u16(), reply.header("upload-offset")),
                (204, "5")
            );
            assert_eq!(door.get(&job_of(&path)).await.status.is_success(), at_end);
        }
    }
}

#[tokio::test]
async fn bytes_with_a_wrong_checksum_count_for_nothing() {
    let door = Door::new().await;
    let path = door.begin(8, &[]).await;
    door.patch(&path, 0, b"a ").await;
    for checksum in checksums(b"movies") {
        for bytes in ["video", "videos"] {
            let request = door.piece(&path, 2).header("upload-checksum", &checksum);
            let reply = door.send(request, bytes).await;
            assert_eq!(refused(&reply), (460, "checksum-mismatch".into()));
            assert_eq!(door.offset(&path).await, 2);
        }
    }
    assert_eq!(door.patch(&path, 2, b"film!!").await.status, 204);
    let job = door.get(&job_of(&path)).await.json();
    assert_eq!(door.video(&job).await, b"a film!!");
}

#[tokio::test]
async fn checked_bytes_that_break_off_count_for_nothing() {
    let door = Door::new().await;
    let path = door.begin(8, &[]).await;
    let [checksum, ..] = checksums(b"video");
    let broken = [
        Ok("vid"),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ];
    let request = door.piece(&path, 0).header("upload-checksum", checksum);
    let reply = door
        .send(request, Body::from_stream(stream::iter(broken)))
        .await;
    assert_eq!(refused(&reply), (400, "broken-upload".into()));
    assert_eq!(door.offset(&path).await, 0);
    assert_eq!(
        door.patch(&path, 0, b"vi").await.header("upload-offset"),
        "2"
    );
}

#[tokio::test]
async fn an_upload_that_begins_with_bytes_of_a_wrong_checksum_does_not_begin() {
    let door = Door::new().await;
    let [sha1, sha256, _] = checksums(b"video");
    let begin = |checksum: &str| {
        let request = door.tus("POST", "/files").header("upload-length", 5);
        let request = request.header("content-type", BYTES);
        request.header("upload-checksum", checksum)
    };
    let reply = door.send(begin(&sha1), "movie").await;
    assert_eq!(refused(&reply), (460, "checksum-mismatch".into()));
    door.assert_empty().await;
    assert_eq!(
        door.send(begin(&sha256), "video")
            .await
            .header("upload-offset"),
        "5"
    );
}

#[tokio::test]
async fn a_checksum_that_cannot_be_read_is_refused() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    for malformed in [
        "md5 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1 rubbish",
        "sha1",
        "",
        "SHA1 YQ==",
    ] {
        let request = door.piece(&path, 0).header("upload-checksum", malformed);
        let reply = door.send(request, "video").await;
        let expected = match malformed {
            "sha1" => (460, "checksum-mismatch".into()),
            _ => (400, "bad-request".into()),
        };
        assert_eq!(refused(&reply), expected, "{malformed}");
    }
    assert_eq!(door.offset(&path).await, 0);
}
