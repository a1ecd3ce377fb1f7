//! A function's router, called as its callers do, without a socket.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that can't go on must fail"
)]

use crate::event;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode},
};
use cloudevents::binding::http::{builder::adapter::to_response, to_event};
use decant_events::EventData;
use http_body_util::BodyExt;
use tower::ServiceExt;

/// A function under test.
#[derive(Debug, Clone)]
pub struct TestFunction(Router);

impl TestFunction {
    /// Wraps the router that the function serves.
    pub fn new(router: Router) -> Self {
        Self(router)
    }

    /// Delivers an event about `data`, as the broker does.
    pub async fn deliver<T: EventData>(&self, path: &str, data: &T) -> TestReply {
        self.deliver_event(path, event("test", data, 1)).await
    }

    /// Delivers this event.
    pub async fn deliver_event(&self, path: &str, event: cloudevents::Event) -> TestReply {
        let (parts, body) = to_response(event).unwrap().into_parts();
        let mut request = Request::post(path).body(Body::new(body)).unwrap();
        *request.headers_mut() = parts.headers;
        self.send(request).await
    }

    /// Sends any request.
    pub async fn send(&self, request: Request<Body>) -> TestReply {
        let response = self.0.clone().oneshot(request).await.unwrap();
        TestReply::read(response).await
    }
}

/// What a function answered, read to its end.
#[derive(Debug)]
pub struct TestReply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or as much of it as came.
    pub body: Vec<u8>,
}

impl TestReply {
    async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map(|body| body.to_bytes().to_vec())
            .unwrap_or_default();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// A header's text, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The `code` of a problem+json answer.
    pub fn problem_code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json()["code"].as_str().expect("a code").to_owned()
    }

    /// The data of the event that the function replied with, which must be of this type.
    pub fn event<T: EventData>(&self) -> T {
        let event = to_event(&self.headers, self.body.clone()).expect("an event");
        crate::AnyEvent(event).data().expect("data of this type")
    }
}
