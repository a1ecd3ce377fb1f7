//! Small events through a whole Broker, as many as it takes: over HTTP into its queues, and from there to a subscriber
//! on the loopback. `bench/broker` runs it.
//!
//!     throughput memory|rabbitmq EVENTS PRODUCERS
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that can't go on should stop where it stands"
)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::{Router, http::HeaderMap, routing::post};
use decant_broker::{Broker, MemoryQueues, Queues, RabbitQueues, Routes, Settings, Topology};
use decant_test_servers::RabbitServer;
use tokio::net::TcpListener;

const MANIFEST: &str = "
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: decant, namespace: bench}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: all
  namespace: bench
  annotations: {rabbitmq.eventing.knative.dev/parallelism: '50'}
spec:
  broker: decant
  filter: {attributes: {type: dev.decant.bench}}
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: counter}}
";

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [kind, events, producers] = arguments.as_slice() else {
        panic!("expected memory|rabbitmq EVENTS PRODUCERS");
    };
    let (events, producers): (usize, usize) = (events.parse().unwrap(), producers.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let topology = Topology::from_yaml([("bench", MANIFEST)]).unwrap();
    let server = (kind == "rabbitmq").then(|| RabbitServer::start(folder.path()));
    let queues: Arc<dyn Queues> = match &server {
        Some(server) => {
            let url = server.setting("%2f").parse().unwrap();
            Arc::new(
                RabbitQueues::connect(&url, &topology.exchange())
                    .await
                    .unwrap(),
            )
        }
        None => Arc::new(MemoryQueues::default()),
    };

    let began = Instant::now();
    let latencies = Arc::new(Mutex::new(Vec::with_capacity(events)));
    let counter = {
        let latencies = Arc::clone(&latencies);
        post(async move |headers: HeaderMap| {
            let sent: u128 = headers["ce-sent"].to_str().unwrap().parse().unwrap();
            let took = began.elapsed().as_micros() - sent;
            latencies.lock().unwrap().push(took);
        })
    };
    let subscriber = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", subscriber.local_addr().unwrap());
    let counter = Router::new().route("/", counter);
    tokio::spawn(axum::serve(subscriber, counter).into_future());
    let routes = Routes::new([("counter", at.parse().unwrap())]);
    let broker = Broker::new(&topology, &routes, queues, Settings::default()).unwrap();
    let ingress = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/", ingress.local_addr().unwrap());
    tokio::spawn(decant_broker::run(ingress, broker, std::future::pending()));

    let next = Arc::new(AtomicUsize::new(0));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let began_sending = Instant::now();
    let mut at_tenth = 0;
    for _ in 0..producers {
        let (http, to, next) = (http.clone(), to.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Relaxed);
                if n >= events {
                    return;
                }
                loop {
                    let event = http.post(&to).header("ce-specversion", "1.0");
                    let event = event.header("ce-id", n).header("ce-source", "/bench");
                    let event = event.header("ce-type", "dev.decant.bench");
                    let event = event.header("ce-sent", began.elapsed().as_micros().to_string());
                    let sent = event.body(r#"{"small":"event"}"#).send().await;
                    if sent.is_ok_and(|answer| answer.status() == 202) {
                        break;
                    }
                    // Memory's queues are full when the subscriber is slower than the producers.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
    }
    loop {
        let delivered = latencies.lock().unwrap().len();
        if at_tenth == 0 && delivered >= events / 10 {
            at_tenth = peak_bytes();
        }
        if delivered >= events {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let elapsed = began_sending.elapsed().as_secs_f64();

    let mut latencies = latencies.lock().unwrap().clone();
    latencies.sort_unstable();
    let percentile = |p: usize| latencies[(latencies.len() - 1) * p / 100] as f64 / 1000.0;
    println!(
        "{kind} {:.0} {:.1} {:.1} {:.1} {:.1}",
        events as f64 / elapsed,
        percentile(50),
        percentile(99),
        at_tenth as f64 / 1e6,
        peak_bytes() as f64 / 1e6,
    );
}

/// The most memory that this process had so far.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() * 1024
}
