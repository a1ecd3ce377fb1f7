use super::*;

#[tokio::test]
async fn a_link_that_is_asked_for_downloads_without_a_token() {
    let door = Door::with(&["--link-ttl", "1h"]).await;
    let job = door.ready_job("a.mp4", b"mp3").await;
    let reply = door.get(&format!("/jobs/{}/link", job.id)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let link = reply.json();
    let expires_at: chrono::DateTime<chrono::Utc> =
        link["expires_at"].as_str().unwrap().parse().unwrap();
    let left = expires_at - chrono::Utc::now();
    assert!((3500..=3600).contains(&left.num_seconds()), "{left}");

    let request = Request::get(link["href"].as_str().unwrap());
    let mp3 = door.send(request, ()).await;
    assert_eq!((mp3.status.as_u16(), &mp3.body[..]), (200, &b"mp3"[..]));
}

#[tokio::test]
async fn there_is_no_link_to_what_is_anothers_or_not_there() {
    let door = Door::new().await;
    let job = door.ready_job("a.mp4", b"mp3").await;
    let path = format!("/jobs/{}/link", job.id);
    assert_eq!(door.send(Request::get(&path), ()).await.status, 401);
    let mallory = door.keys.bearer("mallory@email.com");
    let mallory = Request::get(&path).header("authorization", mallory);
    let queued = door.upload("b.mp4", b"video").await.json();
    for reply in [
        door.send(mallory, ()).await,
        door.get(&format!("/jobs/{}/link", queued["id"].as_str().unwrap()))
            .await,
        door.get("/jobs/rubbish/link").await,
    ] {
        assert_eq!(reply.status, 404);
        assert_eq!(reply.problem_code(), "not-found");
    }
}
