//! A connection that is made again whenever it is lost.

use std::{future::Future, sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures::StreamExt as _;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::sync::{Mutex, watch};
use tokio_util::task::AbortOnDropHandle;

use super::{AmqpUrl, declared::Declared};
use crate::QueueError;

/// The most that RabbitMQ may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);
/// The most that it may take for anything else.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// How often a connection is looked at whose end was not announced.
const LOOK: Duration = Duration::from_millis(500);

/// RabbitMQ could not be connected to.
#[derive(Debug, thiserror::Error)]
#[error(
    "RabbitMQ at {url} can't be used: {why}; start it or correct the address, its user or its password"
)]
pub struct RabbitError {
    url: String,
    why: String,
}

/// One connection, as long as this lives.
pub(super) struct Link {
    state: watch::Receiver<Result<Session, String>>,
    /// For small questions; replaced when it is gone.
    channel: Mutex<Option<Channel>>,
    _keeper: AbortOnDropHandle<()>,
}

/// A connection while it stands.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    /// Why RabbitMQ takes no messages over it, if so.
    blocked: watch::Receiver<Option<String>>,
}

impl Session {
    /// Waits until RabbitMQ takes no messages over this connection, or the connection is lost.
    pub(super) async fn refusal(&self) -> QueueError {
        let mut blocked = self.blocked.clone();
        match blocked.wait_for(Option::is_some).await {
            Ok(reason) => QueueError::Blocked(reason.clone().unwrap_or_default()),
            Err(_) => QueueError::Away("the connection is lost".into()),
        }
    }
}

impl Link {
    pub(super) async fn open(
        url: &AmqpUrl,
        name: &'static str,
        declared: Arc<Declared>,
    ) -> Result<Self, RabbitError> {
        let failed = |error: QueueError| RabbitError {
            url: url.to_string(),
            why: reasons(&error),
        };
        let (session, watched) = connect(url, name, &declared).await.map_err(failed)?;
        let (changed, state) = watch::channel(Ok(session));
        let keeper = keep(url.clone(), name, declared, watched, changed);
        Ok(Self {
            state,
            channel: Mutex::default(),
            _keeper: AbortOnDropHandle::new(tokio::spawn(keeper)),
        })
    }

    /// The connection, if it stands.
    pub(super) fn session(&self) -> Result<Session, QueueError> {
        let state = self.state.borrow();
        state.clone().map_err(|why| QueueError::Away(why.into()))
    }

    /// Waits for the connection, for ever.
    pub(super) async fn up(&self) {
        let mut state = self.state.clone();
        // The keeper, who changes it, lives as long as this.
        let _ = state.wait_for(Result::is_ok).await;
    }

    /// A channel for small questions.
    pub(super) async fn channel(&self, session: &Session) -> Result<Channel, QueueError> {
        let mut kept = self.channel.lock().await;
        if let Some(channel) = kept.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = session.connection.create_channel().await.map_err(away)?;
        Ok(kept.insert(channel).clone())
    }
}

/// The sender of `Session::blocked`.
struct Watched {
    session: Session,
    blocked: watch::Sender<Option<String>>,
}

async fn connect(
    url: &AmqpUrl,
    name: &'static str,
    declared: &Declared,
) -> Result<(Session, Watched), QueueError> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connection = within(CONNECT, async {
        let connection = Connection::connect_uri(url.uri(), properties).await;
        connection.map_err(away)
    })
    .await?;
    declared.declare_all(&connection).await?;
    let (sender, blocked) = watch::channel(None);
    let session = Session {
        connection: Arc::new(connection),
        blocked,
    };
    let watched = Watched {
        session: session.clone(),
        blocked: sender,
    };
    Ok((session, watched))
}

/// Watches over the connection and makes it again, for ever. lapin could do that itself, but what it recovers is its own
/// record of a connection: unsettled deliveries and unconfirmed messages have to fail here, and the queues must be
/// there again before anything is published.
async fn keep(
    url: AmqpUrl,
    name: &'static str,
    declared: Arc<Declared>,
    mut watched: Watched,
    changed: watch::Sender<Result<Session, String>>,
) {
    loop {
        let why = lost(watched).await;
        tracing::warn!(
            amqp.connection = name,
            error = why,
            "the connection to RabbitMQ is lost"
        );
        let _ = changed.send_replace(Err(why));
        let mut waits = backoff();
        watched = loop {
            match connect(&url, name, &declared).await {
                Ok((session, watched)) => {
                    tracing::info!(amqp.connection = name, "the connection to RabbitMQ is back");
                    let _ = changed.send_replace(Ok(session));
                    break watched;
                }
                Err(e) => {
                    let why = reasons(&e);
                    tracing::info!(
                        amqp.connection = name,
                        error = why,
                        "RabbitMQ is still away"
                    );
                    let _ = changed.send_replace(Err(why));
                    tokio::time::sleep(waits.next().unwrap_or(ANSWER)).await;
                }
            }
        };
    }
}

/// Waits until the connection is gone, and passes on what RabbitMQ says about blocking it.
async fn lost(watched: Watched) -> String {
    let Watched { session, blocked } = watched;
    let mut events = Box::pin(session.connection.events_listener());
    let mut why = "it was closed".to_owned();
    loop {
        if !session.connection.status().connected() {
            return why;
        }
        let event = tokio::time::timeout(LOOK, events.next()).await;
        match event {
            Ok(Some(Event::ConnectionBlocked(reason))) => {
                tracing::warn!(reason, "RabbitMQ takes no messages for now");
                blocked.send_replace(Some(reason));
            }
            Ok(Some(Event::ConnectionUnblocked)) => {
                tracing::info!("RabbitMQ takes messages again");
                blocked.send_replace(None);
            }
            // Also said when only a channel fails.
            Ok(Some(Event::Error(error))) => why = error.to_string(),
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => return why,
        }
    }
}

/// A tenth of a second, doubling up to five, and no two processes at the same time.
pub(super) fn backoff() -> backon::ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(ANSWER)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Bounds what RabbitMQ may take to answer.
pub(super) async fn within<T>(
    limit: Duration,
    what: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, QueueError> {
    match tokio::time::timeout(limit, what).await {
        Ok(done) => done,
        Err(_) => {
            let why = format!("RabbitMQ did not answer within {limit:?}");
            Err(QueueError::Away(why.into()))
        }
    }
}

pub(super) fn away(error: lapin::Error) -> QueueError {
    QueueError::Away(error.into())
}

/// What is behind an error.
pub(super) fn reasons(error: &QueueError) -> String {
    match error {
        QueueError::Away(why) => why.to_string(),
        other => other.to_string(),
    }
}
