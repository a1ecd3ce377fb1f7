use super::*;
use futures::stream;
use std::io;

#[tokio::test]
async fn another_version_of_the_protocol_is_refused_and_changes_nothing() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    for version in [None, Some("0.2.2"), Some("1.0.1"), Some("")] {
        for (method, path) in [
            ("POST", "/files"),
            ("HEAD", &path),
            ("PATCH", &path),
            ("DELETE", &path),
        ] {
            let mut request = door.request(method, path).header("content-type", BYTES);
            request = request
                .header("upload-length", 5)
                .header("upload-offset", 0);
            if let Some(version) = version {
                request = request.header("tus-resumable", version);
            }
            let reply = door.send(request, "video").await;
            assert_eq!(reply.status, 412, "{method}");
            assert_eq!(reply.header("tus-resumable"), "1.0.0");
            assert!(method == "HEAD" || reply.problem_code() == "tus-version");
            assert_eq!(reply.header("tus-version"), "1.0.0");
        }
    }
    assert_eq!((door.offset(&path).await, door.records().await), (0, 1));
}

#[tokio::test]
async fn bytes_go_on_where_the_upload_is_and_nowhere_else() {
    let door = Door::new().await;
    let path = door.begin(10, &[]).await;
    door.patch(&path, 0, b"vid").await;
    for elsewhere in [0, 2, 4, 10, 11] {
        let reply = door.patch(&path, elsewhere, b"x").await;
        assert_eq!(refused(&reply), (409, "wrong-offset".into()), "{elsewhere}");
    }
    let nowhere = door.tus("PATCH", &path).header("content-type", BYTES);
    let reply = door.send(nowhere, "x").await;
    assert_eq!(refused(&reply), (400, "bad-request".into()));
    for malformed in ["-1", "3.0", "three", ""] {
        let request = door.tus("PATCH", &path).header("content-type", BYTES);
        let reply = door
            .send(request.header("upload-offset", malformed), "x")
            .await;
        assert_eq!(refused(&reply), (400, "bad-request".into()), "{malformed}");
    }
    for other_type in ["application/octet-stream", "video/mp4"] {
        let request = door.tus("PATCH", &path).header("content-type", other_type);
        let reply = door.send(request.header("upload-offset", 3), "x").await;
        assert_eq!(refused(&reply), (415, "unsupported-media-type".into()));
    }
    let untyped = door.tus("PATCH", &path).header("upload-offset", 3);
    let reply = door.send(untyped, "x").await;
    assert_eq!(refused(&reply), (415, "unsupported-media-type".into()));
    assert_eq!(door.offset(&path).await, 3);
}

#[tokio::test]
async fn an_upload_has_a_length_that_can_be_taken() {
    let door = Door::with(&["--max-upload", "10KB"]).await;
    for (length, status, code) in [
        (None, 400, "bad-request"),
        (Some("0"), 400, "bad-request"),
        (Some("-1"), 400, "bad-request"),
        (Some("ten"), 400, "bad-request"),
        (Some("99999999999999999999"), 400, "bad-request"),
        (Some("10001"), 413, "too-large"),
    ] {
        let mut request = door.tus("POST", "/files");
        if let Some(length) = length {
            request = request.header("upload-length", length);
        }
        let reply = door.send(request, ()).await;
        assert_eq!(refused(&reply), (status, code.into()), "{length:?}");
    }
    for extension in ["upload-defer-length", "upload-concat"] {
        let request = door.tus("POST", "/files").header(extension, "1");
        let reply = door.send(request.header("upload-length", 5), ()).await;
        assert_eq!(refused(&reply), (400, "bad-request".into()));
        assert!(reply.json()["detail"].as_str().unwrap().contains(extension));
    }
    door.assert_empty().await;
    door.begin(10_000, &[]).await;
}

#[tokio::test]
async fn what_comes_beside_an_upload_is_checked_before_it_begins() {
    let door = Door::new().await;
    for (metadata, status, code) in [
        (encoded(&[("quality", "v9")]), 422, "invalid-option"),
        (encoded(&[("volume", "11")]), 422, "invalid-option"),
        (
            encoded(&[("start", "5"), ("end", "3")]),
            422,
            "invalid-option",
        ),
        ("filename YQ==,filename Yg==".into(), 400, "bad-request"),
        ("filename YQ=".into(), 400, "bad-request"),
        (",".into(), 400, "bad-request"),
    ] {
        let request = door.tus("POST", "/files").header("upload-length", 5);
        let request = request.header("upload-metadata", &metadata);
        let reply = door.send(request, ()).await;
        assert_eq!(refused(&reply), (status, code.into()), "{metadata}");
    }
    door.assert_empty().await;
}

#[tokio::test]
async fn more_bytes_than_were_announced_are_refused() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    let announced = door.patch(&path, 0, b"videos").await;
    assert_eq!(refused(&announced), (413, "beyond-length".into()));
    let pieces = ["vid", "eos"].map(Ok::<_, io::Error>);
    let unannounced = Body::from_stream(stream::iter(pieces));
    let passed = door.send(door.piece(&path, 0), unannounced).await;
    assert_eq!(refused(&passed), (413, "beyond-length".into()));
    assert_eq!(door.offset(&path).await, 0);
    assert_eq!(door.patch(&path, 0, b"video").await.status, 204);

    let begun = door.tus("POST", "/files").header("upload-length", 5);
    let begun = door
        .send(begun.header("content-type", BYTES), "videos")
        .await;
    assert_eq!(refused(&begun), (413, "beyond-length".into()));
    assert_eq!(door.records().await, 1);
}

#[tokio::test]
async fn methods_that_the_protocol_does_not_have_are_refused() {
    let door = Door::new().await;
    let path = door.begin(5, &[]).await;
    for (method, path) in [
        ("GET", "/files"),
        ("PUT", "/files"),
        ("GET", &path),
        ("PUT", &path),
    ] {
        let reply = door.send(door.tus(method, path), ()).await;
        assert_eq!(
            reply.problem_code(),
            "method-not-allowed",
            "{method} {path}"
        );
        assert!(reply.header("allow").contains("POST"));
    }
}
