//! Manifests, as short as they can be.

/// A Broker, with a delivery if not empty.
pub(crate) fn broker(delivery: &str) -> String {
    format!(
        "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {{name: decant, namespace: decant}}\nspec: {{{delivery}}}\n---\n"
    )
}

/// A Trigger for one type, or for all events, to the root of a service. `rest` is more of its spec.
pub(crate) fn trigger(name: &str, ty: Option<&str>, service: &str, rest: &str) -> String {
    let filter = ty
        .map(|ty| format!("  filter: {{attributes: {{type: {ty}}}}}\n"))
        .unwrap_or_default();
    format!(
        "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {{name: {name}, namespace: decant}}\nspec:\n  broker: decant\n{filter}  subscriber: {{{}}}\n  {rest}\n---\n",
        service_ref(service)
    )
}

pub(crate) fn service_ref(service: &str) -> String {
    format!("ref: {{apiVersion: serving.knative.dev/v1, kind: Service, name: {service}}}")
}

/// A delivery with so many retries and a dead-letter sink at a service's `/dead-letter`.
pub(crate) fn with_sink(retry: u32, service: &str) -> String {
    format!(
        "delivery: {{retry: {retry}, backoffDelay: PT0.2S, deadLetterSink: {{{}, uri: /dead-letter}}}}",
        service_ref(service)
    )
}
