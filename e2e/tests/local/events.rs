//! Events as anybody may post them.

use crate::SOON;
use decant_e2e::System;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Posts an event in binary mode.
pub(crate) async fn post(address: &str, ty: &str, data: Value) -> StatusCode {
    let request = reqwest::Client::new()
        .post(address)
        .header("ce-specversion", "1.0")
        .header("ce-id", "1")
        .header("ce-source", "/mallory")
        .header("ce-type", ty)
        .timeout(SOON)
        .json(&data);
    request.send().await.expect("an answer").status()
}

/// Has the sweep run now, as the PingSource does every ten minutes.
pub(crate) async fn sweep(system: &System) -> StatusCode {
    let notify = system.function("notify").variable("PORT");
    let address = format!("http://127.0.0.1:{notify}/ping");
    post(&address, "dev.knative.sources.ping", json!({})).await
}
