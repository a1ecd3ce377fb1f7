mod errors;
mod schemas;

pub(crate) use schemas::{JobProblem, JobState, OptionFields, Options, Token, UploadForm};

use crate::base_path::BasePath;
use axum::{
    Extension,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

/// What is said of the door as a whole. Each call is described beside its handler, in `#[utoipa::path]`; which errors it
/// answers with stands there as `x-errors`, and [`Description::of`] makes responses of them.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Decant",
        description = "Upload a video, get an MP3.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(liveness, readiness, metrics)
)]
pub(crate) struct Begun;

/// The OpenAPI document, ready to be sent.
#[derive(Clone)]
pub(crate) struct Description(Bytes);

impl Description {
    /// Completes what handlers say of themselves: errors, sessions beside tokens, where the door is.
    ///
    /// # Panics
    /// If a handler names an error that there isn't: at the start of every test.
    pub(crate) fn of(described: &utoipa::openapi::OpenApi, base_path: &BasePath) -> Self {
        let mut document = json!(described);
        document["servers"] = json!([{"url": base_path.root()}]);
        let components = &mut document["components"];
        components["securitySchemes"] = security_schemes();
        components["schemas"]["Problem"] = schemas::problem();
        components["schemas"]["Options"] = schemas::options();
        for (_, path) in document["paths"].as_object_mut().into_iter().flatten() {
            for (method, call) in path.as_object_mut().into_iter().flatten() {
                if let Some(call) = call.as_object_mut() {
                    complete(method, call);
                }
            }
        }
        Self(document.to_string().into())
    }
}

fn complete(method: &str, call: &mut Map<String, Value>) {
    let named = call.remove("x-errors").unwrap_or_default();
    let mut codes: Vec<String> = serde_json::from_value(named).unwrap_or_default();
    codes.push("internal".into());
    codes.push("not-ready".into());
    let security = call.get_mut("security").and_then(Value::as_array_mut);
    if let Some(ways) = security.filter(|ways| ways.contains(&json!({"bearer": []}))) {
        let person = [
            "missing-token",
            "invalid-token",
            "expired-token",
            "store-unavailable",
        ];
        codes.extend(person.map(String::from));
        if method == "get" {
            ways.push(json!({"session": []}));
        } else {
            ways.push(json!({"session": [], "csrf": []}));
            codes.push("csrf".into());
        }
    }
    let responses = call.entry("responses").or_insert_with(|| json!({}));
    for (status, response) in errors::responses(&codes) {
        responses[status] = response;
    }
}

fn security_schemes() -> Value {
    json!({
        "basic": {"type": "http", "scheme": "basic", "description": "Mail address and password."},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "What `POST /login` gives."},
        "session": {"type": "apiKey", "in": "cookie", "name": "decant_session", "description": "What `POST /session` gives."},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "What `GET /session` gives; beside `session`."},
        "link": {"type": "apiKey", "in": "query", "name": "signature", "description": "The link of a mail."},
    })
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "about", responses((status = 200, body = Object)))]
pub(crate) async fn openapi(Extension(Description(json)): Extension<Description>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health/liveness", tag = "about", responses((status = 200, body = String, content_type = "text/plain")))]
#[expect(dead_code, reason = "it describes the chassis' own")]
fn liveness() {}

/// Whether what it works with can be reached.
#[utoipa::path(get, path = "/health/readiness", tag = "about", responses((status = 200, body = String, content_type = "text/plain")))]
#[expect(dead_code, reason = "it describes the chassis' own")]
fn readiness() {}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "about", responses((status = 200, body = String, content_type = "text/plain")))]
#[expect(dead_code, reason = "it describes the chassis' own")]
fn metrics() {}
