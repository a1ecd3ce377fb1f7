//! What is read from manifests, and what is said about wrong ones.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

mod support;

use std::time::Duration;

use decant_broker::{Backoff, Broker, Destination, MemoryQueues, Routes, Settings, Topology};
use support::{broker, trigger, with_sink};

fn error(manifest: &str) -> String {
    Topology::from_yaml([("arrows.yaml", manifest)])
        .unwrap_err()
        .to_string()
}

#[test]
fn documents_of_other_kinds_are_passed_over_and_services_bound_requests() {
    let service = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: convert}\n\
                   spec: {template: {spec: {timeoutSeconds: 600}}}\n---\n";
    let plain =
        "apiVersion: v1\nkind: Service\nmetadata: {name: mysql}\n---\nkind: Kustomization\n---\n";
    let topology = Topology::from_yaml([
        ("a.yaml", service),
        ("b.yaml", plain),
        ("c.yaml", &broker("")),
    ]);

    let topology = topology.unwrap();
    assert_eq!(topology.broker, "decant");
    let bounds: Vec<_> = topology.service_timeouts.into_iter().collect();
    assert_eq!(bounds, [("convert".to_owned(), Duration::from_secs(600))]);
}

#[test]
fn a_trigger_is_read_whole() {
    let manifest = broker("") + &trigger("all", Some("t"), "convert", &with_sink(3, "notify"));

    let trigger = Topology::from_yaml([("a.yaml", manifest)])
        .unwrap()
        .triggers
        .remove(0);

    assert_eq!(trigger.filter.0["type"], "t");
    assert_eq!(trigger.delivery.retry, 3);
    assert_eq!(
        trigger.delivery.backoff,
        Backoff::Exponential(Duration::from_millis(200))
    );
    let sink = Destination::Service {
        name: "notify".into(),
        uri: Some("/dead-letter".into()),
    };
    assert_eq!(trigger.delivery.dead_letter_sink, Some(sink));
}

#[test]
fn an_error_names_the_file_the_kind_the_name_and_what_was_expected() {
    let with = |rest: &str| error(&(broker("") + &trigger("all", None, "convert", rest)));
    for (rest, field, expected) in [
        (
            "delivery: {backoffPolicy: cubic}",
            "spec.delivery.backoffPolicy is `cubic`",
            "`linear` or `exponential`",
        ),
        (
            "delivery: {backoffDelay: 10s}",
            "spec.delivery.backoffDelay is `10s`",
            "an ISO-8601 duration",
        ),
        (
            "delivery: {timeout: PT0S}",
            "spec.delivery.timeout is `PT0S`",
            "above zero",
        ),
        (
            "delivery: {deadLetterSink: {uri: /x}}",
            "spec.delivery.deadLetterSink is `/x`",
            "an absolute `uri`",
        ),
        ("delivery: {retry: -1}", "does not have the shape", "u32"),
        (
            "delivery: {retries: 1}",
            "unknown field `retries`",
            "expected one of `retry`",
        ),
        (
            "filter: {attributes: {run: 2}}",
            "does not have the shape",
            "expected a string",
        ),
    ] {
        let error = with(rest);
        assert!(error.starts_with("arrows.yaml: Trigger `all`"), "{error}");
        assert!(error.contains(field) && error.contains(expected), "{error}");
    }
}

#[test]
fn parallelism_is_a_number_from_1_to_1000() {
    for wrong in ["0", "1001", "many"] {
        let annotation = format!(
            "namespace: decant, annotations: {{rabbitmq.eventing.knative.dev/parallelism: '{wrong}'}}}}\nspec:\n"
        );
        let trigger =
            trigger("all", None, "convert", "").replace("namespace: decant}\nspec:\n", &annotation);
        let error = error(&(broker("") + &trigger));
        assert!(
            error.contains(&format!("is `{wrong}`, expected a number from 1 to 1000")),
            "{error}"
        );
    }
}

#[test]
fn there_is_one_broker_and_every_trigger_is_its_own() {
    let all = trigger("all", None, "convert", "");

    assert!(error(&all).contains("there is no Broker"));
    assert!(error(&(broker("") + &broker(""))).contains("expected the only Broker"));
    assert!(error(&(broker("") + &all + &all)).contains("expected a name not yet taken"));
    let other = all.replace("broker: decant", "broker: default");
    assert!(error(&(broker("") + &other)).contains("spec.broker is `default`, expected `decant`"));
    assert!(error("a: [").contains("arrows.yaml can't be read as YAML"));
}

#[test]
fn a_subscriber_without_an_address_is_named_before_anything_runs() {
    let manifest = broker("") + &trigger("all", None, "convert", "");
    let topology = Topology::from_yaml([("a.yaml", manifest)]).unwrap();

    let broker = Broker::new(
        &topology,
        &Routes::default(),
        MemoryQueues::default(),
        Settings::default(),
    );

    let error = broker.err().unwrap().to_string();
    assert!(
        error.contains("Trigger `all`") && error.contains("service `convert` has no address"),
        "{error}"
    );
}
