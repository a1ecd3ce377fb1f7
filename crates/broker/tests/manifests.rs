//! The repository's own manifests, as the cluster and `decant up` both read them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should stop where it stands"
)]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use decant_broker::{Destination, Topology, Trigger};
use decant_events::{EventData, JobFailed, Mp3Ready, VideoUploaded};
use serde_json::Value;

/// As the real dispatcher's.
const PREFETCH: u32 = 100;

fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["knative/base", "rabbitmq-eventing"].map(|folder| root.join(folder));
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let yaml = paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    yaml.map(|path| {
        (
            path.display().to_string(),
            fs::read_to_string(path).unwrap(),
        )
    })
    .collect()
}

fn topology() -> Topology {
    Topology::from_yaml(files()).unwrap()
}

fn documents(kind: &str) -> Vec<Value> {
    let documents = files()
        .into_iter()
        .flat_map(|(_, text)| serde_saphyr::from_multiple(&text).unwrap());
    documents
        .filter(|document: &Value| document["kind"] == kind)
        .collect()
}

/// All waits of a delivery that fails to the end.
fn span(trigger: &Trigger) -> Duration {
    (1..=trigger.delivery.retry)
        .map(|n| trigger.delivery.backoff.wait(n))
        .sum()
}

fn to(name: &str, uri: &str) -> Destination {
    Destination::Service {
        name: name.into(),
        uri: Some(uri.into()),
    }
}

#[test]
fn there_are_three_arrows_each_for_one_type_of_event() {
    let topology = topology();

    let arrows: BTreeMap<_, _> = topology
        .triggers
        .iter()
        .map(|t| (t.name.as_str(), (&t.filter.0["type"], &t.subscriber)))
        .collect();

    let arrow = |name: &str| (arrows[name].0.as_str(), arrows[name].1.clone());
    assert_eq!((topology.broker.as_str(), arrows.len()), ("decant", 3));
    assert_eq!(
        arrow("video-uploaded"),
        (VideoUploaded::TYPE, to("convert", "/"))
    );
    assert_eq!(
        arrow("mp3-ready"),
        (Mp3Ready::TYPE, to("notify", "/mp3-ready"))
    );
    assert_eq!(
        arrow("job-failed"),
        (JobFailed::TYPE, to("notify", "/job-failed"))
    );
    for trigger in &topology.triggers {
        assert_eq!(trigger.filter.0.len(), 1);
        assert_eq!(
            trigger.delivery.dead_letter_sink,
            Some(to("notify", "/dead-letter"))
        );
    }
}

#[test]
fn every_trigger_says_all_of_its_delivery_and_its_parallelism() {
    let triggers = documents("Trigger");
    assert_eq!(triggers.len(), 3);
    for trigger in triggers {
        let delivery = trigger["spec"]["delivery"].as_object().unwrap();
        for field in ["retry", "backoffPolicy", "backoffDelay", "deadLetterSink"] {
            assert!(
                delivery.contains_key(field),
                "{}: {field}",
                trigger["metadata"]["name"]
            );
        }
        let annotations = trigger["metadata"]["annotations"].as_object().unwrap();
        assert!(annotations.contains_key("rabbitmq.eventing.knative.dev/parallelism"));
    }
}

#[test]
fn retries_span_two_minutes_and_those_of_a_video_ten_leases() {
    for trigger in topology().triggers {
        assert!(
            span(&trigger) >= Duration::from_secs(120),
            "{}",
            trigger.name
        );
        if trigger.name == "video-uploaded" {
            assert!(
                span(&trigger) >= 10 * Duration::from_secs(30),
                "{:?}",
                span(&trigger)
            );
        }
    }
}

#[test]
fn no_delivery_outlasts_the_acknowledgement_clock_of_rabbitmq() {
    let cluster = documents("RabbitmqCluster").remove(0);
    let settings = cluster["spec"]["rabbitmq"]["additionalConfig"]
        .as_str()
        .unwrap();
    let clock = settings
        .lines()
        .find_map(|line| line.strip_prefix("consumer_timeout = "))
        .unwrap();
    let clock = Duration::from_millis(clock.parse().unwrap());

    let topology = topology();
    for trigger in &topology.triggers {
        let tries = trigger.delivery.retry + 1;
        let Destination::Service { name, .. } = &trigger.subscriber else {
            panic!("{} goes to a Service", trigger.name)
        };
        let worst = topology.service_timeouts[name] * tries + span(trigger);
        assert!(
            worst < clock,
            "{}: one event takes up to {worst:?}",
            trigger.name
        );
        let failing = span(trigger) * PREFETCH / u32::try_from(trigger.parallelism).unwrap();
        assert!(
            failing < clock,
            "{}: a failing prefetch takes {failing:?}",
            trigger.name
        );
    }
}

#[test]
fn the_sweep_is_asked_for_every_ten_minutes_and_not_over_the_broker() {
    let sources = topology().ping_sources;
    let [sweep] = &sources[..] else {
        panic!("one PingSource, not {}", sources.len())
    };
    let now: DateTime<Utc> = "2026-01-01T10:57:30Z".parse().unwrap();

    assert_eq!(
        (sweep.name.as_str(), sweep.namespace.as_str()),
        ("sweep", "decant")
    );
    assert_eq!(sweep.sink, to("notify", "/ping"));
    let ticks: Vec<_> = sweep
        .schedule
        .iter_after(now)
        .take(2)
        .map(|t| t.to_rfc3339())
        .collect();
    assert_eq!(
        ticks,
        ["2026-01-01T11:00:00+00:00", "2026-01-01T11:10:00+00:00"]
    );
}

#[test]
fn there_are_four_services_and_only_upload_is_public() {
    let services: Vec<_> = topology().service_timeouts.into_keys().collect();
    assert_eq!(services, ["auth", "convert", "notify", "upload"]);
    for service in documents("Service") {
        let label = &service["metadata"]["labels"]["networking.knative.dev/visibility"];
        let public = service["metadata"]["name"] == "upload";
        assert_eq!(
            label == "cluster-local",
            !public,
            "{}",
            service["metadata"]["name"]
        );
    }
}

#[test]
fn convert_may_have_as_many_pods_as_its_trigger_delivers_at_once() {
    let services = documents("Service");
    let convert = services
        .iter()
        .find(|s| s["metadata"]["name"] == "convert")
        .unwrap();
    let template = &convert["spec"]["template"];
    let pods = &template["metadata"]["annotations"]["autoscaling.knative.dev/max-scale"];
    let topology = topology();
    let trigger = topology
        .triggers
        .iter()
        .find(|t| t.name == "video-uploaded")
        .unwrap();

    assert_eq!(template["spec"]["containerConcurrency"], 1);
    assert_eq!(pods.as_str().unwrap(), trigger.parallelism.to_string());
}
