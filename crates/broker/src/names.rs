//! What queues and exchanges are called: as the Knative RabbitMQ broker calls them (`pkg/rabbitmqnaming/naming.go` of
//! knative-extensions/eventing-rabbitmq, v0.49.1), so that the management UI looks alike.

/// Stands where the real names have the UID of a Kubernetes object.
const UID: &str = "decant-up";

/// A Broker's exchange.
pub(crate) fn exchange(namespace: &str, broker: &str) -> String {
    format!("b.{namespace}.{broker}.{UID}")
}

/// A Trigger's queue.
pub(crate) fn queue(namespace: &str, trigger: &str) -> String {
    format!("{namespace}.{trigger}.{UID}")
}

/// The queue of a Trigger's dead letters.
pub(crate) fn dead_letter_queue(namespace: &str, trigger: &str) -> String {
    format!("t.{namespace}.{trigger}.dlq.{UID}")
}

/// The exchange that leads to a queue of dead letters.
pub(crate) fn dead_letter_exchange(queue: &str) -> String {
    match queue.rsplit_once(".dlq.") {
        Some((trigger, uid)) => format!("{trigger}.dlx.{uid}"),
        None => format!("{queue}.dlx"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_knative_broker() {
        assert_eq!(exchange("ns", "broker"), "b.ns.broker.decant-up");
        assert_eq!(queue("ns", "trigger"), "ns.trigger.decant-up");
        let letters = dead_letter_queue("ns", "a.dlq.b");
        assert_eq!(letters, "t.ns.a.dlq.b.dlq.decant-up");
        assert_eq!(dead_letter_exchange(&letters), "t.ns.a.dlq.b.dlx.decant-up");
    }
}
