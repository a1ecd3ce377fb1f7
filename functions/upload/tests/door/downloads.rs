use super::*;

const MP3: &[u8] = b"0123456789";

fn now() -> u64 {
    chrono::Utc::now().timestamp().try_into().unwrap()
}

async fn ready() -> (Door, FileId) {
    let door = Door::new().await;
    let job = door
        .ready_job("Gr%C3%B6%C3%9Fe%20%F0%9F%8E%AC.mp4", MP3)
        .await;
    let id = job.mp3.unwrap().id;
    (door, id)
}

#[tokio::test]
async fn an_mp3_downloads_under_the_videos_name() {
    let (door, id) = ready().await;
    for path in [format!("/download?id={id}"), format!("/download?fid={id}")] {
        let reply = door.get(&path).await;
        assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, MP3));
        assert_eq!(reply.header("content-type"), "audio/mpeg");
        assert_eq!(reply.header("content-length"), "10");
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert_eq!(
            reply.header("content-disposition"),
            "attachment; filename=\"Gr__e _.mp3\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%F0%9F%8E%AC.mp3"
        );
    }
}

#[tokio::test]
async fn a_head_is_the_same_without_a_body() {
    let (door, id) = ready().await;
    let reply = door
        .send(door.request("HEAD", &format!("/download?id={id}")), ())
        .await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(reply.header("content-length"), "10");
    let ranged = door
        .request("HEAD", &format!("/download?id={id}"))
        .header("range", "bytes=0-1");
    assert_eq!(door.send(ranged, ()).await.status, 200);
}

#[tokio::test]
async fn one_range_is_sent_alone() {
    let (door, id) = ready().await;
    let ask = |range: &str| {
        door.request("GET", &format!("/download?id={id}"))
            .header("range", range)
    };
    let part = door.send(ask("bytes=2-4"), ()).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"234"[..]));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    assert_eq!(part.header("content-length"), "3");

    let beyond = door.send(ask("bytes=10-"), ()).await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.header("content-range")),
        (416, "bytes */10")
    );
    assert_eq!(beyond.problem_code(), "range");
    let several = door.send(ask("bytes=0-1,3-4"), ()).await;
    assert_eq!((several.status.as_u16(), &several.body[..]), (200, MP3));
}

#[tokio::test]
async fn a_resumed_download_starts_over_when_the_mp3_is_another() {
    let (door, id) = ready().await;
    let resume = |etag: &str| {
        door.request("GET", &format!("/download?id={id}"))
            .header("range", "bytes=5-")
            .header("if-range", etag)
    };
    assert_eq!(
        door.send(resume(&format!("\"{id}\"")), ()).await.status,
        206
    );
    assert_eq!(door.send(resume("\"another\""), ()).await.status, 200);
    assert_eq!(
        door.send(resume(&format!("W/\"{id}\"")), ()).await.status,
        200
    );
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    let (door, id) = ready().await;
    let request = || door.request("GET", &format!("/download?id={id}"));
    let etag = door.send(request(), ()).await.header("etag").to_owned();
    let again = door
        .send(
            request().header("if-none-match", format!("\"other\", {etag}")),
            (),
        )
        .await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), etag);
    assert_eq!(
        door.send(request().header("if-none-match", "\"other\""), ())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_id_that_is_not_the_callers_is_not_found() {
    let (door, id) = ready().await;
    let unknown = FileId::mint().to_string();
    for id in [unknown.as_str(), "rubbish"] {
        let reply = door.get(&format!("/download?id={id}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (404, "not-found")
        );
    }
    let eve = Request::get(format!("/download?id={id}"))
        .header("authorization", door.keys.bearer("eve@email.com"));
    assert_eq!(door.send(eve, ()).await.problem_code(), "not-found");
    assert_eq!(door.get("/download").await.problem_code(), "bad-request");
}

#[tokio::test]
async fn a_signed_link_downloads_without_a_token_until_it_expires() {
    let (door, id) = ready().await;
    let reply = door.send(Request::get(link(id, now() + 60)), ()).await;
    assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, MP3));

    let expired = door.send(Request::get(link(id, now() - 1)), ()).await;
    assert_eq!(
        (expired.status.as_u16(), expired.problem_code().as_str()),
        (410, "expired-link")
    );
    let other_id = link(id, now() + 60).replace(&id.to_string(), &FileId::mint().to_string());
    let longer =
        link(id, now() + 60).replace(&(now() + 60).to_string(), &(now() + 600).to_string());
    let rubbish = format!("/download?id={id}&expires=99999999999&signature=rubbish");
    for forged in [other_id, longer, rubbish] {
        let reply = door.send(Request::get(&forged), ()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (403, "forged-link")
        );
    }
}
