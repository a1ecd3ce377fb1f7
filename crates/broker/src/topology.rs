//! What the manifests say: one Broker, its Triggers, and the PingSources.

use std::{collections::BTreeMap, fmt, time::Duration};

use cloudevents::Event;
use croner::Cron;

use crate::{manifest, names};

/// What runs, read from the manifests that the cluster gets. There is no second description of it.
#[derive(Debug, Clone)]
pub struct Topology {
    /// The Broker's namespace.
    pub namespace: String,
    /// The Broker's name.
    pub broker: String,
    /// One per arrow, in the order of the files.
    pub triggers: Vec<Trigger>,
    /// Events by the clock.
    pub ping_sources: Vec<PingSource>,
    /// The most that Serving lets a request to each Knative Service take, by the Service's name.
    pub service_timeouts: BTreeMap<String, Duration>,
}

/// Takes the Broker's events that pass a filter to a subscriber.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name, and its queue's.
    pub name: String,
    /// Which events.
    pub filter: Filter,
    /// Where they go.
    pub subscriber: Destination,
    /// How: the Trigger's own if it has one, else the Broker's, never a mixture.
    pub delivery: DeliverySpec,
    /// Deliveries at once, 1 to 1000.
    pub parallelism: usize,
}

/// Attributes and extensions that must be equal to these texts. Empty: every event passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(pub BTreeMap<String, String>);

impl Filter {
    /// Whether an event passes.
    pub fn matches(&self, event: &Event) -> bool {
        self.0.iter().all(|(name, expected)| {
            event
                .iter()
                .any(|(found, value)| found == name && value.to_string() == *expected)
        })
    }
}

/// How a delivery is tried, and what becomes of one that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliverySpec {
    /// Tries after the first.
    pub retry: u32,
    /// The wait before each of them.
    pub backoff: Backoff,
    /// The most that one try may take.
    pub timeout: Option<Duration>,
    /// Where an event goes after its last try. Without one it is dropped.
    pub dead_letter_sink: Option<Destination>,
}

impl Default for DeliverySpec {
    /// No delivery spec: nothing is retried, nothing is kept.
    fn default() -> Self {
        Self {
            retry: 0,
            backoff: Backoff::default(),
            timeout: None,
            dead_letter_sink: None,
        }
    }
}

/// The wait before a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// delay × n.
    Linear(Duration),
    /// delay × 2^n: the first wait is twice the delay.
    Exponential(Duration),
}

impl Default for Backoff {
    fn default() -> Self {
        Self::Exponential(Self::DEFAULT_DELAY)
    }
}

impl Backoff {
    /// What the dispatcher of eventing-rabbitmq falls back to.
    pub(crate) const DEFAULT_DELAY: Duration = Duration::from_millis(50);

    /// The wait before the `n`th retry, counted from 1 (`BackoffFor` of the CloudEvents Go SDK).
    pub fn wait(self, n: u32) -> Duration {
        match self {
            Self::Linear(delay) => delay.saturating_mul(n),
            Self::Exponential(delay) => delay.saturating_mul(2_u32.saturating_pow(n)),
        }
    }
}

/// Where events go: a Service of the cluster, by its name, or any address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `ref`, with the path of `uri` beside it.
    Service {
        /// The Service's name.
        name: String,
        /// Resolved against the Service's address.
        uri: Option<String>,
    },
    /// `uri` alone.
    Url(url::Url),
}

/// Sends the same event again and again, straight to its sink.
#[derive(Debug, Clone)]
pub struct PingSource {
    /// Its name.
    pub name: String,
    /// Its namespace, part of the event's source.
    pub namespace: String,
    /// When, in UTC.
    pub schedule: Cron,
    /// The event's data.
    pub data: Option<String>,
    /// The data's media type.
    pub content_type: Option<String>,
    /// Where to.
    pub sink: Destination,
}

impl Topology {
    /// What the Broker's exchange is called where its queues have one.
    pub fn exchange(&self) -> String {
        names::exchange(&self.namespace, &self.broker)
    }

    /// The most that a try may take: what the Trigger says, and never more than Serving lets a request take.
    pub(crate) fn timeout(&self, to: &Destination, delivery: Option<Duration>) -> Option<Duration> {
        let serving = match to {
            Destination::Service { name, .. } => self.service_timeouts.get(name).copied(),
            Destination::Url(_) => None,
        };
        delivery.into_iter().chain(serving).min()
    }

    /// Reads manifests, each with the name by which an error shall call it. A file may hold several documents; kinds
    /// that the broker has no use for are passed over, so the files of a whole cluster can be given.
    ///
    /// # Errors
    /// A document that the cluster would refuse, or that asks for what this broker can't do, and a set without exactly
    /// one Broker.
    pub fn from_yaml<N, T>(
        manifests: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, TopologyError>
    where
        N: Into<String>,
        T: AsRef<str>,
    {
        let mut found = manifest::Found::default();
        for (file, text) in manifests {
            found.read(&file.into(), text.as_ref())?;
        }
        found.into_topology()
    }
}

/// What is wrong with the manifests.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// Not YAML at all.
    #[error("{file} can't be read as YAML: {source}")]
    Yaml {
        /// The file's name.
        file: String,
        /// What the parser says.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A document has a field missing, too many, or of the wrong type.
    #[error("{place} does not have the shape that the broker knows: {source}")]
    Shape {
        /// Which document.
        place: Box<Place>,
        /// Which field.
        #[source]
        source: serde_json::Error,
    },
    /// A field has a value that is not allowed.
    #[error("{place}: {field} is `{found}`, expected {expected}")]
    Value {
        /// Which document.
        place: Box<Place>,
        /// The field's path.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        expected: String,
    },
    /// No Broker, so nothing to run.
    #[error("there is no Broker in these manifests; expected one document of kind Broker")]
    NoBroker,
}

/// Which document of which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as the caller named it.
    pub file: String,
    /// The document's kind.
    pub kind: String,
    /// The document's name.
    pub name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} `{}`", self.file, self.kind, self.name)
    }
}
