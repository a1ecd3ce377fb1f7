use super::*;
use decant_store::UnreadableOptions;
use serde_json::{Value, json};

#[tokio::test]
async fn jobs_come_newest_first_and_page_by_page() {
    let door = Door::new().await;
    for i in 0..5 {
        door.upload(&format!("{i}.mp4"), b"video").await;
    }
    let names = |page: &Value| -> Vec<String> {
        let jobs = page["jobs"].as_array().unwrap();
        jobs.iter()
            .map(|job| job["file_name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = door.get("/jobs?limit=3").await;
    assert_eq!(names(&first.json()), ["4.mp4", "3.mp4", "2.mp4"]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(first.header("link").contains(&format!("cursor={next}")));
    let second = door
        .get(&format!("/jobs?limit=3&cursor={next}"))
        .await
        .json();
    assert_eq!(
        (names(&second), &second["next"]),
        (vec!["1.mp4".into(), "0.mp4".into()], &Value::Null)
    );

    assert_eq!(
        door.get("/jobs?cursor=rubbish").await.problem_code(),
        "bad-request"
    );
    assert_eq!(
        door.get("/jobs?limit=rubbish").await.problem_code(),
        "bad-request"
    );
}

#[tokio::test]
async fn a_job_whose_options_cannot_be_read_is_listed_without_them() {
    let door = Door::new().await;
    let readable = door.upload("a.mp4", b"video").await.json();
    let mut record = door.store.jobs.export(None, 1).await.unwrap().remove(0);
    record.job.id = FileId::mint();
    record.job.options = Err(UnreadableOptions(json!({"quality": "v9", "mono": true})));
    assert!(door.store.jobs.import(&record).await.unwrap());
    let listed = door.get("/jobs").await.json();
    let [unreadable, other] = &listed["jobs"].as_array().unwrap()[..] else {
        panic!("two jobs, not {listed}")
    };
    assert_eq!(other["id"], readable["id"]);
    assert_eq!(unreadable["id"], json!(record.job.id));
    assert_eq!(unreadable["options"], Value::Null);
    assert_eq!(unreadable["file_name"], other["file_name"]);
    assert_eq!(
        unreadable["state"],
        json!("waiting"),
        "as all that come from elsewhere"
    );
    let alone = door.get(&format!("/jobs/{}", record.job.id)).await;
    assert_eq!(&alone.json(), unreadable);
}

#[tokio::test]
async fn an_unknown_a_malformed_and_anothers_id_are_alike() {
    let door = Door::new().await;
    let unknown = door.get(&format!("/jobs/{}", FileId::mint())).await;
    for path in [
        "/jobs/rubbish",
        "/jobs/%ff",
        "/jobs/0123456789abcdef0123456g",
    ] {
        let malformed = door.get(path).await;
        assert_eq!(
            (malformed.status, &malformed.body),
            (unknown.status, &unknown.body),
            "{path}"
        );
    }
    assert_eq!(
        (unknown.status.as_u16(), unknown.problem_code().as_str()),
        (404, "not-found")
    );
}

#[tokio::test]
async fn jobs_are_found_by_their_state_and_by_words() {
    let door = Door::new().await;
    door.ready_job("%C3%9Cbung.mp4", b"mp3").await;
    door.upload("Talk.mp4", b"video").await;
    door.upload("%C3%BCbung%202.mp4", b"video").await;
    for (query, expected) in [
        ("state=queued", vec!["übung 2.mp4", "Talk.mp4"]),
        ("state=ready,failed", vec!["Übung.mp4"]),
        ("state=expired", vec![]),
        ("q=talk", vec!["Talk.mp4"]),
        ("q=%C3%BCbung", vec!["übung 2.mp4", "Übung.mp4"]),
        ("q=%C3%BCbung&state=queued", vec!["übung 2.mp4"]),
        ("state=&q=", vec!["übung 2.mp4", "Talk.mp4", "Übung.mp4"]),
    ] {
        let found = door.get(&format!("/jobs?{query}")).await.json();
        let found = found["jobs"].as_array().unwrap().iter();
        let names: Vec<_> = found
            .map(|job| job["file_name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
    for hidden in ["uploading", "cancelled", "dancing"] {
        let refused = door.get(&format!("/jobs?state=ready,{hidden}")).await;
        assert_eq!(refused.problem_code(), "bad-request");
    }
}

#[tokio::test]
async fn the_link_to_the_next_page_finds_the_same() {
    let door = Door::new().await;
    for i in 0..3 {
        door.upload(&format!("talk%20%26%20{i}.mp4"), b"video")
            .await;
    }
    let first = door
        .get("/jobs?limit=2&q=talk%20%26&state=queued,ready")
        .await;
    let link = first.header("link");
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let second = door.get(next).await.json();
    assert_eq!(second["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(second["jobs"][0]["file_name"], json!("talk & 0.mp4"));
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn a_job_tells_how_many_come_before_it() {
    let door = Door::new().await;
    for ahead in 0..3 {
        let uploaded = door.upload("a.mp4", b"video").await.json();
        assert_eq!(uploaded["jobs_ahead"], json!(ahead));
    }
    let listed = door.get("/jobs").await.json();
    let listed = listed["jobs"].as_array().unwrap().iter();
    let ahead: Vec<_> = listed.map(|job| job["jobs_ahead"].as_u64()).collect();
    assert_eq!(ahead, [Some(2), Some(1), Some(0)]);
    let ready = door.ready_job("b.mp4", b"mp3").await;
    let ready = door.get(&format!("/jobs/{}", ready.id)).await.json();
    assert_eq!(
        (&ready["jobs_ahead"], &ready["run"]),
        (&Value::Null, &json!(1))
    );
}
