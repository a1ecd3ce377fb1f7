//! Uploads in pieces, by the tus protocol.

mod at_once;
mod checked;
mod expiry;
mod refused;
mod replicas;

use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use decant_events::VideoUploaded;
use serde_json::json;

const BYTES: &str = "application/offset+octet-stream";

impl Door {
    /// A request of kevin's in the protocol's version.
    fn tus(&self, method: &str, path: &str) -> Builder {
        self.request(method, path).header("tus-resumable", "1.0.0")
    }

    /// Begins an upload and gives its path.
    async fn begin(&self, length: usize, metadata: &[(&str, &str)]) -> String {
        let request = self.tus("POST", "/files").header("upload-length", length);
        let request = request.header("upload-metadata", encoded(metadata));
        let reply = self.send(request, ()).await;
        assert_eq!(reply.status, 201);
        reply.header("location").to_owned()
    }

    /// A request with bytes of an upload.
    fn piece(&self, path: &str, offset: u64) -> Builder {
        let request = self.tus("PATCH", path).header("content-type", BYTES);
        request.header("upload-offset", offset)
    }

    async fn patch(&self, path: &str, offset: u64, bytes: &[u8]) -> TestReply {
        self.send(self.piece(path, offset), bytes.to_vec()).await
    }

    async fn head(&self, path: &str) -> TestReply {
        self.send(self.tus("HEAD", path), ()).await
    }

    async fn offset(&self, path: &str) -> u64 {
        let reply = self.head(path).await;
        assert_eq!(reply.status, 200);
        reply.header("upload-offset").parse().unwrap()
    }
}

fn encoded(metadata: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = metadata
        .iter()
        .map(|(key, value)| format!("{key} {}", STANDARD.encode(value)))
        .collect();
    pairs.join(",")
}

/// The job that an upload becomes.
fn job_of(path: &str) -> String {
    path.replace("/files/", "/jobs/")
}

fn id_of(path: &str) -> FileId {
    path.trim_start_matches("/files/").parse().unwrap()
}

/// Status and code of a refusal, which names the protocol's version. The answer to a HEAD has no code.
fn refused(reply: &TestReply) -> (u16, String) {
    assert_eq!(reply.header("tus-resumable"), "1.0.0");
    let code = match reply.body.is_empty() {
        true => String::new(),
        false => reply.problem_code(),
    };
    (reply.status.as_u16(), code)
}

#[tokio::test]
async fn what_is_understood_is_told_to_everybody() {
    let door = Door::with(&["--max-upload", "1MB"]).await;
    for path in ["/files", "/files/any"] {
        let options = Request::builder().method("OPTIONS").uri(path);
        let reply = door.send(options, ()).await;
        assert_eq!(reply.status, 204);
        assert_eq!(reply.header("tus-resumable"), "1.0.0");
        assert_eq!(reply.header("tus-version"), "1.0.0");
        assert_eq!(
            reply.header("tus-extension"),
            "creation,creation-with-upload,termination,expiration,checksum"
        );
        assert_eq!(reply.header("tus-max-size"), "1000000");
        assert_eq!(reply.header("tus-checksum-algorithm"), "sha1,sha256,crc32");
    }
}

#[tokio::test]
async fn pieces_become_a_job_like_any_other() {
    let door = Door::new().await;
    let metadata = [
        ("filename", "C:\\Größe 🎬.mp4"),
        ("quality", "v0"),
        ("title", ""),
    ];
    let path = door.begin(11, &metadata).await;
    let begun = door.head(&path).await;
    assert_eq!(
        (begun.status.as_u16(), begun.header("upload-offset")),
        (200, "0")
    );
    assert_eq!(begun.header("upload-length"), "11");
    assert_eq!(begun.header("upload-metadata"), encoded(&metadata));
    assert_eq!(begun.header("cache-control"), "no-store");
    assert!(begun.header("upload-expires").ends_with(" GMT"));

    let first = door.patch(&path, 0, b"a ").await;
    assert_eq!(
        (first.status.as_u16(), first.header("upload-offset")),
        (204, "2")
    );
    assert_eq!(first.header("tus-resumable"), "1.0.0");
    assert!(first.header("upload-expires").ends_with(" GMT"));
    assert_eq!(door.patch(&path, 2, b"").await.header("upload-offset"), "2");
    assert_eq!(door.offset(&path).await, 2);
    assert_eq!(door.get(&job_of(&path)).await.status, 404);
    assert_eq!(door.get("/jobs").await.json()["jobs"], json!([]));
    assert!(door.events.lock().unwrap().is_empty());

    let last = door.patch(&path, 2, b"whole film").await;
    assert_eq!(refused(&last), (413, "beyond-length".into()));
    let last = door.patch(&path, 2, b"long film").await;
    assert_eq!(
        (last.status.as_u16(), last.header("upload-offset")),
        (204, "11")
    );
    assert_eq!(last.header("upload-expires"), "");
    let job = door.get(&job_of(&path)).await.json();
    assert_eq!(job["state"], "queued");
    assert_eq!(job["file_name"], "Größe 🎬.mp4");
    assert_eq!(job["size_bytes"], 11);
    assert_eq!(job["options"], json!({"quality": "v0"}));
    assert_eq!(door.video(&job).await, b"a long film");
    let events = door.events.lock().unwrap();
    let [(_, body)] = &events[..] else {
        panic!("one event, got {}", events.len())
    };
    let event: VideoUploaded = serde_json::from_slice(body).unwrap();
    assert_eq!(
        (event.video_fid, event.size_bytes),
        (id_of(&path), Some(11))
    );
}

