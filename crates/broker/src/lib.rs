//! Knative Broker and Trigger semantics on one machine.
//!
//! Reads the manifests that the cluster gets ([`Topology`]), takes CloudEvents in over HTTP, keeps them in queues
//! ([`Queues`]) and delivers them Trigger by Trigger, as `eventing-rabbitmq` does: the same statuses, retries,
//! replies, filters and dead letters. Where the real one loses events, this one keeps them: a message leaves its
//! queue only after its reply or its dead letter is confirmed in another.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use decant_broker::{Broker, MemoryQueues, Routes, Settings, Topology};
//!
//! let file = "rabbitmq-eventing/broker.yaml";
//! let topology = Topology::from_yaml([(file, std::fs::read_to_string(file)?)])?;
//! let routes = Routes::new([("convert", "http://127.0.0.1:4003".parse()?)]);
//! let broker = Broker::new(&topology, &routes, MemoryQueues::default(), Settings::default())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! decant_broker::run(listener, broker.clone(), async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
//! # Ok(()) }
//! ```

mod broker;
mod clock;
mod dispatcher;
mod duration;
mod ingress;
mod manifest;
mod memory;
mod message;
mod names;
mod ping;
mod queues;
mod rabbitmq;
mod routes;
mod stats;
mod subscriber;
mod topology;

pub use broker::{Broker, RunError, Settings, StartError, run};
pub use clock::{Clock, SystemClock};
pub use memory::MemoryQueues;
pub use message::{BadEvent, MAX_EVENT_BYTES, Message, Trace};
pub use ping::PingError;
pub use queues::{Consumer, Delivery, QueueError, QueueSpec, Queues, Settle};
pub use rabbitmq::{AmqpUrl, InvalidAmqpUrl, RabbitError, RabbitQueues};
pub use routes::{NoRoute, Routes};
pub use stats::TriggerStats;
pub use topology::{
    Backoff, DeliverySpec, Destination, Filter, PingSource, Place, Topology, TopologyError, Trigger,
};
