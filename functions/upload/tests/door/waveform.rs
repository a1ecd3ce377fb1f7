use super::*;
use serde_json::json;

#[tokio::test]
async fn a_ready_job_shows_its_waveform() {
    let door = Door::new().await;
    let job = door.ready_job_with("a.mp4", b"mp3", &[0, 7, 255]).await;
    let path = format!("/jobs/{}/waveform", job.id);
    let reply = door.get(&path).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.json(), json!({"points": [0, 7, 255]}));
    let etag = format!("\"{}\"", job.mp3.unwrap().id);
    assert_eq!(reply.header("etag"), etag);
    assert_eq!(reply.header("cache-control"), "private, no-cache");

    let again = door.request("GET", &path).header("if-none-match", &etag);
    let again = door.send(again, ()).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), etag);
}

#[tokio::test]
async fn without_a_waveform_there_is_nothing_to_show() {
    let door = Door::new().await;
    let queued = door.upload("a.mp4", b"video").await.json();
    let plain = door.ready_job("b.mp4", b"mp3").await.id.to_string();
    for id in [queued["id"].as_str().unwrap(), &plain] {
        let reply = door.get(&format!("/jobs/{id}/waveform")).await;
        assert_eq!(reply.status, 404);
        assert_eq!(reply.problem_code(), "no-waveform");
    }
}

#[tokio::test]
async fn only_those_who_see_a_job_see_its_waveform() {
    let door = Door::new().await;
    let job = door.ready_job_with("a.mp4", b"mp3", &[1]).await;
    let path = format!("/jobs/{}/waveform", job.id);
    assert_eq!(door.send(Request::get(&path), ()).await.status, 401);
    let mallory =
        Request::get(&path).header("authorization", door.keys.bearer("mallory@email.com"));
    let anothers = door.send(mallory, ()).await;
    let unknown = door
        .get(&format!("/jobs/{}/waveform", FileId::mint()))
        .await;
    let malformed = door.get("/jobs/rubbish/waveform").await;
    for reply in [&anothers, &malformed] {
        assert_eq!((reply.status, &reply.body), (unknown.status, &unknown.body));
    }
    assert_eq!(unknown.problem_code(), "not-found");
}
