use crate::{App, error::Error};
use axum::extract::State;
use chrono::{DateTime, Utc};
use decant_function::{AnyEvent, Reply};
use serde::Deserialize;

/// What a ping may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ping {
    /// The broker's queues of before this time are gone, and with them whoever worked: `decant up` says so when it has
    /// started, until it is understood. What was announced since needs no announcement again.
    pub(crate) queues_lost_before: Option<DateTime<Utc>>,
}

/// Time to sweep.
pub(crate) async fn on_ping(State(app): State<App>, event: AnyEvent) -> Result<Reply, Error> {
    app.sweep(&Ping::said_by(event)).await?;
    Ok(Reply::Done)
}

impl Ping {
    /// Whatever else a ping says, it is a ping.
    fn said_by(event: AnyEvent) -> Self {
        let data = event.0.data().cloned();
        data.and_then(|data| serde_json::Value::try_from(data).ok())
            .and_then(|json| serde_json::from_value(json).ok())
            .unwrap_or_default()
    }
}
