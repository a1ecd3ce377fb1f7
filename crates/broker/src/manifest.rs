//! From YAML documents to a [`Topology`].
//!
//! Fields that this broker does not know are errors, not passed over: what the cluster would do with them can't
//! happen here unseen.

mod shapes;

use std::{collections::BTreeMap, str::FromStr as _, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::shapes::{
    BrokerShape, DeliveryShape, DestinationShape, Metadata, PingSourceShape, ServiceShape,
    TriggerShape,
};
use crate::{
    duration,
    topology::{
        Backoff, DeliverySpec, Destination, Filter, PingSource, Place, Topology, TopologyError,
        Trigger,
    },
};

const PARALLELISM: &str = "rabbitmq.eventing.knative.dev/parallelism";

/// The documents found so far. Triggers wait for the Broker, whose delivery they may take over.
#[derive(Default)]
pub(crate) struct Found {
    brokers: Vec<(Document, Option<DeliverySpec>)>,
    triggers: Vec<(Document, TriggerShape)>,
    ping_sources: Vec<PingSource>,
    service_timeouts: BTreeMap<String, Duration>,
}

/// Where a document stands, for errors, and its metadata.
#[derive(Debug, Clone)]
struct Document {
    place: Place,
    namespace: String,
    annotations: BTreeMap<String, String>,
}

impl Found {
    pub(crate) fn read(&mut self, file: &str, text: &str) -> Result<(), TopologyError> {
        let values: Vec<Value> =
            serde_saphyr::from_multiple(text).map_err(|e| TopologyError::Yaml {
                file: file.to_owned(),
                source: Box::new(e),
            })?;
        for mut value in values {
            let group = value["apiVersion"].as_str().unwrap_or_default();
            let group = group.split('/').next().unwrap_or_default().to_owned();
            let kind = value["kind"].as_str().unwrap_or_default().to_owned();
            let known = matches!(
                (group.as_str(), kind.as_str()),
                ("eventing.knative.dev", "Broker" | "Trigger")
                    | ("sources.knative.dev", "PingSource")
                    | ("serving.knative.dev", "Service")
            );
            if !known {
                continue;
            }
            let document = Document::new(file, kind, value["metadata"].take())?;
            self.take(document, value["spec"].take())?;
        }
        Ok(())
    }

    fn take(&mut self, document: Document, spec: Value) -> Result<(), TopologyError> {
        match document.place.kind.as_str() {
            "Broker" => {
                let shape: Option<BrokerShape> = shape(&document.place, spec)?;
                let delivery = shape.unwrap_or_default().delivery;
                let delivery = delivery.map(|d| document.delivery(d)).transpose()?;
                if let Some((first, _)) = self.brokers.first() {
                    let expected =
                        format!("the only Broker, but there is `{}` too", first.place.name);
                    return Err(document.wrong("metadata.name", &document.place.name, expected));
                }
                self.brokers.push((document, delivery));
            }
            "Trigger" => {
                let shape: TriggerShape = shape(&document.place, spec)?;
                if self
                    .triggers
                    .iter()
                    .any(|(d, _)| d.place.name == document.place.name)
                {
                    return Err(document.wrong(
                        "metadata.name",
                        &document.place.name,
                        "a name not yet taken",
                    ));
                }
                self.triggers.push((document, shape));
            }
            "PingSource" => {
                let shape: PingSourceShape = shape(&document.place, spec)?;
                self.ping_sources.push(document.ping_source(shape)?);
            }
            _ => {
                let shape: ServiceShape = shape(&document.place, spec)?;
                let timeout = Duration::from_secs(shape.template.spec.timeout_seconds);
                self.service_timeouts.insert(document.place.name, timeout);
            }
        }
        Ok(())
    }

    pub(crate) fn into_topology(self) -> Result<Topology, TopologyError> {
        let (broker, broker_delivery) = self
            .brokers
            .into_iter()
            .next()
            .ok_or(TopologyError::NoBroker)?;
        let triggers = self.triggers.into_iter();
        let triggers = triggers
            .map(|(document, shape)| {
                document.trigger(shape, &broker.place.name, broker_delivery.as_ref())
            })
            .collect::<Result<_, _>>()?;
        Ok(Topology {
            namespace: broker.namespace,
            broker: broker.place.name,
            triggers,
            ping_sources: self.ping_sources,
            service_timeouts: self.service_timeouts,
        })
    }
}

impl Document {
    fn new(file: &str, kind: String, metadata: Value) -> Result<Self, TopologyError> {
        let name = metadata["name"].as_str().unwrap_or("without a name");
        let place = Place {
            file: file.to_owned(),
            kind,
            name: name.to_owned(),
        };
        let metadata: Metadata = shape(&place, metadata)?;
        Ok(Self {
            place,
            namespace: metadata.namespace.unwrap_or_else(|| "default".to_owned()),
            annotations: metadata.annotations,
        })
    }

    fn wrong(
        &self,
        field: &'static str,
        found: &str,
        expected: impl Into<String>,
    ) -> TopologyError {
        TopologyError::Value {
            place: Box::new(self.place.clone()),
            field,
            found: found.to_owned(),
            expected: expected.into(),
        }
    }

    fn trigger(
        self,
        shape: TriggerShape,
        broker: &str,
        broker_delivery: Option<&DeliverySpec>,
    ) -> Result<Trigger, TopologyError> {
        if shape.broker != broker {
            return Err(self.wrong("spec.broker", &shape.broker, format!("`{broker}`")));
        }
        if shape.filters.is_some() {
            tracing::warn!(
                trigger.name = self.place.name,
                "`filters` is ignored, as the real broker ignores it; only `filter.attributes` counts"
            );
        }
        let parallelism = match self.annotations.get(PARALLELISM) {
            None => 1,
            Some(text) => match text.parse() {
                Ok(n @ 1..=1000) => n,
                _ => return Err(self.wrong(PARALLELISM, text, "a number from 1 to 1000")),
            },
        };
        // Replaced whole: a Trigger with only `retry` loses its failed events although the Broker has a sink.
        let delivery = match shape.delivery {
            Some(own) => self.delivery(own)?,
            None => broker_delivery.cloned().unwrap_or_default(),
        };
        Ok(Trigger {
            filter: Filter(shape.filter.attributes),
            subscriber: self.destination("spec.subscriber", shape.subscriber)?,
            delivery,
            parallelism,
            name: self.place.name,
        })
    }

    fn ping_source(self, shape: PingSourceShape) -> Result<PingSource, TopologyError> {
        let schedule = croner::Cron::from_str(&shape.schedule).map_err(|e| {
            let expected = format!("a cron line of five fields ({e})");
            self.wrong("spec.schedule", &shape.schedule, expected)
        })?;
        Ok(PingSource {
            schedule,
            data: shape.data,
            content_type: shape.content_type,
            sink: self.destination("spec.sink", shape.sink)?,
            name: self.place.name,
            namespace: self.namespace,
        })
    }

    fn delivery(&self, shape: DeliveryShape) -> Result<DeliverySpec, TopologyError> {
        let delay = self.duration("spec.delivery.backoffDelay", shape.backoff_delay)?;
        let delay = delay.unwrap_or(Backoff::DEFAULT_DELAY);
        let backoff = match shape.backoff_policy.as_deref() {
            None | Some("exponential") => Backoff::Exponential(delay),
            Some("linear") => Backoff::Linear(delay),
            Some(other) => {
                let expected = "`linear` or `exponential`";
                return Err(self.wrong("spec.delivery.backoffPolicy", other, expected));
            }
        };
        let sink = shape.dead_letter_sink;
        let sink = sink.map(|sink| self.destination("spec.delivery.deadLetterSink", sink));
        Ok(DeliverySpec {
            retry: shape.retry,
            backoff,
            timeout: self.duration("spec.delivery.timeout", shape.timeout)?,
            dead_letter_sink: sink.transpose()?,
        })
    }

    fn duration(
        &self,
        field: &'static str,
        text: Option<String>,
    ) -> Result<Option<Duration>, TopologyError> {
        let Some(text) = text else { return Ok(None) };
        match duration::parse(&text) {
            Some(duration) if !duration.is_zero() => Ok(Some(duration)),
            _ => Err(self.wrong(
                field,
                &text,
                "an ISO-8601 duration above zero such as PT0.2S",
            )),
        }
    }

    fn destination(
        &self,
        field: &'static str,
        shape: DestinationShape,
    ) -> Result<Destination, TopologyError> {
        match (shape.reference, shape.uri) {
            (Some(reference), uri) => {
                let group = reference.api_version.split('/').next();
                if reference.kind != "Service" || group != Some("serving.knative.dev") {
                    let found = format!("{} {}", reference.api_version, reference.kind);
                    return Err(self.wrong(field, &found, "a Service of serving.knative.dev/v1"));
                }
                Ok(Destination::Service {
                    name: reference.name,
                    uri,
                })
            }
            (None, Some(uri)) => match url::Url::parse(&uri) {
                Ok(url) => Ok(Destination::Url(url)),
                Err(_) => Err(self.wrong(field, &uri, "`ref`, or an absolute `uri`")),
            },
            (None, None) => Err(self.wrong(field, "", "`ref` or `uri`")),
        }
    }
}

fn shape<T: DeserializeOwned>(place: &Place, value: Value) -> Result<T, TopologyError> {
    serde_json::from_value(value).map_err(|source| TopologyError::Shape {
        place: Box::new(place.clone()),
        source,
    })
}
