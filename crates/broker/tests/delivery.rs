//! What is tried again, and when.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Response, header::LOCATION},
};
use support::{Subscriber, TestBroker, broker, row, trigger, with_sink};
use tokio::sync::Semaphore;

/// One Trigger for everything to `convert`, with so many retries and a dead-letter sink at `notify`.
fn to_convert(retry: u32) -> String {
    broker("") + &trigger("all", None, "convert", &with_sink(retry, "notify"))
}

#[tokio::test]
async fn a_404_408_409_429_or_5xx_is_retried() {
    let statuses = [404, 408, 409, 429, 500, 502, 503, 504, 599];
    let convert = Subscriber::answering(&[&statuses[..], &[204]].concat()).await;
    let notify = Subscriber::answering(&[200]).await;
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&to_convert(20), &services).await;

    decant.send("t", &[], "").await;

    let stats = decant.idle().await;
    let retries = statuses.len() as u64;
    assert_eq!(convert.pending(), statuses.len() + 1);
    assert_eq!(
        (
            row(&stats, "all", false).retried,
            row(&stats, "all", false).delivered
        ),
        (retries, 1)
    );
    assert_eq!(notify.pending(), 0);
}

#[tokio::test]
async fn any_other_4xx_and_3xx_is_final_the_event_is_acknowledged_and_gone() {
    for status in [301, 302, 304, 307, 400, 401, 403, 405, 410, 413, 422, 451] {
        let convert = Subscriber::answering(&[status]).await;
        let notify = Subscriber::answering(&[200]).await;
        let services = [("convert", &convert), ("notify", &notify)];
        let decant = TestBroker::start(&to_convert(5), &services).await;

        decant.send("t", &[], "").await;

        let stats = decant.idle().await;
        assert_eq!(convert.pending(), 1, "{status} is not tried again");
        assert_eq!(notify.pending(), 0, "{status} leaves no dead letter");
        assert_eq!(row(&stats, "all", false).refused, 1, "{status} is counted");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Subscriber::answering(&[200]).await;
    let to = elsewhere.url.to_string();
    let convert = Subscriber::replying(move |_, _| {
        Response::builder()
            .status(307)
            .header(LOCATION, &to)
            .body(Body::empty())
            .unwrap()
    })
    .await;
    let services = [("convert", &convert), ("notify", &elsewhere)];
    let decant = TestBroker::start(&to_convert(3), &services).await;

    decant.send("t", &[], "").await;

    decant.idle().await;
    assert_eq!((convert.pending(), elsewhere.pending()), (1, 0));
}

#[tokio::test]
async fn exponential_back_off_begins_at_twice_the_delay_and_doubles() {
    let convert = Subscriber::answering(&[503]).await;
    let delivery = "delivery: {retry: 4, backoffPolicy: exponential, backoffDelay: PT0.2S}";
    let manifest = broker("") + &trigger("all", None, "convert", delivery);
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    decant.send("t", &[], "").await;

    decant.idle().await;
    assert_eq!(decant.clock.waits(), [0.4, 0.8, 1.6, 3.2]);
}

#[tokio::test]
async fn linear_back_off_grows_by_the_delay() {
    let convert = Subscriber::answering(&[503]).await;
    let delivery = "delivery: {retry: 3, backoffPolicy: linear, backoffDelay: PT1.5S}";
    let manifest = broker("") + &trigger("all", None, "convert", delivery);
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    decant.send("t", &[], "").await;

    decant.idle().await;
    assert_eq!(decant.clock.waits(), [1.5, 3.0, 4.5]);
}

#[tokio::test]
async fn what_a_service_has_no_room_for_waits_outside_its_request() {
    let gate = Arc::new(Semaphore::new(0));
    let mut narrow = Subscriber::gated(Arc::clone(&gate)).await;
    let annotation = "namespace: decant, annotations: {rabbitmq.eventing.knative.dev/parallelism: '3'}}\nspec:\n";
    let manifest = broker("") + &trigger("all", None, "narrow", "");
    let manifest = manifest.replace("namespace: decant}\nspec:\n", annotation);
    let decant = TestBroker::start(&manifest, &[("narrow", &narrow)]).await;

    for _ in 0..3 {
        decant.send("t", &[], "").await;
    }

    // Three deliveries have begun, but the service takes one request at a time.
    decant.in_flight(3).await;
    narrow.next().await;
    assert_eq!(narrow.pending(), 0);
    gate.add_permits(3);
    assert_eq!(decant.idle().await[0].delivered, 3);
}

#[tokio::test]
async fn a_retry_that_waits_takes_no_room() {
    let mut narrow = Subscriber::answering(&[503, 200]).await;
    let manifest = broker("") + &trigger("all", None, "narrow", "delivery: {retry: 1}");
    let decant = TestBroker::start(&manifest, &[("narrow", &narrow)]).await;

    decant.send("t", &[], "").await;

    narrow.next().await;
    narrow.next().await;
    assert_eq!(decant.idle().await[0].delivered, 1);
}

#[tokio::test]
async fn a_try_that_outlasts_what_serving_allows_is_retried() {
    let mut convert = Subscriber::gated(Arc::new(Semaphore::new(0))).await;
    let service = "---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: convert}\n\
                   spec: {template: {spec: {timeoutSeconds: 1}}}\n";
    let delivery = "delivery: {retry: 1}";
    let manifest = broker("") + &trigger("all", None, "convert", delivery) + service;
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    decant.send("t", &[], "").await;

    convert.next().await;
    convert.next().await;
}

#[tokio::test]
async fn a_try_that_outlasts_the_timeout_is_retried() {
    let mut convert = Subscriber::gated(Arc::new(Semaphore::new(0))).await;
    let mut notify = Subscriber::answering(&[200]).await;
    let delivery = with_sink(1, "notify").replace("retry: 1", "retry: 1, timeout: PT0.05S");
    let manifest = broker("") + &trigger("all", None, "convert", &delivery);
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&manifest, &services).await;

    decant.send("t", &[], "").await;

    convert.next().await;
    convert.next().await;
    assert_eq!(notify.next().await.header("ce-knativeerrorcode"), "-1");
}
