use super::*;
use decant_events::VideoUploaded;
use serde_json::{Value, json};

impl Door {
    async fn retry(&self, id: &str, query: &str, content_type: &str, body: &str) -> TestReply {
        let mut request = self.request("POST", &format!("/jobs/{id}/retry{query}"));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        self.send(request, body.to_owned()).await
    }
}

#[tokio::test]
async fn a_job_that_has_failed_is_converted_again() {
    let door = Door::new().await;
    let (id, _) = door.uploaded("a.mp4").await;
    door.fail(&id).await;
    let failed = door.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(
        (&failed["run"], &failed["can_retry"]),
        (&json!(1), &json!(true))
    );

    let reply = door.retry(&id, "", "", "").await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("location"), format!("/jobs/{id}"));
    let job = reply.json();
    assert_eq!((&job["run"], &job["state"]), (&json!(2), &json!("queued")));
    assert_eq!(
        (&job["problem"], &job["can_retry"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(door.get(&format!("/jobs/{id}")).await.json(), job);
    let events = door.events.lock().unwrap();
    let ids: Vec<_> = events
        .iter()
        .map(|(headers, _)| &headers["ce-id"])
        .collect();
    let first = format!("{id}.video.uploaded.1");
    assert_eq!(ids, [first.as_str(), &first.replace(".1", ".2")]);
}

#[tokio::test]
async fn options_of_a_retry_replace_those_before_however_they_are_sent() {
    let door = Door::new().await;
    let upload = door.request("POST", "/upload?quality=v0&mono=on");
    let job = door.send(upload, "video").await.json();
    let id = job["id"].as_str().unwrap();
    let boundary = "multipart/form-data; boundary=b";
    let part = "--b\r\ncontent-disposition: form-data; name=\"quality\"\r\n\r\n320k\r\n--b--\r\n";
    for (query, content_type, body, expected) in [
        ("", "", "", json!({"quality": "v0", "mono": true})),
        (
            "",
            "application/json",
            "{}",
            json!({"quality": "v0", "mono": true}),
        ),
        ("?start=1:30", "", "", json!({"start": 90})),
        (
            "",
            "application/json",
            r#"{"quality": "V4", "start": 1.5, "mono": true, "end": null}"#,
            json!({"quality": "v4", "start": 1.5, "mono": true}),
        ),
        (
            "",
            "application/x-www-form-urlencoded",
            "quality=128k&title=a+b",
            json!({"quality": "128k", "title": "a b"}),
        ),
        ("", boundary, part, json!({"quality": "320k"})),
        ("?quality=", "", "", json!({})),
    ] {
        door.fail(id).await;
        let reply = door.retry(id, query, content_type, body).await;
        assert_eq!(reply.status, 202, "{query} {body}");
        assert_eq!(reply.json()["options"], expected, "{query} {body}");
        let events = door.events.lock().unwrap();
        let event: VideoUploaded = serde_json::from_slice(&events.last().unwrap().1).unwrap();
        assert_eq!(serde_json::to_value(&event.options).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_retry_with_a_wrong_option_changes_nothing() {
    let door = Door::new().await;
    let (id, _) = door.uploaded("a.mp4").await;
    door.fail(&id).await;
    let before = door.get(&format!("/jobs/{id}")).await.json();
    let boundary = "multipart/form-data; boundary=b";
    let cover = "--b\r\ncontent-disposition: form-data; name=\"cover\"\r\n\r\nx\r\n--b--\r\n";
    let json = "application/json";
    for (query, content_type, body, status, code) in [
        ("?quality=best", "", "", 422, "invalid-option"),
        ("?speed=2", "", "", 422, "invalid-option"),
        ("?filename=b.mp4", "", "", 422, "invalid-option"),
        ("?mono=on", json, r#"{"mono": true}"#, 422, "invalid-option"),
        ("", json, r#"{"start": 2, "end": 1}"#, 422, "invalid-option"),
        ("", json, r#"{"start": [1]}"#, 422, "invalid-option"),
        ("", json, "[]", 400, "bad-request"),
        ("", json, "{", 400, "bad-request"),
        ("", boundary, cover, 422, "invalid-option"),
        ("", boundary, "--b", 400, "bad-request"),
    ] {
        let reply = door.retry(&id, query, content_type, body).await;
        let refused = (reply.status.as_u16(), reply.problem_code());
        assert_eq!(refused, (status, code.to_owned()), "{query} {body}");
    }
    assert_eq!(door.get(&format!("/jobs/{id}")).await.json(), before);
    assert_eq!(door.announced().len(), 1);
}

#[tokio::test]
async fn only_a_job_that_has_ended_and_has_its_video_is_retried() {
    let door = Door::new().await;
    let (id, _) = door.uploaded("a.mp4").await;
    let early = door.retry(&id, "", "", "").await;
    assert_eq!(
        (early.status.as_u16(), early.problem_code().as_str()),
        (409, "not-finished")
    );
    door.fail(&id).await;
    let strangers = Request::post(format!("/jobs/{id}/retry"))
        .header("authorization", door.keys.bearer("mallory@email.com"));
    assert_eq!(door.send(strangers, ()).await.problem_code(), "not-found");
    let video = id.parse().unwrap();
    door.store
        .payloads
        .delete(Bucket::Videos, video)
        .await
        .unwrap();
    let late = door.retry(&id, "", "", "").await;
    assert_eq!(
        (late.status.as_u16(), late.problem_code().as_str()),
        (410, "video-expired")
    );
}

#[tokio::test]
async fn the_mp3_of_the_run_before_can_be_downloaded_until_the_next_is_there() {
    let door = Door::new().await;
    let job = door.ready_job("a.mp4", b"first").await;
    let first = format!("/download?id={}", job.mp3.unwrap().id);
    assert_eq!(
        door.retry(&job.id.to_string(), "", "", "").await.status,
        202
    );
    assert_eq!(door.get(&first).await.body, b"first");
    let gave_up = Problem::new("gave-up", "");
    let claim = |mp3_id| door.store.jobs.claim(job.id, mp3_id, MINUTE, 5, &gave_up);
    let Claim::Granted(lease, _) = claim(FileId::mint()).await.unwrap() else {
        panic!("the job is free")
    };
    door.store.jobs.fail(&lease, &gave_up).await.unwrap();
    assert_eq!(
        door.get(&first).await.body,
        b"first",
        "there is no better one"
    );

    assert_eq!(
        door.retry(&job.id.to_string(), "", "", "").await.status,
        202
    );
    let mp3 = Mp3 {
        id: FileId::mint(),
        size_bytes: 6,
        duration_ms: 1,
    };
    let Claim::Granted(lease, _) = claim(mp3.id).await.unwrap() else {
        panic!("the job is free")
    };
    door.store.jobs.publish(&lease, mp3, &[]).await.unwrap();
    assert_eq!(door.get(&first).await.problem_code(), "not-found");
}

#[tokio::test]
async fn a_retry_waits_for_its_turn_and_is_announced_in_it() {
    let door = Door::with(&["--announced-per-person", "1"]).await;
    let (again, _) = door.uploaded("a.mp4").await;
    door.fail(&again).await;
    let (running, _) = door.uploaded("b.mp4").await;
    let waits = door.retry(&again, "", "", "").await;
    assert_eq!(waits.json()["state"], json!("waiting"));
    let request = door.request("DELETE", &format!("/jobs/{running}"));
    assert_eq!(door.send(request, ()).await.status, 204);
    assert_eq!(door.announced(), [again.clone(), running, again]);
}
