//! What becomes of a subscriber's answer.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::time::Duration;

use axum::{body::Body, http::Response};
use cloudevents::AttributesReader as _;
use support::{Subscriber, TestBroker, TestClock, Unconfirming, broker, row, trigger, with_sink};

/// `asked` goes to convert, `answered` to notify, dead letters of both too.
fn there_and_back() -> String {
    broker("")
        + &trigger("asked", Some("asked"), "convert", &with_sink(1, "notify"))
        + &trigger(
            "answered",
            Some("answered"),
            "notify",
            &with_sink(1, "notify"),
        )
}

fn binary(ty: &str, id: &str, data: &'static str) -> Response<Body> {
    let response = Response::builder()
        .header("ce-specversion", "1.0")
        .header("ce-source", "/convert");
    let response = response.header("ce-type", ty).header("ce-id", id);
    response.body(Body::from(data)).unwrap()
}

#[tokio::test]
async fn a_reply_in_binary_mode_goes_back_to_the_broker_with_the_trace_of_the_input() {
    let convert = Subscriber::replying(|_, _| binary("answered", "2", "mp3")).await;
    let mut notify = Subscriber::answering(&[200]).await;
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&there_and_back(), &services).await;
    let trace = [("traceparent", "00-a"), ("tracestate", "b=c")];

    decant.send("asked", &trace, "").await;

    let got = notify.next().await;
    assert_eq!(
        (got.header("ce-id"), got.header("ce-source")),
        ("2", "/convert")
    );
    assert_eq!(got.body, "mp3");
    assert_eq!(
        (got.header("traceparent"), got.header("tracestate")),
        ("00-a", "b=c")
    );
}

#[tokio::test]
async fn a_reply_in_structured_mode_goes_back_to_the_broker() {
    let convert = Subscriber::replying(|_, _| {
        let event = r#"{"specversion":"1.0","id":"3","source":"/convert","type":"answered"}"#;
        let response = Response::builder().header("content-type", "application/cloudevents+json");
        response.body(Body::from(event)).unwrap()
    })
    .await;
    let mut notify = Subscriber::answering(&[200]).await;
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&there_and_back(), &services).await;

    decant.send("asked", &[], "").await;

    assert_eq!(notify.next().await.header("ce-id"), "3");
}

#[tokio::test]
async fn a_plain_2xx_is_a_success_without_a_reply() {
    for status in [200, 202, 204] {
        let convert = Subscriber::answering(&[status]).await;
        let notify = Subscriber::answering(&[200]).await;
        let services = [("convert", &convert), ("notify", &notify)];
        let decant = TestBroker::start(&there_and_back(), &services).await;

        decant.send("asked", &[], "").await;

        let stats = decant.idle().await;
        assert_eq!(row(&stats, "asked", false).delivered, 1);
        assert_eq!((convert.pending(), notify.pending()), (1, 0));
    }
}

#[tokio::test]
async fn when_the_reply_can_not_be_posted_the_input_is_dead_lettered_after_the_work_was_done() {
    let convert = Subscriber::replying(|_, _| binary("answered", "2", "mp3")).await;
    let mut notify = Subscriber::answering(&[200]).await;
    let services = [("convert", &convert), ("notify", &notify)];
    let queues = Unconfirming::when(|message| message.event.ty() == "answered");
    let (manifest, clock) = (there_and_back(), TestClock::fast());
    let decant =
        TestBroker::with(&manifest, &services, queues, clock, Duration::from_secs(10)).await;

    decant.send("asked", &[("ce-id", "input")], "video").await;

    let letter = notify.next().await;
    assert_eq!(
        (letter.path.as_str(), letter.header("ce-id")),
        ("/dead-letter", "input")
    );
    assert_eq!(letter.body, "video");
    assert_eq!(letter.header("ce-knativeerrorcode"), "200");
    assert_eq!(convert.pending(), 1, "the work is not done again");
    assert_eq!(
        decant.clock.waits(),
        [0.4],
        "posting the reply is tried as often as a delivery"
    );
}

#[tokio::test]
async fn a_reply_that_is_no_valid_event_or_too_long_dead_letters_the_input() {
    let long: &'static str = "x".repeat(decant_broker::MAX_EVENT_BYTES + 1).leak();
    for (id, data) in [("", ""), ("1", long)] {
        let convert = Subscriber::replying(move |_, _| binary("answered", id, data)).await;
        let mut notify = Subscriber::answering(&[200]).await;
        let services = [("convert", &convert), ("notify", &notify)];
        let decant = TestBroker::start(&there_and_back(), &services).await;

        decant.send("asked", &[("ce-id", "input")], "").await;

        assert_eq!(notify.next().await.header("ce-id"), "input");
        assert_eq!(row(&decant.idle().await, "asked", false).dead_lettered, 1);
    }
}

#[tokio::test]
async fn the_answer_of_a_dead_letter_sink_goes_back_to_the_broker_like_any_reply() {
    let convert = Subscriber::answering(&[503]).await;
    let mut notify = Subscriber::replying(|_, got| match got.path.as_str() {
        "/dead-letter" => binary("answered", "failed", ""),
        _ => Response::new(Body::empty()),
    })
    .await;
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&there_and_back(), &services).await;

    decant.send("asked", &[], "").await;

    assert_eq!(notify.next().await.path, "/dead-letter");
    let reply = notify.next().await;
    assert_eq!(
        (reply.path.as_str(), reply.header("ce-id")),
        ("/", "failed")
    );
    assert!(!reply.headers.contains_key("ce-knativeerrordest"));
    decant.idle().await;
    assert_eq!(notify.pending(), 0);
}
