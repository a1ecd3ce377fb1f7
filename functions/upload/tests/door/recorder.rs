//! What streams cost, by the metrics of the one test that looks at them.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts what this test's own streams cost.
#[derive(Default)]
pub(crate) struct Recorder {
    polls: Arc<AtomicU64>,
    streams: Arc<AtomicU64>,
}

impl Recorder {
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// How many streams the last poll was for.
    pub(crate) fn streams(&self) -> f64 {
        f64::from_bits(self.streams.load(Ordering::Relaxed))
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match key.name() {
            "decant_watch_polls_total" => Counter::from_arc(Arc::clone(&self.polls)),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match key.name() {
            "decant_watch_streams" => Gauge::from_arc(Arc::clone(&self.streams)),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
