//! What the suite asks of this machine, over HTTP: it has curl anyway. Mails in the words of Mailpit's API, so that the suite
//! reads them here as on a cluster.

use crate::machine::Machine;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{runtime::Handle, sync::Mutex, task::block_in_place};

type Shared = State<Arc<Mutex<Machine>>>;

pub(crate) fn router(machine: Arc<Mutex<Machine>>) -> Router {
    Router::new()
        .route("/address/{function}", get(address))
        .route("/kill/{part}", post(kill))
        .route("/mail/stop", post(stop_mail))
        .route("/mail/start", post(start_mail))
        .route("/mail/hold", post(hold_mail))
        .route("/mail/held", get(held_mails))
        .route("/convert/break", post(break_convert))
        .route("/convert/mend", post(mend_convert))
        .route("/api/v1/messages", get(messages))
        .route("/api/v1/message/{id}", get(message))
        .with_state(machine)
}

async fn address(State(machine): Shared, Path(function): Path<String>) -> String {
    machine.lock().await.address(&function)
}

async fn kill(
    State(machine): Shared,
    Path(part): Path<String>,
) -> Result<&'static str, StatusCode> {
    let killed = here(async { machine.lock().await.kill(&part).await });
    killed.ok_or(StatusCode::NOT_FOUND)
}

async fn stop_mail(State(machine): Shared) {
    here(async { machine.lock().await.stop_mail() });
}

async fn start_mail(State(machine): Shared) {
    here(async { machine.lock().await.start_mail().await });
}

async fn hold_mail(State(machine): Shared) {
    here(async { machine.lock().await.hold_mail().await });
}

async fn held_mails(State(machine): Shared) -> String {
    machine.lock().await.held_mails().to_string()
}

async fn break_convert(State(machine): Shared) {
    here(async { machine.lock().await.break_convert().await });
}

async fn mend_convert(State(machine): Shared) {
    here(async { machine.lock().await.mend_convert().await });
}

/// Does what takes its time, or the thread, on this very thread, whose other work goes elsewhere.
fn here<T>(work: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(work))
}

async fn messages(State(machine): Shared) -> Json<Value> {
    let mails = machine.lock().await.mails();
    let messages: Vec<_> = mails
        .iter()
        .enumerate()
        .map(|(id, mail)| json!({"ID": id.to_string(), "To": to(mail), "Subject": subject(mail)}))
        .collect();
    Json(json!({"total": mails.len(), "messages": messages}))
}

async fn message(State(machine): Shared, Path(id): Path<usize>) -> Result<Json<Value>, StatusCode> {
    let mails = machine.lock().await.mails();
    let mail = mails.get(id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({"To": to(mail), "Text": mail["mail"]["text"]})))
}

fn to(mail: &Value) -> Vec<Value> {
    let addresses = mail["recipients"].as_array().into_iter().flatten();
    addresses
        .map(|address| json!({"Address": address}))
        .collect()
}

fn subject(mail: &Value) -> Option<&str> {
    let mut headers = mail["mail"]["headers"].as_array()?.iter();
    headers.find(|header| header[0] == "subject")?[1].as_str()
}
