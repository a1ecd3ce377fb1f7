//! PingSources: events by the clock, straight to their sink.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use cloudevents::{Data, EventBuilder as _, EventBuilderV10};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    Clock, Message, PingSource, Trace,
    subscriber::{Answer, post},
};

const TYPE: &str = "dev.knative.sources.ping";

/// The longest single wait. A machine that slept does not count its sleep, so the time of day is looked at now and
/// then.
const LOOK: Duration = Duration::from_secs(60);

/// The most that a sink may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One PingSource at work.
pub(crate) struct Pinger {
    pub(crate) source: PingSource,
    pub(crate) sink: Url,
    pub(crate) client: reqwest::Client,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Pinger {
    /// Sends at each tick until told to stop. A tick that fails is logged: the next one is its retry. Ticks that the
    /// machine slept through are made up for by one.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut last = self.clock.now();
        loop {
            // Never before the last tick: a timer that wakes early must not fire the same tick twice.
            let after = self.clock.now().max(last);
            let Ok(tick) = self.source.schedule.find_next_occurrence(&after, false) else {
                tracing::warn!(
                    source.name = self.source.name,
                    "the schedule has no further tick"
                );
                return;
            };
            while let Ok(wait) = (tick - self.clock.now()).to_std()
                && !wait.is_zero()
            {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.clock.sleep(wait.min(LOOK)) => {}
                }
            }
            last = tick;
            if let Err(e) = self.send(self.source.data.clone(), tick).await {
                tracing::warn!(source.name = self.source.name, error = %e, "ping failed");
            }
        }
    }

    /// Sends one event now.
    pub(crate) async fn send(
        &self,
        data: Option<String>,
        time: DateTime<Utc>,
    ) -> Result<(), PingError> {
        let PingSource {
            name,
            namespace,
            content_type,
            ..
        } = &self.source;
        let mut builder = EventBuilderV10::new()
            .id(format!(
                "{name}-{}",
                time.to_rfc3339_opts(SecondsFormat::Millis, true)
            ))
            .ty(TYPE)
            .source(format!(
                "/apis/v1/namespaces/{namespace}/pingsources/{name}"
            ))
            .time(time);
        if let Some(data) = data {
            let content_type = content_type.as_deref().unwrap_or("application/json");
            builder = builder.data(content_type, Data::String(data));
        }
        let failed = |why: String| PingError::Failed {
            name: name.clone(),
            why,
        };
        let event = builder.build().map_err(|e| failed(e.to_string()))?;
        let message = Message::new(event, Trace::default()).map_err(|e| failed(e.to_string()))?;
        match post(&self.client, &self.sink, &message, time, Some(TIMEOUT)).await {
            Answer::Taken | Answer::Replied { .. } => Ok(()),
            Answer::Refused(status) => Err(failed(status.to_string())),
            Answer::Failed { why, .. } => Err(failed(why)),
        }
    }
}

/// A ping did not get through.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// No PingSource of that name in the manifests.
    #[error("there is no PingSource `{0}` in the manifests")]
    Unknown(String),
    /// Its sink did not take it.
    #[error("PingSource `{name}`: the sink did not take the event: {why}")]
    Failed {
        /// The PingSource's name.
        name: String,
        /// What the sink said.
        why: String,
    },
}
