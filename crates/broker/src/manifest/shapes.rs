//! The documents as they are written. Every field that is not named here is an error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(rename = "name")]
    pub(super) _name: String, // read before, so that an error can say it
    #[serde(default)]
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct BrokerShape {
    #[serde(default, rename = "config")]
    pub(super) _config: Option<Value>, // the queues' kind and place: the caller of this crate chose its own
    #[serde(default)]
    pub(super) delivery: Option<DeliveryShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerShape {
    pub(super) broker: String,
    #[serde(default)]
    pub(super) filter: FilterShape,
    #[serde(default)]
    pub(super) filters: Option<Value>,
    pub(super) subscriber: DestinationShape,
    #[serde(default)]
    pub(super) delivery: Option<DeliveryShape>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterShape {
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DeliveryShape {
    #[serde(default)]
    pub(super) retry: u32,
    pub(super) backoff_policy: Option<String>,
    pub(super) backoff_delay: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) dead_letter_sink: Option<DestinationShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationShape {
    #[serde(rename = "ref")]
    pub(super) reference: Option<Reference>,
    pub(super) uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(rename = "namespace")]
    pub(super) _namespace: Option<String>, // there is one namespace on one machine
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PingSourceShape {
    pub(super) schedule: String,
    pub(super) data: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) sink: DestinationShape,
}

/// A Knative Service. What its pods are made of doesn't matter here: the one shape that passes over fields.
#[derive(Deserialize)]
pub(super) struct ServiceShape {
    pub(super) template: RevisionShape,
}

#[derive(Deserialize)]
pub(super) struct RevisionShape {
    pub(super) spec: RevisionSpecShape,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevisionSpecShape {
    #[serde(default = "serving_timeout")]
    pub(super) timeout_seconds: u64,
}

/// Serving's default, `revision-timeout-seconds` of its config-defaults.
fn serving_timeout() -> u64 {
    300
}
