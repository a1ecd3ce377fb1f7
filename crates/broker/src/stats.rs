//! What a Trigger has done so far.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// One row of `decant status`: a Trigger, or the delivery of its dead letters. Counted since the broker started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerStats {
    /// The Trigger's name.
    pub trigger: String,
    /// Whether this row is about its dead letters.
    pub dead_letters: bool,
    /// Events that wait; `None` while the queue is away.
    pub depth: Option<usize>,
    /// Events out for delivery, those that wait for a retry included.
    pub in_flight: u64,
    /// Events that the subscriber took.
    pub delivered: u64,
    /// Tries after the first.
    pub retried: u64,
    /// Events that the subscriber answered with a final 3xx or 4xx: gone, as with the real broker.
    pub refused: u64,
    /// Events that failed and were dead-lettered.
    pub dead_lettered: u64,
    /// Events that failed and had no dead-letter sink.
    pub dropped: u64,
}

/// Counts for one queue, kept here for `decant status` and passed on as metrics.
pub(crate) struct Tally {
    queue: String,
    in_flight: AtomicU64,
    delivered: AtomicU64,
    retried: AtomicU64,
    refused: AtomicU64,
    dead_lettered: AtomicU64,
    dropped: AtomicU64,
}

/// What happened to a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Delivered,
    Retried,
    Refused,
    DeadLettered,
    Dropped,
}

impl Tally {
    pub(crate) fn new(queue: &str) -> Self {
        Self {
            queue: queue.to_owned(),
            in_flight: AtomicU64::default(),
            delivered: AtomicU64::default(),
            retried: AtomicU64::default(),
            refused: AtomicU64::default(),
            dead_lettered: AtomicU64::default(),
            dropped: AtomicU64::default(),
        }
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        let (counter, label) = match outcome {
            Outcome::Delivered => (&self.delivered, "delivered"),
            Outcome::Retried => (&self.retried, "retried"),
            Outcome::Refused => (&self.refused, "refused"),
            Outcome::DeadLettered => (&self.dead_lettered, "dead_lettered"),
            Outcome::Dropped => (&self.dropped, "dropped"),
        };
        counter.fetch_add(1, Relaxed);
        metrics::counter!("broker_deliveries_total", "queue" => self.queue.clone(), "outcome" => label)
            .increment(1);
    }

    /// Counts one event as in flight until the guard is dropped.
    pub(crate) fn take_off(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        metrics::gauge!("broker_in_flight", "queue" => self.queue.clone()).increment(1);
        InFlight(Arc::clone(self))
    }

    pub(crate) fn stats(
        &self,
        trigger: &str,
        dead_letters: bool,
        depth: Option<usize>,
    ) -> TriggerStats {
        TriggerStats {
            trigger: trigger.to_owned(),
            dead_letters,
            depth,
            in_flight: self.in_flight.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            retried: self.retried.load(Relaxed),
            refused: self.refused.load(Relaxed),
            dead_lettered: self.dead_lettered.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
        }
    }
}

pub(crate) struct InFlight(Arc<Tally>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
        metrics::gauge!("broker_in_flight", "queue" => self.0.queue.clone()).decrement(1);
    }
}
