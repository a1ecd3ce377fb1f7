//! What the broker relies on, for any back end: each test hands in fresh, empty queues.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

use std::{collections::BTreeMap, future::Future, time::Duration};

use cloudevents::{AttributesReader as _, EventBuilder as _, EventBuilderV10};
use decant_broker::{Consumer, Delivery, Filter, Message, QueueError, QueueSpec, Queues, Trace};

/// Runs every test of the suite, one after the other, on queues from `fresh`.
pub(crate) async fn holds<Q: Queues, F: Future<Output = Q>>(fresh: impl Fn() -> F) {
    a_published_message_arrives_whole(fresh().await).await;
    a_message_is_copied_into_every_queue_whose_filter_it_passes(fresh().await).await;
    a_message_that_no_queue_wants_is_confirmed(fresh().await).await;
    an_acknowledged_message_is_gone(fresh().await).await;
    a_message_dropped_unsettled_comes_again_before_the_others(fresh().await).await;
    a_lost_consumer_gives_everything_back(fresh().await).await;
    no_more_than_the_prefetch_is_out_unsettled(fresh().await).await;
    two_consumers_share_a_queue(fresh().await).await;
    a_dead_letter_moves_to_the_dead_letter_queue(fresh().await).await;
    a_dead_letter_of_a_queue_without_one_is_gone(fresh().await).await;
    a_dead_letter_queue_that_is_its_own_takes_the_letter_to_its_end(fresh().await).await;
    declaring_again_keeps_what_is_in_the_queue(fresh().await).await;
    a_queue_never_declared_is_an_error(fresh().await).await;
}

async fn a_published_message_arrives_whole(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    let mut sent = message("t", "1");
    sent.event.set_extension("run", "2");
    sent.trace = Trace {
        parent: Some("00-a".into()),
        state: Some("b=c".into()),
    };

    queues.publish(sent.clone()).await.unwrap();

    assert_eq!(next(&mut consumer(&queues, "q").await).await.message, sent);
}

async fn a_message_is_copied_into_every_queue_whose_filter_it_passes(queues: impl Queues) {
    declare(&queues, "all", &[], None).await;
    declare(&queues, "t", &[("type", "t")], None).await;
    declare(
        &queues,
        "t of other",
        &[("type", "t"), ("source", "/other")],
        None,
    )
    .await;

    queues.publish(message("t", "1")).await.unwrap();
    queues.publish(message("u", "2")).await.unwrap();

    assert_eq!(queues.depth("all").await.unwrap(), 2);
    assert_eq!(queues.depth("t").await.unwrap(), 1);
    assert_eq!(queues.depth("t of other").await.unwrap(), 0);
}

async fn a_message_that_no_queue_wants_is_confirmed(queues: impl Queues) {
    declare(&queues, "t", &[("type", "t")], None).await;

    queues.publish(message("u", "1")).await.unwrap();
}

async fn an_acknowledged_message_is_gone(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    publish(&queues, &["1", "2"]).await;
    let mut first = consumer(&queues, "q").await;

    next(&mut first).await.ack().await.unwrap();
    drop(first);

    assert_eq!(id(&next(&mut consumer(&queues, "q").await).await), "2");
}

async fn a_message_dropped_unsettled_comes_again_before_the_others(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    publish(&queues, &["1", "2"]).await;
    let mut consumer = queues.consume("q", 1).await.unwrap();

    drop(next(&mut consumer).await);

    assert_eq!(id(&next(&mut consumer).await), "1");
}

async fn a_lost_consumer_gives_everything_back(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    publish(&queues, &["1", "2"]).await;
    let mut lost = consumer(&queues, "q").await;
    let taken = [next(&mut lost).await, next(&mut lost).await];

    drop((taken, lost));

    let mut other = consumer(&queues, "q").await;
    let mut again = [id(&next(&mut other).await), id(&next(&mut other).await)];
    again.sort();
    assert_eq!(again, ["1", "2"]);
}

async fn no_more_than_the_prefetch_is_out_unsettled(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    publish(&queues, &["1", "2", "3"]).await;
    let mut consumer = queues.consume("q", 2).await.unwrap();

    let (first, _second) = (next(&mut consumer).await, next(&mut consumer).await);
    assert!(nothing_comes(&mut consumer).await);
    first.ack().await.unwrap();

    assert_eq!(id(&next(&mut consumer).await), "3");
}

