use super::*;
use decant_store::Error as StoreError;
use serde_json::json;

impl Door {
    async fn delete(&self, id: impl std::fmt::Display) -> TestReply {
        let request = self.request("DELETE", &format!("/jobs/{id}"));
        self.send(request, ()).await
    }

    async fn has(&self, bucket: Bucket, id: FileId) -> bool {
        match self.store.payloads.open(bucket, id).await {
            Ok(_) => true,
            Err(StoreError::NotFound) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_deleted_job_is_gone_with_its_video_mp3_and_waveform() {
    let door = Door::new().await;
    let job = door.ready_job_with("a.mp4", b"mp3", b"waveform").await;
    let mp3_id = job.mp3.unwrap().id;
    let reply = door.delete(job.id).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));

    for path in [
        format!("/jobs/{}", job.id),
        format!("/jobs/{}/waveform", job.id),
        format!("/download?id={mp3_id}"),
        link(mp3_id, 4_000_000_000),
    ] {
        assert_eq!(door.get(&path).await.problem_code(), "not-found", "{path}");
    }
    assert_eq!(door.get("/jobs").await.json()["jobs"], json!([]));
    assert!(!door.has(Bucket::Videos, job.id).await);
    assert!(!door.has(Bucket::Mp3s, mp3_id).await);
    let again = door.delete(job.id).await;
    assert_eq!(
        (again.status.as_u16(), again.problem_code().as_str()),
        (404, "not-found")
    );
}

#[tokio::test]
async fn a_job_is_deleted_by_its_owner_or_an_admin_alone() {
    let door = Door::new().await;
    let (id, _) = door.uploaded("a.mp4").await;
    let path = format!("/jobs/{id}");
    for (who, status, code) in [
        (None, 401, "missing-token"),
        (
            Some(door.keys.bearer("mallory@email.com")),
            404,
            "not-found",
        ),
    ] {
        let mut request = Request::delete(&path);
        if let Some(bearer) = who {
            request = request.header("authorization", bearer);
        }
        let refused = door.send(request, ()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem_code().as_str()),
            (status, code)
        );
    }
    for rubbish in ["rubbish", "%ff", "0123456789abcdef01234567"] {
        assert_eq!(door.delete(rubbish).await.problem_code(), "not-found");
    }
    assert_eq!(door.get(&path).await.status, 200);
}

#[tokio::test]
async fn who_converts_a_deleted_job_has_lost_it_and_its_half_written_mp3_goes() {
    let door = Door::new().await;
    let (id, _) = door.uploaded("a.mp4").await;
    let (id, mp3_id) = (id.parse().unwrap(), FileId::mint());
    let gave_up = Problem::new("gave-up", "");
    let claim = door.store.jobs.claim(id, mp3_id, MINUTE, 5, &gave_up);
    let Claim::Granted(lease, _) = claim.await.unwrap() else {
        panic!("the job is free")
    };
    let mp3 = door.store.payloads.create(Bucket::Mp3s, mp3_id, "mp3");
    let mut mp3 = mp3.await.unwrap();
    mp3.write("half".into()).await.unwrap();

    assert_eq!(door.delete(id).await.status, 204);
    assert!(!door.store.jobs.holds(&lease).await.unwrap());
    let mp3s = door.folder.path().join("store/mp3s");
    assert_eq!(std::fs::read_dir(mp3s).unwrap().count(), 0);
    let litter = door.store.jobs.litter(Duration::ZERO, 10).await.unwrap();
    assert_eq!(litter.len(), 1, "the sweep looks again");
}

#[tokio::test]
async fn a_deletion_passes_the_turn_on() {
    let door = Door::with(&["--announced-per-person", "1"]).await;
    let (running, _) = door.uploaded("a.mp4").await;
    let (next, state) = door.uploaded("b.mp4").await;
    assert_eq!(state, "waiting");
    let (last, _) = door.uploaded("c.mp4").await;
    assert_eq!(door.delete(&last).await.status, 204);
    assert_eq!(door.announced(), std::slice::from_ref(&running));
    assert_eq!(door.delete(&running).await.status, 204);
    assert_eq!(door.announced(), [running, next.clone()]);
    let next = door.get(&format!("/jobs/{next}")).await.json();
    assert_eq!(next["state"], json!("queued"));
}
