//! What becomes of an event after its last try.

mod support;

use decant_test_servers::free_port;
use support::{Subscriber, TestBroker, broker, row, service_ref, trigger, with_sink};

/// One Trigger for everything to `convert`, with so many retries and a dead-letter sink at `notify`.
fn to_convert(retry: u32) -> String {
    broker("") + &trigger("all", None, "convert", &with_sink(retry, "notify"))
}

#[tokio::test]
async fn after_the_last_try_the_event_goes_to_the_dead_letter_sink_and_says_where_it_failed() {
    let convert = Subscriber::answering(&[500, 500, 503]).await;
    let mut notify = Subscriber::answering(&[200]).await;
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&to_convert(2), &services).await;
    let headers = [
        ("ce-id", "the id"),
        ("ce-time", "2026-02-03T04:05:06Z"),
        ("traceparent", "00-a"),
    ];

    decant
        .send("dev.decant.video.uploaded", &headers, "the data")
        .await;

    let letter = notify.next().await;
    assert_eq!(convert.pending(), 3, "one try and two retries");
    assert_eq!(
        (letter.path.as_str(), &letter.body[..]),
        ("/dead-letter", &b"the data"[..])
    );
    for (name, value) in [
        ("ce-id", "the id"),
        ("ce-type", "dev.decant.video.uploaded"),
        ("ce-source", "/test"),
        ("ce-time", "2026-02-03T04:05:06+00:00"),
        ("ce-knativeerrordest", convert.url.as_str()),
        ("ce-knativeerrorcode", "503"),
        ("traceparent", "00-a"),
    ] {
        assert_eq!(letter.header(name), value, "{name}");
    }
    let stats = decant.idle().await;
    assert_eq!(row(&stats, "all", false).dead_lettered, 1);
    assert_eq!(row(&stats, "all", true).delivered, 1);
}

#[tokio::test]
async fn a_subscriber_that_is_not_there_is_tried_again_and_has_the_code_minus_one() {
    let port = free_port();
    let mut notify = Subscriber::answering(&[200]).await;
    let nowhere = trigger("all", None, "convert", &with_sink(2, "notify")).replace(
        &service_ref("convert"),
        &format!("uri: 'http://127.0.0.1:{port}/here'"),
    );
    let decant = TestBroker::start(&(broker("") + &nowhere), &[("notify", &notify)]).await;

    decant.send("t", &[], "").await;

    let letter = notify.next().await;
    assert_eq!(letter.header("ce-knativeerrorcode"), "-1");
    assert_eq!(
        letter.header("ce-knativeerrordest"),
        format!("http://127.0.0.1:{port}/here")
    );
    assert_eq!(decant.clock.waits().len(), 2);
}

#[tokio::test]
async fn without_a_delivery_spec_nothing_is_retried_and_the_event_is_dropped() {
    let convert = Subscriber::answering(&[503]).await;
    let manifest = broker("") + &trigger("all", None, "convert", "");
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    decant.send("t", &[], "").await;

    let stats = decant.idle().await;
    assert_eq!(
        (convert.pending(), stats[0].retried, stats[0].dropped),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn a_trigger_without_a_delivery_takes_the_brokers() {
    let convert = Subscriber::answering(&[503]).await;
    let mut notify = Subscriber::answering(&[200]).await;
    let manifest = broker(&with_sink(2, "notify")) + &trigger("all", None, "convert", "");
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&manifest, &services).await;

    decant.send("t", &[], "").await;

    notify.next().await;
    assert_eq!(convert.pending(), 3);
}

#[tokio::test]
async fn a_trigger_with_a_delivery_of_its_own_takes_nothing_of_the_brokers_not_even_the_sink() {
    let convert = Subscriber::answering(&[503]).await;
    let notify = Subscriber::answering(&[200]).await;
    let own = trigger("all", None, "convert", "delivery: {retry: 1}");
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&(broker(&with_sink(9, "notify")) + &own), &services).await;

    decant.send("t", &[], "").await;

    let stats = decant.idle().await;
    assert_eq!(
        (convert.pending(), notify.pending(), stats[0].dropped),
        (2, 0, 1)
    );
}

#[tokio::test]
async fn a_dead_letter_outlives_a_sink_that_is_down_for_longer_than_its_retries() {
    let convert = Subscriber::answering(&[503]).await;
    let mut notify = Subscriber::answering(&[503, 503, 503, 200]).await;
    let services = [("convert", &convert), ("notify", &notify)];
    let decant = TestBroker::start(&to_convert(1), &services).await;

    decant.send("t", &[], "").await;

    for _ in 0..4 {
        let letter = notify.next().await;
        assert_eq!(letter.header("ce-knativeerrordest"), convert.url.as_str());
        assert_eq!(letter.header("ce-knativeerrorcode"), "503");
    }
    let stats = decant.idle().await;
    assert_eq!(
        (row(&stats, "all", true).delivered, notify.pending()),
        (1, 0)
    );
    // The Trigger's wait, a round at the sink, the pause before the next round, and that round's wait.
    assert_eq!(decant.clock.waits(), [0.4, 0.4, 1.0, 0.4]);
}
