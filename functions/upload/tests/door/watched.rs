//! The door behind a socket, and its streams.

use super::*;
use bytes::BytesMut;
use decant_store::Lease;
use reqwest::Response;
use serde_json::Value;

/// A stream of events as an EventSource reads it.
pub(crate) struct Stream {
    response: Response,
    read: BytesMut,
}

/// One event.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) event: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

impl Stream {
    /// What comes next, without comments; `None` at the end.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") {
                let block = self.read.split_to(end + 2);
                return Some(String::from_utf8(block.to_vec()).unwrap());
            }
            let piece = tokio::time::timeout(MINUTE, self.response.chunk()).await;
            self.read.extend(piece.unwrap().unwrap()?);
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            let block = self.block().await?;
            let mut told = Told::default();
            for line in block.lines() {
                match line.split_once(": ").unwrap_or((line, "")) {
                    ("event", event) => told.event = event.to_owned(),
                    ("id", id) => told.id = Some(id.parse().unwrap()),
                    ("data", data) => told.data = serde_json::from_str(data).unwrap_or_default(),
                    _ => {}
                }
            }
            if !told.event.is_empty() {
                return Some(told);
            }
        }
    }

    /// The next event, which must be about a job.
    pub(crate) async fn job(&mut self) -> Told {
        let told = self.next().await.expect("an event");
        assert_eq!(told.event, "job", "{told:?}");
        told
    }

    /// All that is told up to the end, which must be the end of all.
    pub(crate) async fn rest(mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.next().await {
            all.push(told);
        }
        assert_eq!(all.pop().map(|told| told.event).as_deref(), Some("end"));
        all
    }
}

/// The door behind a socket.
pub(crate) struct Watched {
    pub(crate) door: Door,
    pub(crate) address: String,
    pub(crate) client: reqwest::Client,
}

impl Watched {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(flags: &[&str]) -> Self {
        let door = Door::with(flags).await;
        Self {
            address: serve(door.router.clone()).await,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            door,
        }
    }

    pub(crate) async fn ask(&self, path: &str, last_event_id: Option<u64>) -> Response {
        self.ask_as("kevin@email.com", path, last_event_id).await
    }

    pub(crate) async fn ask_as(
        &self,
        who: &str,
        path: &str,
        last_event_id: Option<u64>,
    ) -> Response {
        let request = self
            .client
            .get(format!("{}{}", self.address, path.trim_start_matches("/")));
        let mut request = request.header("authorization", self.door.keys.bearer(who));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn stream(&self, path: &str, last_event_id: Option<u64>) -> Stream {
        opened(self.ask(path, last_event_id).await)
    }

    pub(crate) async fn uploaded(&self) -> FileId {
        let job = self.door.upload("a.mp4", b"video").await.json();
        job["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn claimed(&self, id: FileId) -> (Lease, FileId) {
        let mp3_id = FileId::mint();
        let gave_up = decant_events::Problem::new("gave-up", "");
        let jobs = &self.door.store.jobs;
        let claim = jobs.claim(id, mp3_id, MINUTE, 5, &gave_up).await;
        match claim.unwrap() {
            Claim::Granted(lease, _) => (lease, mp3_id),
            other => panic!("the job is free, not {other:?}"),
        }
    }

    pub(crate) async fn publish(&self, lease: &Lease, id: FileId) -> Job {
        let mp3 = Mp3 {
            id,
            size_bytes: 1,
            duration_ms: 1000,
        };
        let published = self.door.store.jobs.publish(lease, mp3, &[]);
        published.await.unwrap()
    }

    pub(crate) async fn ready(&self) -> Job {
        let (lease, mp3_id) = self.claimed(self.uploaded().await).await;
        self.publish(&lease, mp3_id).await
    }
}

pub(crate) fn opened(response: Response) -> Stream {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Stream {
        response,
        read: BytesMut::new(),
    }
}
