use crate::Client;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

/// A stream of server-sent events, read as a browser reads it.
pub struct EventStream {
    response: Response,
    read: Vec<u8>,
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// `job`, `deleted` or `end`.
    pub event: String,
    /// The version of the record, where it has changed.
    pub id: Option<u64>,
    /// The job, for one.
    pub data: Value,
}

impl EventStream {
    /// Opens the stream at `path`, for a client that has seen all up to `last_event_id`.
    pub async fn open(client: &Client, path: &str, last_event_id: Option<u64>) -> Self {
        let mut request = client.request(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        Self {
            response,
            read: Vec::new(),
        }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") else {
                let piece = self.response.chunk().await.expect("the stream goes on");
                self.read.extend(piece?);
                continue;
            };
            let block: Vec<u8> = self.read.drain(..end + 2).collect();
            let told = Told::of(&String::from_utf8(block).expect("text"));
            if !told.event.is_empty() {
                return Some(told);
            }
        }
    }
}

impl Told {
    /// Comments and times to wait become an event without a name.
    fn of(block: &str) -> Self {
        let mut told = Self::default();
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("event", event)) => told.event = event.to_owned(),
                Some(("id", id)) => told.id = id.parse().ok(),
                Some(("data", data)) => told.data = serde_json::from_str(data).unwrap_or_default(),
                _ => {}
            }
        }
        told
    }
}