#[tokio::test]
async fn a_client_that_missed_the_last_answer_learns_that_the_upload_has_ended() {
    let door = Door::new().await;
    let path = door.begin(5, &[("filename", "a.mp4")]).await;
    assert_eq!(door.patch(&path, 0, b"video").await.status, 204);
    let ended = door.head(&path).await;
    assert_eq!(ended.header("upload-offset"), "5");
    assert_eq!(ended.header("upload-length"), "5");
    assert_eq!(ended.header("upload-metadata"), "filename YS5tcDQ=");
    assert_eq!(ended.header("upload-expires"), "");
    let again = door.patch(&path, 0, b"video").await;
    assert_eq!(refused(&again), (409, "wrong-offset".into()));
    assert_eq!(door.patch(&path, 5, b"").await.status, 204);
    assert_eq!(door.events.lock().unwrap().len(), 1);
    let deleted = door.send(door.tus("DELETE", &path), ()).await;
    assert_eq!(refused(&deleted), (409, "upload-ended".into()));
}

#[tokio::test]
async fn an_upload_may_begin_with_bytes_or_with_all_of_them() {
    let door = Door::new().await;
    for (bytes, offset) in [(&b""[..], "0"), (b"vid", "3"), (b"video", "5")] {
        let request = door.tus("POST", "/files").header("upload-length", 5);
        let request = request.header("content-type", BYTES);
        let reply = door.send(request, bytes.to_vec()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("upload-offset")),
            (201, offset)
        );
        let path = reply.header("location");
        let rest = &b"video"[bytes.len()..];
        let patched = door.patch(path, bytes.len() as u64, rest).await;
        assert_eq!(patched.header("upload-offset"), "5");
        let job = door.get(&job_of(path)).await.json();
        assert_eq!(
            (&job["state"], &job["file_name"]),
            (&json!("queued"), &json!("video"))
        );
        assert_eq!(door.video(&job).await, b"video");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_no_part_of_a_new_upload() {
    let door = Door::new().await;
    let request = door.tus("POST", "/files").header("upload-length", 5);
    let reply = door.send(request, "video").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("upload-offset")),
        (201, "")
    );
    assert_eq!(door.offset(reply.header("location")).await, 0);
}

#[tokio::test]
async fn an_upload_that_is_terminated_leaves_nothing() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    door.patch(&path, 0, b"vid").await;
    let reply = door.send(door.tus("DELETE", &path), ()).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("tus-resumable")),
        (204, "1.0.0")
    );
    assert_eq!(refused(&door.head(&path).await), (404, String::new()));
    let patched = door.patch(&path, 3, b"eo").await;
    assert_eq!(refused(&patched), (404, "not-found".into()));
    let again = door.send(door.tus("DELETE", &path), ()).await;
    assert_eq!(refused(&again), (404, "not-found".into()));
    door.assert_empty().await;
}

#[tokio::test]
async fn a_method_may_stand_in_a_header_of_a_post() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    let overridden = |method: &str| {
        let request = door.tus("POST", &path).header("content-type", BYTES);
        request.header("x-http-method-override", method)
    };
    let patch = overridden("PATCH").header("upload-offset", 0);
    let patched = door.send(patch, "vid").await;
    assert_eq!(
        (patched.status.as_u16(), patched.header("upload-offset")),
        (204, "3")
    );
    let head = door.send(overridden("HEAD"), ()).await;
    assert_eq!(
        (head.status.as_u16(), head.header("upload-offset")),
        (200, "3")
    );
    let other = door.send(overridden("GET"), ()).await;
    assert_eq!(refused(&other), (400, "bad-request".into()));
    assert_eq!(door.send(overridden("DELETE"), ()).await.status, 204);
    assert_eq!(door.head(&path).await.status, 404);
}

#[tokio::test]
async fn somebody_elses_upload_is_none() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    let theirs = |method: &str| {
        let request = Request::builder().method(method).uri(&path);
        let request = request.header("tus-resumable", "1.0.0");
        let request = request
            .header("content-type", BYTES)
            .header("upload-offset", 0);
        request.header("authorization", door.keys.bearer("mallory@email.com"))
    };
    for method in ["HEAD", "PATCH", "DELETE"] {
        let reply = door.send(theirs(method), "video").await;
        assert_eq!(reply.status, 404, "{method}");
        assert!(method == "HEAD" || reply.problem_code() == "not-found");
    }
    for path in [
        "/files/rubbish".to_owned(),
        format!("/files/{}", FileId::mint()),
    ] {
        assert_eq!(refused(&door.head(&path).await), (404, String::new()));
    }
    let uploaded = door.upload("a.mp4", b"video").await;
    let in_one = uploaded.header("location").replace("/jobs/", "/files/");
    assert_eq!(refused(&door.head(&in_one).await), (404, String::new()));
    assert_eq!(door.patch(&path, 0, b"video").await.status, 204);
}
