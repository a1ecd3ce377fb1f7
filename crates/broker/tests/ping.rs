//! PingSources.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::time::Duration;

use decant_broker::{MemoryQueues, PingError};
use support::{Subscriber, TestBroker, TestClock, broker, service_ref};

fn sweep() -> String {
    format!(
        "{}apiVersion: sources.knative.dev/v1\nkind: PingSource\nmetadata: {{name: sweep, namespace: decant}}\nspec: {{schedule: '*/10 * * * *', contentType: application/json, data: '{{}}', sink: {{{}, uri: /ping}}}}\n",
        broker(""),
        service_ref("notify"),
    )
}

#[tokio::test]
async fn a_ping_source_sends_an_event_straight_to_its_sink_at_every_tick() {
    let mut notify = Subscriber::answering(&[200]).await;
    let clock = TestClock::stepped("2026-01-01T10:57:30Z");
    let (services, queues) = ([("notify", &notify)], MemoryQueues::default());
    let manifest = sweep();
    let decant =
        TestBroker::with(&manifest, &services, queues, clock, Duration::from_secs(10)).await;

    decant.clock.step(3);
    let first = notify.next().await;
    decant.clock.step(10);
    let second = notify.next().await;

    assert_eq!(first.path, "/ping");
    assert_eq!(first.body, "{}");
    for (name, value) in [
        ("ce-type", "dev.knative.sources.ping"),
        ("ce-source", "/apis/v1/namespaces/decant/pingsources/sweep"),
        ("ce-id", "sweep-2026-01-01T11:00:00.000Z"),
        ("ce-time", "2026-01-01T11:00:00+00:00"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(first.header(name), value, "{name}");
    }
    assert_eq!(second.header("ce-time"), "2026-01-01T11:10:00+00:00");
    let waits = decant.clock.waits();
    assert_eq!(
        waits[..3],
        [60.0, 60.0, 30.0],
        "it looks at the time of day every minute"
    );
    assert_eq!(waits[3..].iter().sum::<f64>(), 600.0);
}

#[tokio::test]
async fn a_ping_can_be_sent_now_with_other_data() {
    let mut notify = Subscriber::answering(&[200, 503]).await;
    let clock = TestClock::stepped("2026-01-01T10:57:30Z");
    let (services, queues) = ([("notify", &notify)], MemoryQueues::default());
    let manifest = sweep();
    let decant =
        TestBroker::with(&manifest, &services, queues, clock, Duration::from_secs(10)).await;
    let data = Some(r#"{"at":"start"}"#.to_owned());

    decant.broker.ping("sweep", data).await.unwrap();

    let got = notify.next().await;
    assert_eq!(got.body, r#"{"at":"start"}"#);
    assert_eq!(got.header("ce-time"), "2026-01-01T10:57:30+00:00");
    assert!(matches!(
        decant.broker.ping("sweep", None).await,
        Err(PingError::Failed { .. })
    ));
    assert!(matches!(
        decant.broker.ping("swoop", None).await,
        Err(PingError::Unknown(_))
    ));
}
