use super::*;
use crate::uploads::until_async;
use chrono::{DateTime, Utc};

#[tokio::test]
async fn an_upload_says_how_long_it_is_kept_and_whatever_comes_puts_that_off() {
    let door = Door::with(&["--keep-partial", "2h"]).await;
    let request = door.tus("POST", "/files").header("upload-length", 5);
    let begun = door.send(request, ()).await;
    let path = begun.header("location");
    let patched = door.patch(path, 0, b"vid").await;
    for reply in [&begun, &patched, &door.head(path).await] {
        let expires = DateTime::parse_from_rfc2822(reply.header("upload-expires")).unwrap();
        let minutes = (expires.to_utc() - Utc::now()).num_minutes();
        assert!((118..=120).contains(&minutes), "{minutes}");
    }
}

#[tokio::test]
async fn an_upload_of_which_nothing_more_comes_expires() {
    let door = Door::with(&["--keep-partial", "1s"]).await;
    let path = door.begin(5, &[]).await;
    until_async(async || door.head(&path).await.status == 410).await;
    let patched = door.patch(&path, 0, b"video").await;
    assert_eq!(refused(&patched), (410, "upload-expired".into()));
    let deleted = door.send(door.tus("DELETE", &path), ()).await;
    assert_eq!(refused(&deleted), (410, "upload-expired".into()));

    let taken = door
        .store
        .jobs
        .take_abandoned_upload(Duration::ZERO, MINUTE);
    assert_eq!(taken.await.unwrap().unwrap().job_id, id_of(&path));
}
