//! What the Broker's door takes in, and what arrives of it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use decant_broker::MemoryQueues;
use support::{Subscriber, TestBroker, TestClock, Unconfirming, broker, trigger, with_sink};
use tokio::sync::Semaphore;

fn to_sink() -> String {
    broker("") + &trigger("all", None, "sink", "")
}

#[tokio::test]
async fn an_event_in_binary_mode_arrives_as_it_was_sent() {
    let mut sink = Subscriber::answering(&[200]).await;
    let decant = TestBroker::start(&to_sink(), &[("sink", &sink)]).await;
    let headers = [
        ("ce-subject", "65f0"),
        ("ce-time", "2026-02-03T04:05:06Z"),
        ("ce-dataschema", "https://example.com/schema"),
        ("ce-run", "7"),
        ("content-type", "application/json"),
    ];
    let body = r#"{"b": 1.50, "a": 2}"#;

    assert_eq!(
        decant.send("dev.decant.test", &headers, body).await,
        StatusCode::ACCEPTED
    );

    let got = sink.next().await;
    assert_eq!(got.path, "/");
    assert_eq!(got.body, body, "not a byte of the data is changed");
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/test"),
        ("ce-type", "dev.decant.test"),
        ("ce-subject", "65f0"),
        ("ce-time", "2026-02-03T04:05:06+00:00"),
        ("ce-dataschema", "https://example.com/schema"),
        ("ce-run", "7"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn an_event_in_structured_mode_arrives_in_binary_mode() {
    let mut sink = Subscriber::answering(&[200]).await;
    let decant = TestBroker::start(&to_sink(), &[("sink", &sink)]).await;
    let event = r#"{"specversion": "1.0", "id": "7", "source": "/s", "type": "t", "run": "2",
                    "datacontenttype": "application/json", "data": {"a": 1}}"#;
    let request = decant.http.post(decant.url.clone()).body(event);
    let request = request.header(
        "content-type",
        "application/cloudevents+json; charset=utf-8",
    );

    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);

    let got = sink.next().await;
    assert_eq!((got.header("ce-id"), got.header("ce-run")), ("7", "2"));
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.body, r#"{"a":1}"#);
}

#[tokio::test]
async fn an_event_that_no_trigger_wants_is_accepted() {
    let sink = Subscriber::answering(&[200]).await;
    let manifest = broker("") + &trigger("other", Some("other"), "sink", "");
    let decant = TestBroker::start(&manifest, &[("sink", &sink)]).await;

    assert_eq!(decant.send("unwanted", &[], "").await, StatusCode::ACCEPTED);

    decant.idle().await;
    assert_eq!(sink.pending(), 0);
}

#[tokio::test]
async fn a_bad_or_batched_event_is_refused_with_400() {
    let sink = Subscriber::answering(&[200]).await;
    let decant = TestBroker::start(&to_sink(), &[("sink", &sink)]).await;
    let post = async |content_type: &str, body: &'static str| {
        let request = decant
            .http
            .post(decant.url.clone())
            .header("content-type", content_type);
        request.body(body).send().await.unwrap().status()
    };

    assert_eq!(
        decant.send("t", &[("ce-id", "")], "").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        decant.send("t", &[("ce-time", "noon")], "").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        decant.send("t", &[("ce-specversion", "9")], "").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post("text/plain", "no event").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post("application/cloudevents+json", "{").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post("application/cloudevents-batch+json", "[]").await,
        StatusCode::BAD_REQUEST
    );
    let two_lines = r#"{"specversion":"1.0","id":"a\nb","source":"/s","type":"t"}"#;
    assert_eq!(
        post("application/cloudevents+json", two_lines).await,
        StatusCode::BAD_REQUEST
    );
    decant.idle().await;
    assert_eq!(sink.pending(), 0);
}

#[tokio::test]
async fn only_post_to_the_root_is_served() {
    let sink = Subscriber::answering(&[200]).await;
    let decant = TestBroker::start(&to_sink(), &[("sink", &sink)]).await;

    let get = decant.http.get(decant.url.clone()).send().await.unwrap();
    let other = decant
        .http
        .post(decant.url.join("/default/decant").unwrap())
        .send()
        .await
        .unwrap();

    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_event_above_64_kib_is_refused() {
    let sink = Subscriber::answering(&[200]).await;
    let decant = TestBroker::start(&to_sink(), &[("sink", &sink)]).await;
    let body: &'static str = "x".repeat(decant_broker::MAX_EVENT_BYTES + 1).leak();

    assert_eq!(
        decant.send("t", &[], body).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn a_full_queue_is_answered_with_503_and_takes_events_again_when_it_has_room() {
    let gate = Arc::new(Semaphore::new(0));
    let mut sink = Subscriber::gated(Arc::clone(&gate)).await;
    let (queues, clock) = (MemoryQueues::with_capacity(2), TestClock::fast());
    let services = [("sink", &sink)];
    let decant = TestBroker::with(
        &to_sink(),
        &services,
        queues,
        clock,
        Duration::from_secs(10),
    )
    .await;

    assert_eq!(decant.send("t", &[], "").await, StatusCode::ACCEPTED);
    assert_eq!(decant.send("t", &[], "").await, StatusCode::ACCEPTED);
    assert_eq!(
        decant.send("t", &[], "").await,
        StatusCode::SERVICE_UNAVAILABLE
    );

    gate.add_permits(3);
    assert_eq!(decant.idle().await[0].delivered, 2);
    assert_eq!(decant.send("t", &[], "").await, StatusCode::ACCEPTED);
    for _ in 0..3 {
        sink.next().await;
    }
}

#[tokio::test]
async fn an_event_that_the_queue_does_not_confirm_is_answered_with_503() {
    let sink = Subscriber::answering(&[200]).await;
    let queues = Unconfirming::when(|_| true);
    let (services, clock) = ([("sink", &sink)], TestClock::fast());
    let decant = TestBroker::with(
        &to_sink(),
        &services,
        queues,
        clock,
        Duration::from_secs(10),
    )
    .await;

    assert_eq!(
        decant.send("t", &[], "").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn an_event_without_a_time_gets_a_fresh_one_with_every_delivery() {
    let mut sink = Subscriber::answering(&[503, 200]).await;
    let manifest = broker("") + &trigger("all", None, "sink", &with_sink(1, "sink"));
    let decant = TestBroker::start(&manifest, &[("sink", &sink)]).await;

    decant.send("t", &[], "").await;

    assert_eq!(
        sink.next().await.header("ce-time"),
        "2026-01-01T00:00:00+00:00"
    );
    assert_eq!(
        sink.next().await.header("ce-time"),
        "2026-01-01T00:00:00.400+00:00"
    );
}

#[tokio::test]
async fn the_trace_travels_in_the_http_headers_and_not_in_extensions() {
    let mut sink = Subscriber::answering(&[200]).await;
    let decant = TestBroker::start(&to_sink(), &[("sink", &sink)]).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("traceparent", parent),
        ("tracestate", "a=b"),
        ("ce-traceparent", "00-x"),
        ("ce-tracestate", "c=d"),
    ];

    decant.send("t", &headers, "").await;

    let got = sink.next().await;
    assert_eq!(
        (got.header("traceparent"), got.header("tracestate")),
        (parent, "a=b")
    );
    assert!(!got.headers.contains_key("ce-traceparent"));
    assert!(!got.headers.contains_key("ce-tracestate"));
}
