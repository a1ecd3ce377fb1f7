//! One trace per job.

use crate::{SOON, clips};
use axum::{Router, body::Bytes, extract::State, routing::post};
use decant_e2e::{System, eventually};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value,
    trace::v1::ResourceSpans,
};
use prost::Message;
use reqwest::{
    Method, StatusCode,
    multipart::{Form, Part},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_runs_from_the_upload_request_through_the_event_to_the_mail() {
    let receiver = Receiver::start().await;
    let mut system = System::new();
    system
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.address)
        .set("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start()
        .await;
    let client = system.client().await;

    let part = Part::stream(clips::short()).file_name("Film.mp4");
    let upload = client
        .request(Method::POST, "/upload")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .multipart(Form::new().part("file", part));
    let answer = upload.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    system.mailbox().wait_for("Film", SOON).await;

    let expected = [
        ("decant-convert", "POST /"),
        ("decant-notify", "POST /mp3-ready"),
        ("decant-upload", "POST /upload"),
    ];
    eventually(&format!("{expected:?} in the trace"), SOON, async || {
        let seen = receiver.spans();
        let all = expected.iter().all(|(service, name)| {
            seen.iter()
                .any(|span| span.service == *service && span.name == *name)
        });
        all.then_some(())
    })
    .await;
    let spans = receiver.spans();
    let first = spans.iter().find(|span| span.name == "POST /upload");
    assert_eq!(first.expect("the upload").parent, CALLER);
    // Each span hangs on another one of the trace: nothing between them is lost.
    let known: BTreeSet<_> = spans
        .iter()
        .map(|span| span.id.as_str())
        .chain([CALLER])
        .collect();
    for span in &spans {
        assert!(
            known.contains(span.parent.as_str()),
            "{span:?} hangs on nothing in {spans:?}"
        );
    }
}

#[derive(Debug, Clone)]
struct Span {
    service: String,
    name: String,
    id: String,
    parent: String,
}

/// Takes spans by OTLP over HTTP.
struct Receiver {
    address: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let spans = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .with_state(spans.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address: format!("http://127.0.0.1:{port}"),
            spans,
        }
    }

    /// The spans of the one trace so far.
    fn spans(&self) -> Vec<Span> {
        self.spans.lock().expect("unharmed").clone()
    }
}

async fn receive(State(spans): State<Arc<Mutex<Vec<Span>>>>, body: Bytes) {
    let export = ExportTraceServiceRequest::decode(body).expect("spans");
    let ours = export.resource_spans.iter().flat_map(of_the_trace);
    spans.lock().expect("unharmed").extend(ours);
}

fn of_the_trace(resource: &ResourceSpans) -> impl Iterator<Item = Span> {
    let service = service(resource).unwrap_or_default();
    let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
    spans
        .filter(|span| hex(&span.trace_id) == TRACE)
        .map(move |span| Span {
            service: service.clone(),
            name: span.name.clone(),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
        })
}

fn service(resource: &ResourceSpans) -> Option<String> {
    let attributes = &resource.resource.as_ref()?.attributes;
    let name = attributes
        .iter()
        .find(|attribute| attribute.key == "service.name")?;
    match name.value.as_ref()?.value.as_ref()? {
        Value::StringValue(name) => Some(name.clone()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
