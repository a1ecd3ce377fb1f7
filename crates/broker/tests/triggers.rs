//! Which events a Trigger takes, and how many at once.

mod support;

use std::sync::Arc;

use support::{Subscriber, TestBroker, broker, trigger};
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_filter_compares_attributes_and_extensions_exactly() {
    let convert = Subscriber::answering(&[200]).await;
    let filter = "filter: {attributes: {type: t, source: /test, subject: s, run: '2'}}";
    let manifest = broker("") + &trigger("all", None, "convert", filter);
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    decant
        .send(
            "t",
            &[("ce-subject", "s"), ("ce-run", "2"), ("ce-more", "x")],
            "",
        )
        .await;
    decant
        .send("t", &[("ce-subject", "s"), ("ce-run", "22")], "")
        .await;
    decant.send("t", &[("ce-subject", "s")], "").await;
    decant
        .send("tt", &[("ce-subject", "s"), ("ce-run", "2")], "")
        .await;

    decant.idle().await;
    assert_eq!(convert.pending(), 1);
}

#[tokio::test]
async fn filters_in_the_plural_are_ignored_the_trigger_gets_every_event() {
    let convert = Subscriber::answering(&[200]).await;
    let manifest =
        broker("") + &trigger("all", None, "convert", "filters: [{exact: {type: other}}]");
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    decant.send("t", &[], "").await;

    assert_eq!(decant.idle().await[0].delivered, 1);
}

#[tokio::test]
async fn parallelism_is_one_unless_the_annotation_says_more() {
    let gate = Arc::new(Semaphore::new(0));
    let convert = Subscriber::gated(Arc::clone(&gate)).await;
    let one = broker("") + &trigger("all", None, "convert", "");
    let annotation = "namespace: decant, annotations: {rabbitmq.eventing.knative.dev/parallelism: '3'}}\nspec:\n";
    let three = one.replace("namespace: decant}\nspec:\n", annotation);

    for (manifest, at_once) in [(one, 1), (three, 3)] {
        let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;
        for _ in 0..5 {
            decant.send("t", &[], "").await;
        }
        let row = decant.in_flight(at_once).await;
        assert_eq!(row.depth, Some(5 - at_once as usize));
        gate.add_permits(5);
        assert_eq!(decant.idle().await[0].delivered, 5);
    }
}

#[tokio::test]
async fn parallelism_one_keeps_the_order() {
    let mut convert = Subscriber::answering(&[503, 200]).await;
    let manifest = broker("") + &trigger("all", None, "convert", "delivery: {retry: 2}");
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;
    let ids = ["1", "2", "3", "4", "5"];

    for id in ids {
        decant.send("t", &[("ce-id", id)], "").await;
    }

    assert_eq!(
        convert.next().await.header("ce-id"),
        "1",
        "the first fails once"
    );
    for id in ids {
        assert_eq!(convert.next().await.header("ce-id"), id);
    }
}

#[tokio::test]
async fn no_more_than_the_prefetch_of_100_is_out_whatever_the_parallelism() {
    let gate = Arc::new(Semaphore::new(0));
    let convert = Subscriber::gated(Arc::clone(&gate)).await;
    let annotation = "namespace: decant, annotations: {rabbitmq.eventing.knative.dev/parallelism: '1000'}}\nspec:\n";
    let manifest = broker("") + &trigger("all", None, "convert", "");
    let manifest = manifest.replace("namespace: decant}\nspec:\n", annotation);
    let decant = TestBroker::start(&manifest, &[("convert", &convert)]).await;

    for _ in 0..105 {
        decant.send("t", &[], "").await;
    }

    assert_eq!(decant.in_flight(100).await.depth, Some(5));
    gate.add_permits(105);
    assert_eq!(decant.idle().await[0].delivered, 105);
}
