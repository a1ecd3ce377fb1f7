//! What the queues in RabbitMQ do when the server, a connection, a channel or a consumer goes away.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use cloudevents::{AttributesReader as _, EventBuilder as _, EventBuilderV10};
use decant_broker::{Filter, Message, QueueError, QueueSpec, Queues, RabbitQueues, Trace};
use decant_test_servers::{RabbitServer, free_port};
use support::{Subscriber, TestBroker, TestClock, broker, soon, trigger, with_sink};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

/// One server, for one test at a time: each does something to it that nobody else there would like.
static SERVER: Mutex<Option<RabbitServer>> = Mutex::const_new(None);

/// One for each test.
const VHOSTS: [&str; 16] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
];

/// The server, in the hands of one test, and a vhost of its own.
struct Rabbit {
    server: MappedMutexGuard<'static, RabbitServer>,
    vhost: &'static str,
}

impl Rabbit {
    async fn start() -> Self {
        static TESTS: AtomicUsize = AtomicUsize::new(0);
        let vhost = VHOSTS[TESTS.fetch_add(1, Relaxed)];
        let server = MutexGuard::map(SERVER.lock().await, |server| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rabbit-faults");
            server.get_or_insert_with(|| {
                let _ = fs::remove_dir_all(&folder);
                let server = RabbitServer::start(&folder);
                server.add_vhosts(&VHOSTS);
                server
            })
        });
        Self { server, vhost }
    }

    /// Lets the server do something that only Erlang can say. `EXCHANGE` is the Broker's.
    fn eval(&self, erlang: &str) -> String {
        let exchange = format!(
            "rabbit_misc:r(<<\"{}\">>, exchange, <<\"b.test\">>)",
            self.vhost
        );
        let erlang = erlang.replace("EXCHANGE", &exchange);
        self.server.ctl(&["eval", &erlang])
    }

    /// The channels with confirmations, but for those that are stuck.
    fn confirming(&self) -> String {
        self.eval("[C || C <- rabbit_channel:list() -- persistent_term:get(stuck, []), (catch rabbit_channel:info(C, [confirm])) =:= [{confirm, true}]].")
    }

    async fn queues(&self) -> RabbitQueues {
        let url = self.server.setting(self.vhost).parse().unwrap();
        let queues = RabbitQueues::connect(&url, "b.test").await.unwrap();
        let letters = QueueSpec {
            name: "letters".into(),
            filter: None,
            dead_letter: Some("letters".into()),
        };
        queues.declare(letters).await.unwrap();
        let all = QueueSpec {
            name: "all".into(),
            filter: Some(Filter(BTreeMap::new())),
            dead_letter: Some("letters".into()),
        };
        queues.declare(all).await.unwrap();
        queues
    }
}

