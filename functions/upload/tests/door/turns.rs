use super::*;
use serde_json::json;

impl Door {
    /// The jobs that the broker was told about, by their ids.
    pub(super) fn announced(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let subject = |headers: &HeaderMap| headers["ce-subject"].to_str().unwrap().to_owned();
        events.iter().map(|(headers, _)| subject(headers)).collect()
    }

    /// Has convert's part: claims the job, and fails it.
    pub(super) async fn fail(&self, id: &str) -> Job {
        let (id, problem) = (id.parse().unwrap(), Problem::new("no-audio", "No sound."));
        let claim = self
            .store
            .jobs
            .claim(id, FileId::mint(), MINUTE, 5, &problem);
        let Claim::Granted(lease, _) = claim.await.unwrap() else {
            panic!("the job is free")
        };
        self.store.jobs.fail(&lease, &problem).await.unwrap()
    }

    /// Uploads, and gives the job's id and its state.
    pub(super) async fn uploaded(&self, name: &str) -> (String, String) {
        let reply = self.upload(name, b"video").await;
        assert_eq!(reply.status, 202);
        let (id, state) = (&reply.json()["id"], &reply.json()["state"]);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(id), text(state))
    }
}

#[tokio::test]
async fn more_jobs_of_one_person_than_turns_wait_and_are_not_announced() {
    let door = Door::with(&["--announced-per-person", "2"]).await;
    let mut states = Vec::new();
    let mut ids = Vec::new();
    for i in 0..4 {
        let (id, state) = door.uploaded(&format!("{i}.mp4")).await;
        states.push(state);
        ids.push(id);
    }
    assert_eq!(states, ["queued", "queued", "waiting", "waiting"]);
    assert_eq!(door.announced(), ids[..2]);
    let waiting = door.get(&format!("/jobs/{}", ids[3])).await.json();
    assert_eq!(waiting["state"], json!("waiting"));

    let anns = Request::post("/upload").header("authorization", door.keys.bearer("ann@email.com"));
    let anns = door.send(anns, "video").await;
    assert_eq!(anns.json()["state"], json!("queued"));
}
