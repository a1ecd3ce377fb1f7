//! Until when what a job leaves is there.

use super::*;
use serde_json::{Value, json};

const NOTHING: Duration = Duration::ZERO;

impl Door {
    async fn job(&self, job: &Job) -> Value {
        self.get(&format!("/jobs/{}", job.id)).await.json()
    }

    async fn download(&self, job: &Job) -> TestReply {
        let id = job.mp3.as_ref().unwrap().id;
        self.get(&format!("/download?id={id}")).await
    }
}

#[tokio::test]
async fn a_job_tells_until_when_its_mp3_and_its_video_are_there() {
    let door = Door::with(&["--keep-mp3", "7d", "--keep-video", "24h"]).await;
    let ready = door.ready_job("a.mp4", b"mp3").await;
    let ended = ready.finished_at.unwrap();
    let shown = door.job(&ready).await;
    assert_eq!(
        shown["expires_at"],
        json!(ended + Duration::from_secs(7 * 86_400))
    );
    assert_eq!(
        shown["video_expires_at"],
        json!(ended + Duration::from_secs(86_400))
    );
    assert_eq!(
        (&shown["state"], &shown["can_retry"]),
        (&json!("ready"), &json!(true))
    );
    assert_eq!(door.download(&ready).await.status, 200);

    let queued = door.upload("b.mp4", b"video").await.json();
    assert_eq!(
        (&queued["expires_at"], &queued["video_expires_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(queued["can_retry"], json!(false));
}

#[tokio::test]
async fn without_a_setting_all_is_kept_for_good() {
    let door = Door::new().await;
    let ready = door.ready_job("a.mp4", b"mp3").await;
    let shown = door.job(&ready).await;
    assert_eq!(
        (&shown["expires_at"], &shown["video_expires_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(shown["can_retry"], json!(true));
}

#[tokio::test]
async fn what_is_over_is_gone_before_the_sweep_comes_and_after() {
    let door = Door::with(&["--keep-mp3", "0", "--keep-video", "0"]).await;
    let ready = door.ready_job("a.mp4", b"mp3").await;
    let id = ready.mp3.as_ref().unwrap().id;
    let far = u64::try_from(chrono::Utc::now().timestamp()).unwrap() + 60;
    let mut seen = Vec::new();
    for _ in 0..2 {
        for gone in [door.download(&ready).await, door.get(&link(id, far)).await] {
            assert_eq!(
                (gone.status.as_u16(), gone.problem_code().as_str()),
                (410, "expired")
            );
        }
        let mut shown = door.job(&ready).await;
        assert_eq!(
            (&shown["state"], &shown["can_retry"]),
            (&json!("expired"), &json!(false))
        );
        for field in [
            "mp3_fid",
            "mp3_size_bytes",
            "duration_ms",
            "expires_at",
            "video_expires_at",
        ] {
            assert_eq!(shown[field], Value::Null, "{field}");
        }
        for (state, count) in [("expired", 1), ("ready", 0), ("failed,expired", 1)] {
            let list = door.get(&format!("/jobs?state={state}")).await.json();
            assert_eq!(list["jobs"].as_array().unwrap().len(), count, "{state}");
        }
        for field in ["version", "updated_at"] {
            shown[field].take();
        }
        seen.push(shown);
        for bucket in [Bucket::Mp3s, Bucket::Videos] {
            door.store.jobs.expire_next(bucket, NOTHING).await.unwrap();
        }
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn anothers_expired_mp3_is_not_found() {
    let door = Door::with(&["--keep-mp3", "0"]).await;
    let ready = door.ready_job("a.mp4", b"mp3").await;
    let id = ready.mp3.unwrap().id;
    let request = Request::get(format!("/download?id={id}"));
    let eves = request.header("authorization", door.keys.bearer("eve@email.com"));
    assert_eq!(door.send(eves, ()).await.status, 404);
}

#[tokio::test]
async fn a_download_goes_on_when_its_mp3_expires() {
    let door = Door::new().await;
    let mp3: Vec<u8> = (0..4_000_000_u32).map(|i| i.to_le_bytes()[1]).collect();
    let ready = door.ready_job("a.mp4", &mp3).await;
    let id = ready.mp3.as_ref().unwrap().id;
    let address = serve(door.router.clone()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let download = client.get(format!("{address}download?id={id}"));
    let download = download.header("authorization", door.keys.bearer("kevin@email.com"));
    let mut running = download.send().await.unwrap();
    let mut bytes = running.chunk().await.unwrap().unwrap().to_vec();

    let expired = door.store.jobs.expire_next(Bucket::Mp3s, NOTHING).await;
    assert_eq!(expired.unwrap(), Some(ready.id));
    assert_eq!(door.download(&ready).await.status, 410);
    while let Some(more) = running.chunk().await.unwrap() {
        bytes.extend(more);
    }
    assert!(bytes == mp3, "the whole MP3");
}