async fn two_consumers_share_a_queue(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    let mut one = queues.consume("q", 1).await.unwrap();
    let mut two = queues.consume("q", 1).await.unwrap();

    let both = tokio::join!(
        next(&mut one),
        next(&mut two),
        publish(&queues, &["1", "2"])
    );

    let mut ids = [id(&both.0), id(&both.1)];
    ids.sort();
    assert_eq!(ids, ["1", "2"]);
}

async fn a_dead_letter_moves_to_the_dead_letter_queue(queues: impl Queues) {
    declare_letters(&queues, "letters").await;
    declare(&queues, "q", &[], Some("letters")).await;
    publish(&queues, &["1"]).await;
    let delivery = next(&mut consumer(&queues, "q").await).await;
    let mut letter = delivery.message.clone();
    letter
        .event
        .set_extension("knativeerrordest", "http://convert/");

    delivery.dead_letter(letter.clone()).await.unwrap();

    assert_eq!(
        next(&mut consumer(&queues, "letters").await).await.message,
        letter
    );
    assert!(nothing_comes(&mut consumer(&queues, "q").await).await);
}

async fn a_dead_letter_of_a_queue_without_one_is_gone(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    publish(&queues, &["1"]).await;
    let delivery = next(&mut consumer(&queues, "q").await).await;
    let letter = delivery.message.clone();

    delivery.dead_letter(letter).await.unwrap();

    assert!(nothing_comes(&mut consumer(&queues, "q").await).await);
}

async fn a_dead_letter_queue_that_is_its_own_takes_the_letter_to_its_end(queues: impl Queues) {
    declare_letters(&queues, "letters").await;
    declare(&queues, "q", &[], Some("letters")).await;
    publish(&queues, &["1", "2"]).await;
    let mut failing = consumer(&queues, "q").await;
    for _ in 0..2 {
        let delivery = next(&mut failing).await;
        let letter = delivery.message.clone();
        delivery.dead_letter(letter).await.unwrap();
    }
    let mut letters = queues.consume("letters", 1).await.unwrap();

    let delivery = next(&mut letters).await;
    let letter = delivery.message.clone();
    assert_eq!(id(&delivery), "1");
    delivery.dead_letter(letter).await.unwrap();

    let second = next(&mut letters).await;
    assert_eq!(id(&second), "2");
    second.ack().await.unwrap();
    assert_eq!(id(&next(&mut letters).await), "1");
}

async fn declaring_again_keeps_what_is_in_the_queue(queues: impl Queues) {
    declare(&queues, "q", &[], None).await;
    publish(&queues, &["1"]).await;

    declare(&queues, "q", &[], None).await;

    assert_eq!(queues.depth("q").await.unwrap(), 1);
}

async fn a_queue_never_declared_is_an_error(queues: impl Queues) {
    assert!(matches!(
        queues.depth("q").await,
        Err(QueueError::Unknown(_))
    ));
    assert!(matches!(
        queues.consume("q", 1).await,
        Err(QueueError::Unknown(_))
    ));
}

fn message(ty: &str, id: &str) -> Message {
    let event = EventBuilderV10::new()
        .id(id)
        .ty(ty)
        .source("/test")
        .data("text/plain", b"data".to_vec());
    Message::new(event.build().unwrap(), Trace::default()).unwrap()
}

fn id(delivery: &Delivery) -> String {
    delivery.message.event.id().to_owned()
}

async fn declare(queues: &impl Queues, name: &str, filter: &[(&str, &str)], letters: Option<&str>) {
    let filter: BTreeMap<_, _> = filter
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let dead_letter = letters.map(str::to_owned);
    let spec = QueueSpec {
        name: name.into(),
        filter: Some(Filter(filter)),
        dead_letter,
    };
    queues.declare(spec).await.unwrap();
}

async fn declare_letters(queues: &impl Queues, name: &str) {
    let spec = QueueSpec {
        name: name.into(),
        filter: None,
        dead_letter: Some(name.into()),
    };
    queues.declare(spec).await.unwrap();
}

async fn publish(queues: &impl Queues, ids: &[&str]) {
    for id in ids {
        queues.publish(message("t", id)).await.unwrap();
    }
}

async fn consumer(queues: &impl Queues, name: &str) -> Box<dyn Consumer> {
    queues.consume(name, 100).await.unwrap()
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    let next = tokio::time::timeout(Duration::from_secs(20), consumer.next());
    next.await.expect("a message should come soon").unwrap()
}

async fn nothing_comes(consumer: &mut Box<dyn Consumer>) -> bool {
    tokio::time::timeout(Duration::from_millis(100), consumer.next())
        .await
        .is_err()
}
