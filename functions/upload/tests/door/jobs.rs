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
