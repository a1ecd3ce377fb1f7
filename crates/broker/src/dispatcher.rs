//! Takes the messages of one queue to one subscriber.

use std::{sync::Arc, time::Duration};

use cloudevents::AttributesReader as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use url::Url;

use crate::{
    Clock, Consumer, Delivery, DeliverySpec, MAX_EVENT_BYTES, Message, QueueError, Queues, Trace,
    stats::{Outcome, Tally},
    subscriber::{Answer, post},
};

/// As many messages as the real dispatcher has unacknowledged at once, whatever its parallelism.
const PREFETCH: usize = 100;

/// The wait before a consumer that lost its queue comes back, and the least between two rounds of a dead letter.
const PAUSE: Duration = Duration::from_secs(1);

/// What a queue's messages are when they can't be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// They go to the dead-letter queue.
    DeadLetter,
    /// They are gone: no sink.
    Drop,
    /// They are dead letters already. The real dispatcher loses them here; ours takes them to the end of their queue.
    Again,
}

/// The delivery of one queue.
pub(crate) struct Dispatcher {
    pub(crate) trigger: String,
    pub(crate) queue: String,
    pub(crate) subscriber: Url,
    pub(crate) delivery: DeliverySpec,
    pub(crate) parallelism: usize,
    pub(crate) failure: Failure,
    pub(crate) tally: Arc<Tally>,
    pub(crate) queues: Arc<dyn Queues>,
    pub(crate) client: reqwest::Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) capacity: Option<Arc<Semaphore>>,
}

