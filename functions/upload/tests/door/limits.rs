use super::*;
use futures::stream;
use serde_json::json;
use std::io;

fn refused(reply: &TestReply) -> (u16, String) {
    (reply.status.as_u16(), reply.problem_code())
}

#[tokio::test]
async fn who_has_many_unfinished_jobs_is_told_to_wait() {
    let door = Door::with(&["--max-waiting", "2"]).await;
    let (first, _) = door.uploaded("a.mp4").await;
    door.uploaded("b.mp4").await;
    let third = door.upload("c.mp4", b"video").await;
    assert_eq!(refused(&third), (429, "too-many-jobs".into()));
    assert_eq!(third.header("retry-after"), "60");
    let anns = Request::post("/upload").header("authorization", door.keys.bearer("ann@email.com"));
    assert_eq!(door.send(anns, "video").await.status, 202);

    door.fail(&first).await;
    door.uploaded("c.mp4").await;
    let retry = door.request("POST", &format!("/jobs/{first}/retry"));
    let retry = door.send(retry, ()).await;
    assert_eq!(refused(&retry), (429, "too-many-jobs".into()));
}

#[tokio::test]
async fn who_has_much_stored_is_told_to_delete_jobs() {
    let door = Door::with(&["--max-stored", "10KB"]).await;
    let job = door.ready_job("a.mp4", &[0; 4_000]).await; // and a video of 5 bytes
    let too_much = vec![0; 5_996];
    let announced = door.upload("b.mp4", &too_much).await;
    assert_eq!(refused(&announced), (507, "quota-full".into()));
    assert!(
        announced.headers.get("retry-after").is_none(),
        "waiting doesn't help"
    );
    let detail = announced.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("DELETE /jobs/{id}"), "{detail}");
    let unannounced = Body::from_stream(stream::iter([Ok::<_, io::Error>(too_much.clone())]));
    let passed = door
        .send(door.request("POST", "/upload"), unannounced)
        .await;
    assert_eq!(refused(&passed), (507, "quota-full".into()));
    let jobs = door.get("/jobs").await.json();
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "nothing stays");

    assert_eq!(door.upload("b.mp4", &too_much[1..]).await.status, 202);
    assert_eq!(
        refused(&door.upload("c.mp4", b"x").await),
        (507, "quota-full".into())
    );
    let delete = door.request("DELETE", &format!("/jobs/{}", job.id));
    assert_eq!(door.send(delete, ()).await.status, 204);
    assert_eq!(
        door.upload("c.mp4", b"x").await.json()["state"],
        json!("queued")
    );
}