type Ids = Arc<std::sync::Mutex<BTreeSet<String>>>;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_is_delivered_over_a_stop_and_a_kill() {
    let mut rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    let confirmed = Ids::default();
    let delivered = Ids::default();
    let publishing: Vec<_> = (0..8)
        .map(|lane| {
            let (queues, confirmed) = (queues.clone(), Arc::clone(&confirmed));
            tokio::spawn(async move {
                for n in 0.. {
                    let id = format!("{lane}-{n}");
                    if queues.publish(message(&id)).await.is_ok() {
                        confirmed.lock().unwrap().insert(id);
                    } else {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            })
        })
        .collect();
    let consuming = {
        let (queues, delivered) = (queues.clone(), Arc::clone(&delivered));
        let mut consumer = queues.consume("all", 100).await.unwrap();
        tokio::spawn(async move {
            loop {
                let delivery = consumer.next().await.unwrap();
                let id = delivery.message.event.id().to_owned();
                // Not acknowledged in time, it comes again.
                if delivery.ack().await.is_ok() {
                    delivered.lock().unwrap().insert(id);
                }
            }
        })
    };
    let count = |ids: &Ids| ids.lock().unwrap().len();
    let more = async |ids: &Ids| {
        let enough = count(ids) + 1000;
        until(async || count(ids) >= enough).await;
    };

    more(&confirmed).await;
    tokio::task::block_in_place(|| rabbit.server.stop());
    tokio::task::block_in_place(|| rabbit.server.start_again());
    more(&confirmed).await;
    more(&delivered).await;
    tokio::task::block_in_place(|| rabbit.server.kill());
    tokio::task::block_in_place(|| rabbit.server.start_again());
    more(&confirmed).await;
    for lane in publishing {
        lane.abort();
        let _ = lane.await;
    }

    let confirmed = confirmed.lock().unwrap().clone();
    until(async || confirmed.is_subset(&delivered.lock().unwrap())).await;
    consuming.abort();
    assert!(confirmed.len() >= 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_empty_gets_its_queues_again() {
    let mut rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    let mut consumer = queues.consume("all", 1).await.unwrap();

    rabbit.server.stop();
    let began = Instant::now();
    let lost = queues.publish(message("lost")).await;
    assert!(matches!(lost, Err(QueueError::Away(_))), "{lost:?}");
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "an answer at once"
    );
    rabbit.server.forget();
    rabbit.server.start_again();
    rabbit.server.add_vhosts(&VHOSTS);

    until(async || queues.publish(message("kept")).await.is_ok()).await;
    let delivery = soon(consumer.next()).await.unwrap();
    assert_eq!(delivery.message.event.id(), "kept");
    let letter = delivery.message.clone();
    delivery.dead_letter(letter).await.unwrap();
    let letter = queues.consume("letters", 1).await.unwrap().next().await;
    assert_eq!(letter.unwrap().message.event.id(), "kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_alarm_answers_503_at_once_lets_deliveries_go_on_and_passes() {
    let rabbit = Rabbit::start().await;
    let mut convert = Subscriber::answering(&[200]).await;
    let manifest = broker("") + &trigger("all", None, "convert", &with_sink(1, "convert"));
    let services = [("convert", &convert)];
    let grace = Duration::from_secs(10);
    let queues = rabbit.queues().await;
    let decant = TestBroker::with(
        &manifest,
        &services,
        queues.clone(),
        TestClock::fast(),
        grace,
    )
    .await;
    assert_eq!(decant.send("t", &[], "").await, 202);
    convert.next().await;

    rabbit
        .server
        .ctl(&["set_vm_memory_high_watermark", "0.0001"]);

    // The first one shows RabbitMQ that this connection publishes.
    let mut slowest = Duration::ZERO;
    until(async || {
        let began = Instant::now();
        let status = decant.send("t", &[], "").await;
        slowest = slowest.max(began.elapsed());
        status == 503
    })
    .await;
    assert!(slowest < Duration::from_secs(6), "{slowest:?}");
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(decant.send("t", &[], "").await, 503);
    }
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    // What is in the queues is delivered and acknowledged all the same.
    decant.idle().await;

    rabbit.server.ctl(&["set_vm_memory_high_watermark", "0.4"]);
    until(async || decant.send("t", &[("ce-id", "after")], "").await == 202).await;
    while convert.next().await.header("ce-id") != "after" {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_connection_is_closed_goes_on_and_gets_again_what_it_had() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    let mut consumer = queues.consume("all", 10).await.unwrap();
    queues.publish(message("1")).await.unwrap();
    let held = soon(consumer.next()).await.unwrap();

    rabbit
        .server
        .ctl(&["close_all_connections", "--vhost", rabbit.vhost, "test"]);

    let again = soon(consumer.next()).await.unwrap();
    assert_eq!(again.message.event.id(), "1");
    assert!(held.ack().await.is_err(), "it isn't its own any more");
    again.ack().await.unwrap();
    until(async || queues.publish(message("2")).await.is_ok()).await;
    assert_eq!(soon(consumer.next()).await.unwrap().message.event.id(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_acknowledges_too_late_gets_its_messages_again_and_goes_on() {
    let rabbit = Rabbit::start().await;
    rabbit.eval("[application:set_env(rabbit, K, V) || {K, V} <- [{consumer_timeout, 1000}, {channel_tick_interval, 500}]].");
    let queues = rabbit.queues().await;
    let mut consumer = queues.consume("all", 10).await.unwrap();
    queues.publish(message("1")).await.unwrap();
    let late = soon(consumer.next()).await.unwrap();

    let again = soon(consumer.next()).await.unwrap();

    assert_eq!(again.message.event.id(), "1");
    again.ack().await.unwrap();
    // Up to 4.2 its channel is closed and this fails; from 4.3 on its consumer alone is gone, and this does nothing.
    let _ = late.ack().await;
    queues.publish(message("2")).await.unwrap();
    let next = soon(consumer.next()).await.unwrap();
    assert_eq!(next.message.event.id(), "2");
    next.ack().await.unwrap();
    rabbit.eval("[application:set_env(rabbit, K, V) || {K, V} <- [{consumer_timeout, 1800000}, {channel_tick_interval, 60000}]].");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_or_exchange_is_made_again() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    let mut consumer = queues.consume("all", 10).await.unwrap();

    rabbit
        .server
        .ctl(&["delete_queue", "--vhost", rabbit.vhost, "all"]);
    rabbit.eval("rabbit_exchange:delete(EXCHANGE, false, <<\"test\">>).");

    until(async || queues.publish(message("1")).await.is_ok()).await;
    until(async || queues.publish(message("2")).await.is_ok()).await;
    let next = tokio::time::timeout(Duration::from_secs(20), consumer.next());
    next.await.unwrap().unwrap().ack().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_back_a_hundred_times_is_still_there() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    let mut consumer = queues.consume("all", 1).await.unwrap();
    queues.publish(message("1")).await.unwrap();

    for _ in 0..100 {
        drop(soon(consumer.next()).await.unwrap());
    }

    soon(consumer.next()).await.unwrap().ack().await.unwrap();
    assert_eq!(queues.depth("letters").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_rabbitmq_does_not_keep_costs_the_others_no_channel() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    queues.publish(message("1")).await.unwrap();
    let before = rabbit.confirming();
    let bound = r#"{"max-length": 1, "overflow": "reject-publish"}"#;
    let policy = ["set_policy", "--vhost", rabbit.vhost, "full", "all", bound];
    rabbit.server.ctl(&policy);

    let mut refused = Ok(());
    until(async || {
        refused = queues.publish(message("2")).await;
        refused.is_err()
    })
    .await;

    assert!(matches!(&refused, Err(QueueError::Away(why)) if why.to_string().contains("keep")));
    // The next one would open a new channel.
    let _ = queues.publish(message("3")).await;
    assert_eq!(rabbit.confirming(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_failure_leaves_the_channel_that_came_after_its_own() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    queues.publish(message("1")).await.unwrap();
    let stuck = rabbit.confirming();
    rabbit.eval(
        "persistent_term:put(stuck, [C || C <- rabbit_channel:list(), rabbit_channel:info(C, [confirm]) =:= [{confirm, true}]]), [sys:suspend(C) || C <- persistent_term:get(stuck)].",
    );
    let publish = |id: &'static str| {
        let queues = queues.clone();
        tokio::spawn(async move { queues.publish(message(id)).await })
    };

    let first = publish("first");
    let mut late = Vec::new();
    until(async || {
        late.push(publish("late"));
        first.is_finished()
    })
    .await;
    assert!(matches!(first.await.unwrap(), Err(QueueError::Away(_))));
    queues.publish(message("2")).await.unwrap();
    let fresh = rabbit.confirming();

    assert_ne!(fresh, stuck);
    let mut failed = 0;
    for late in late {
        failed += usize::from(late.await.unwrap().is_err());
    }
    assert!(
        failed > 10,
        "{failed} failed after there was a fresh channel"
    );
    queues.publish(message("3")).await.unwrap();
    assert_eq!(rabbit.confirming(), fresh);
    rabbit
        .eval("[sys:resume(C) || C <- persistent_term:get(stuck)], persistent_term:erase(stuck).");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_is_passed_over() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    let mut consumer = queues.consume("all", 1).await.unwrap();

    let uri = rabbit.server.setting(rabbit.vhost);
    let connection = lapin::Connection::connect(&uri, <_>::default()).await;
    let channel = connection.unwrap().create_channel().await.unwrap();
    let (exchange, key) = ("b.test".into(), "".into());
    let hello = channel.basic_publish(exchange, key, <_>::default(), b"hello", <_>::default());
    hello.await.unwrap();
    queues.publish(message("1")).await.unwrap();

    let next = tokio::time::timeout(Duration::from_secs(20), consumer.next());
    assert_eq!(next.await.unwrap().unwrap().message.event.id(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_that_no_frame_can_hold_are_answered_with_400_and_do_no_harm() {
    let rabbit = Rabbit::start().await;
    let convert = Subscriber::answering(&[200]).await;
    let manifest = broker("") + &trigger("all", None, "convert", "");
    let (services, grace) = ([("convert", &convert)], Duration::from_secs(10));
    let queues = rabbit.queues().await;
    let clock = TestClock::fast();
    let decant = TestBroker::with(&manifest, &services, queues, clock, grace).await;

    let large = "a".repeat(100_000);
    assert_eq!(decant.send("t", &[("ce-note", &large)], "").await, 400);
    assert_eq!(decant.send("t", &[], "").await, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_that_is_taken_in_can_become_a_dead_letter() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    // As large as it is taken.
    let mut note = 100_000;
    let mut large = message("large");
    while let Err(error) = {
        large.event.set_extension("note", "a".repeat(note));
        queues.publish(large.clone()).await
    } {
        assert!(matches!(error, QueueError::Unfit(_)), "{error:?}");
        note -= 10;
    }
    let delivery = soon(queues.consume("all", 1).await.unwrap().next()).await;
    let delivery = delivery.unwrap();
    let mut letter = delivery.message.clone();
    let place = format!("http://convert/{}", "a".repeat(4000));
    letter.event.set_extension("knativeerrordest", place);

    delivery.dead_letter(letter.clone()).await.unwrap();

    let mut letters = queues.consume("letters", 1).await.unwrap();
    assert_eq!(soon(letters.next()).await.unwrap().message, letter);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_rabbitmq_can_not_carry_holds_up_nothing() {
    let rabbit = Rabbit::start().await;
    let queues = rabbit.queues().await;
    queues.publish(message("large")).await.unwrap();
    queues.publish(message("next")).await.unwrap();
    let mut consumer = queues.consume("all", 1).await.unwrap();
    let delivery = soon(consumer.next()).await.unwrap();
    let mut letter = delivery.message.clone();
    letter.event.set_extension("note", "a".repeat(200_000));

    delivery.dead_letter(letter).await.unwrap();

    assert_eq!(
        soon(consumer.next()).await.unwrap().message.event.id(),
        "next"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_rabbitmq_a_user_or_a_vhost_says_so_and_keeps_the_password() {
    let rabbit = Rabbit::start().await;
    let port = rabbit.server.port;
    let begin = async |address: &str| {
        let url = address.parse().unwrap();
        let began = Instant::now();
        let error = RabbitQueues::connect(&url, "b.test").await.err().unwrap();
        assert!(began.elapsed() < Duration::from_secs(15));
        let error = error.to_string();
        assert!(!error.contains("s3cret"), "{error}");
        error
    };

    let user = begin(&format!("amqp://nobody:s3cret@127.0.0.1:{port}/")).await;
    assert!(user.contains("ACCESS_REFUSED"), "{user}");
    let vhost = begin(&format!("amqp://guest:guest@127.0.0.1:{port}/nowhere")).await;
    assert!(vhost.contains("nowhere"), "{vhost}");
    let nobody = begin(&format!("amqp://127.0.0.1:{}", free_port())).await;
    assert!(nobody.contains("refused"), "{nobody}");
}

async fn until(mut so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait)
        .await
        .expect("it should happen soon");
}

fn message(id: &str) -> Message {
    let event = EventBuilderV10::new().id(id).ty("t").source("/test");
    let event = event.data("text/plain", b"data".to_vec());
    Message::new(event.build().unwrap(), Trace::default()).unwrap()
}