impl Dispatcher {
    /// Delivers until told to stop, then lets requests in flight end. A message that waits for its next try goes
    /// back to its queue instead.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let lost = match self.queues.consume(&self.queue, PREFETCH).await {
                Ok(consumer) => self.consume(consumer, &stop).await,
                Err(e) => Err(e),
            };
            if let Err(e) = lost {
                tracing::warn!(queue.name = self.queue, error = %e, "the consumer lost its queue and comes back");
                self.pause(PAUSE, &stop).await;
            }
        }
    }

    async fn consume(
        self: &Arc<Self>,
        mut consumer: Box<dyn Consumer>,
        stop: &CancellationToken,
    ) -> Result<(), QueueError> {
        let workers = Arc::new(Semaphore::new(self.parallelism));
        let mut running = JoinSet::new();
        let ended = loop {
            let worker = tokio::select! {
                () = stop.cancelled() => break Ok(()),
                worker = Arc::clone(&workers).acquire_owned() => worker,
            };
            let next = tokio::select! {
                () = stop.cancelled() => break Ok(()),
                next = consumer.next() => next,
            };
            let delivery = match next {
                Ok(delivery) => delivery,
                Err(e) => break Err(e),
            };
            let in_flight = self.tally.take_off();
            let (dispatcher, stop) = (Arc::clone(self), stop.clone());
            running.spawn(async move {
                dispatcher.deliver(delivery, &stop).await;
                drop((in_flight, worker));
            });
            while running.try_join_next().is_some() {} // forget those that ended
        };
        while running.join_next().await.is_some() {}
        ended
    }

    /// Tries a message until it is settled. Returning without settling it puts it back.
    async fn deliver(&self, delivery: Delivery, stop: &CancellationToken) {
        let event = &delivery.message.event;
        let span = tracing::info_span!(
            "deliver",
            trigger.name = self.trigger,
            event.id = event.id(),
            event.type = event.ty(),
        );
        let settled = async {
            match self.attempt(&delivery.message, stop).await {
                None => Ok(()), // told to stop
                Some(Answer::Taken) => self.done(delivery).await,
                Some(Answer::Refused(status)) => {
                    tracing::warn!(
                        http.status = status.as_u16(),
                        "the subscriber refused the event: it is gone"
                    );
                    self.tally.count(Outcome::Refused);
                    delivery.ack().await
                }
                Some(Answer::Failed { code, why }) => self.fail(delivery, code, &why, stop).await,
                Some(Answer::Replied {
                    status,
                    headers,
                    body,
                }) => {
                    let trace = delivery.message.trace.clone();
                    match self.reply(headers, body, trace, stop).await {
                        None => Ok(()),
                        Some(Ok(())) => self.done(delivery).await,
                        // The work was done, its reply has no place: the input comes back to somebody who can tell.
                        Some(Err(why)) => {
                            self.fail(delivery, status.as_u16().into(), &why, stop)
                                .await
                        }
                    }
                }
            }
        };
        if let Err(e) = settled.instrument(span).await {
            tracing::warn!(queue.name = self.queue, error = %e, "a message could not be settled and will come again");
        }
    }

    /// The answer after the last try; `None` if told to stop between two.
    async fn attempt(&self, message: &Message, stop: &CancellationToken) -> Option<Answer> {
        let mut retries = 0;
        loop {
            let permit = self.permit(stop).await?;
            let started = std::time::Instant::now();
            let now = self.clock.now();
            let timeout = self.delivery.timeout;
            let answer = post(&self.client, &self.subscriber, message, now, timeout).await;
            let elapsed = started.elapsed().as_millis();
            drop(permit); // the wait for the next try needs none
            metrics::histogram!("broker_delivery_ms", "queue" => self.queue.clone())
                .record(elapsed as f64);
            let Answer::Failed { why, .. } = &answer else {
                return Some(answer);
            };
            if retries == self.delivery.retry {
                return Some(answer);
            }
            retries += 1;
            tracing::info!(
                retry = retries,
                elapsed_ms = elapsed,
                error = why,
                "delivery failed, waiting for the next try"
            );
            if !self.pause(self.delivery.backoff.wait(retries), stop).await {
                return None;
            }
            self.tally.count(Outcome::Retried);
        }
    }

    /// The right to send one request to a Service whose capacity is bounded; `None` if told to stop while waiting for it.
    async fn permit(&self, stop: &CancellationToken) -> Option<Option<OwnedSemaphorePermit>> {
        let Some(capacity) = &self.capacity else {
            return Some(None);
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            permit = Arc::clone(capacity).acquire_owned() => Some(permit.ok()),
        }
    }

    /// Hands a reply back to the Broker, with the retries of the delivery. `None` if told to stop.
    async fn reply(
        &self,
        headers: http::HeaderMap,
        body: bytes::Bytes,
        trace: Trace,
        stop: &CancellationToken,
    ) -> Option<Result<(), String>> {
        if body.len() > MAX_EVENT_BYTES {
            return Some(Err(format!(
                "the reply is longer than {MAX_EVENT_BYTES} bytes"
            )));
        }
        let message = match Message::from_http(&headers, body, trace) {
            Ok(message) => message,
            Err(bad) => return Some(Err(format!("the reply is {bad}"))),
        };
        let mut retries = 0;
        loop {
            match self.queues.publish(message.clone()).await {
                Ok(()) => return Some(Ok(())),
                Err(unfit @ QueueError::Unfit(_)) => return Some(Err(unfit.to_string())),
                Err(e) if retries == self.delivery.retry => return Some(Err(e.to_string())),
                Err(_) => retries += 1,
            }
            if !self.pause(self.delivery.backoff.wait(retries), stop).await {
                return None;
            }
        }
    }

    async fn done(&self, delivery: Delivery) -> Result<(), QueueError> {
        delivery.ack().await?;
        self.tally.count(Outcome::Delivered);
        Ok(())
    }

    async fn fail(
        &self,
        delivery: Delivery,
        code: i64,
        why: &str,
        stop: &CancellationToken,
    ) -> Result<(), QueueError> {
        let message = delivery.message.clone();
        match self.failure {
            Failure::Drop => {
                tracing::warn!(
                    error = why,
                    "delivery failed and there is no dead-letter sink: the event is dropped"
                );
                self.tally.count(Outcome::Dropped);
                delivery.ack().await
            }
            Failure::DeadLetter => {
                tracing::warn!(
                    error = why,
                    "delivery failed: the event becomes a dead letter"
                );
                let letter = message.into_dead_letter(self.subscriber.as_str(), code);
                delivery.dead_letter(letter).await?;
                self.tally.count(Outcome::DeadLettered);
                Ok(())
            }
            Failure::Again => {
                tracing::warn!(
                    error = why,
                    "the dead-letter sink failed: the letter waits for another round"
                );
                let wait = self
                    .delivery
                    .backoff
                    .wait(self.delivery.retry.saturating_add(1));
                if !self.pause(wait.max(PAUSE), stop).await {
                    return Ok(());
                }
                delivery.dead_letter(message).await
            }
        }
    }

    /// Waits; `false` if told to stop.
    async fn pause(&self, wait: Duration, stop: &CancellationToken) -> bool {
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            () = self.clock.sleep(wait) => true,
        }
    }
}
