use super::*;
use serde_json::json;

impl Door {
    async fn patch(&self, id: FileId, body: &str) -> TestReply {
        let request = self.request("PATCH", &format!("/jobs/{id}"));
        let request = request.header("content-type", "application/merge-patch+json");
        self.send(request, body.to_owned()).await
    }
}

#[tokio::test]
async fn a_job_is_renamed_and_its_download_with_it() {
    let door = Door::new().await;
    let job = door.ready_job("a.mp4", b"mp3").await;
    let download = format!("/download?id={}", job.mp3.as_ref().unwrap().id);
    for (body, title) in [
        (r#"{"title": " Grüße\n an AC/DC "}"#, "Grüße an AC-DC"),
        (r#"{"title": ""}"#, "a"),
        (r#"{"title": "Talk v1.mp4"}"#, "Talk v1.mp4"),
        (r#"{"title": null}"#, "a"),
    ] {
        let renamed = door.patch(job.id, body).await;
        assert_eq!(renamed.status, 200, "{body}");
        assert_eq!(renamed.json()["title"], json!(title));
        assert_eq!(renamed.json()["file_name"], json!("a.mp4"));
        assert_eq!(
            door.get(&format!("/jobs/{}", job.id)).await.json(),
            renamed.json()
        );
        let reply = door.get(&download).await;
        let name = reply.header("content-disposition");
        let ascii = title.replace(['ü', 'ß'], "_");
        assert!(
            name.contains(&format!("filename=\"{ascii}.mp3\"")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn nothing_but_the_title_of_ones_own_job_is_changed() {
    let door = Door::new().await;
    let job = door.ready_job("a.mp4", b"mp3").await;
    let before = door.get(&format!("/jobs/{}", job.id)).await.json();
    for body in [
        "",
        "{}",
        "[]",
        r#"{"title": 1}"#,
        r#"{"title": "b", "state": "queued"}"#,
    ] {
        let refused = door.patch(job.id, body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem_code().as_str()),
            (400, "bad-request"),
            "{body}"
        );
    }
    let strangers = Request::patch(format!("/jobs/{}", job.id))
        .header("authorization", door.keys.bearer("mallory@email.com"));
    let strangers = door.send(strangers, r#"{"title": "mine"}"#).await;
    assert_eq!(strangers.problem_code(), "not-found");
    let unknown = door.patch(FileId::mint(), r#"{"title": "b"}"#).await;
    assert_eq!(unknown.problem_code(), "not-found");
    assert_eq!(door.get(&format!("/jobs/{}", job.id)).await.json(), before);
}
