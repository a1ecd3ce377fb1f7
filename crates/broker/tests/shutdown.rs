//! How a Broker ends: nothing that was taken in is lost while its queues live.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::{sync::Arc, time::Duration};

use decant_broker::{MemoryQueues, Queues as _};
use support::{Subscriber, TestBroker, TestClock, broker, soon, trigger, with_sink};
use tokio::sync::Semaphore;

const QUEUE: &str = "decant.all.decant-up";

fn to_convert() -> String {
    broker("") + &trigger("all", None, "convert", &with_sink(5, "convert"))
}

#[tokio::test]
async fn deliveries_in_flight_end_and_nothing_new_is_taken() {
    let gate = Arc::new(Semaphore::new(0));
    let mut convert = Subscriber::gated(Arc::clone(&gate)).await;
    let (queues, clock) = (MemoryQueues::default(), TestClock::fast());
    let services = [("convert", &convert)];
    let grace = Duration::from_secs(10);
    let decant = TestBroker::with(&to_convert(), &services, queues.clone(), clock, grace).await;
    let (url, http) = (decant.url.clone(), decant.http.clone());
    decant.send("t", &[], "").await;
    decant.send("t", &[], "").await;
    convert.next().await;

    let ended = decant.begin_stop();
    soon(async { while http.get(url.clone()).send().await.is_ok() {} }).await;
    assert!(!ended.is_finished(), "it waits for the delivery");
    gate.add_permits(2);

    soon(ended).await.unwrap().unwrap();
    assert_eq!(convert.pending(), 0, "the second was not begun");
    assert_eq!(
        queues.depth(QUEUE).await.unwrap(),
        1,
        "only the first is done"
    );
}

#[tokio::test]
async fn a_delivery_that_outlasts_the_grace_goes_back_to_its_queue() {
    let mut convert = Subscriber::gated(Arc::new(Semaphore::new(0))).await;
    let (queues, clock) = (MemoryQueues::default(), TestClock::fast());
    let services = [("convert", &convert)];
    let grace = Duration::from_millis(20);
    let decant = TestBroker::with(&to_convert(), &services, queues.clone(), clock, grace).await;
    decant.send("t", &[], "").await;
    convert.next().await;

    soon(decant.begin_stop()).await.unwrap().unwrap();

    assert_eq!(queues.depth(QUEUE).await.unwrap(), 1);
}

#[tokio::test]
async fn an_event_that_waits_for_its_next_try_goes_back_to_its_queue_at_once() {
    let mut convert = Subscriber::answering(&[503]).await;
    let (queues, clock) = (
        MemoryQueues::default(),
        TestClock::stepped("2026-01-01T00:00:00Z"),
    );
    let services = [("convert", &convert)];
    let grace = Duration::from_secs(600);
    let decant = TestBroker::with(&to_convert(), &services, queues.clone(), clock, grace).await;
    decant.send("t", &[], "").await;
    convert.next().await;

    soon(decant.begin_stop()).await.unwrap().unwrap();

    assert_eq!(queues.depth(QUEUE).await.unwrap(), 1);
}

#[tokio::test]
async fn a_broker_that_starts_on_the_same_queues_delivers_what_was_left() {
    let mut convert = Subscriber::answering(&[503, 200]).await;
    let (queues, clock) = (
        MemoryQueues::default(),
        TestClock::stepped("2026-01-01T00:00:00Z"),
    );
    let services = [("convert", &convert)];
    let grace = Duration::from_secs(600);
    let first = TestBroker::with(&to_convert(), &services, queues.clone(), clock, grace).await;
    first.send("t", &[("ce-id", "left")], "").await;
    convert.next().await;
    soon(first.begin_stop()).await.unwrap().unwrap();

    let clock = TestClock::fast();
    let _second = TestBroker::with(
        &to_convert(),
        &[("convert", &convert)],
        queues,
        clock,
        grace,
    )
    .await;

    assert_eq!(convert.next().await.header("ce-id"), "left");
}
