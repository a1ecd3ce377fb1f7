//! The chassis of every function: configuration, telemetry, health, CloudEvents in and out, problem+json, drain.
//!
//! Invariants:
//! - A function is `main.rs` (config, telemetry, connect, serve) and a router; what all four need stands here once.
//! - Only this crate knows CloudEvents' headers and the trace's.
//! - No business rules.

mod chassis;
mod client;
mod client_address;
mod config;
mod draining;
mod event_in;
mod event_out;
mod health;
mod lazily;
mod problem;
mod query;
mod reasons;
mod serve;
mod stop;
pub mod tasks;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use chassis::chassis;
pub use client::client;
pub use client_address::{ClientAddress, TrustedProxies};
pub use config::{ServerConfig, duration, http_url, settings, size};
pub use draining::Draining;
pub use event_in::{AnyEvent, CloudEvent};
pub use event_out::{EmitError, Reply, Sink, event};
pub use health::{NotReady, Ready};
pub use lazily::lazily;
pub use problem::ProblemDetails;
pub use query::Query;
pub use reasons::reasons;
pub use serve::{run, serve};
