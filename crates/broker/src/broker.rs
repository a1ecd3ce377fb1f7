//! A Broker: its door, its queues, and one dispatcher per Trigger.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, DeliverySpec, Destination, NoRoute, PingError, QueueError, QueueSpec, Queues, Routes,
    SystemClock, Topology, Trigger, TriggerStats,
    dispatcher::{Dispatcher, Failure},
    ingress, names,
    ping::Pinger,
    stats::Tally,
    subscriber,
};

/// What is not in the manifests.
#[derive(Clone)]
pub struct Settings {
    /// How long deliveries in flight may take to end after shutdown began; then they go back to their queue.
    pub grace: Duration,
    /// The time of back-off and of cron.
    pub clock: Arc<dyn Clock>,
    /// How many requests each Service takes at once, where that is bounded. Others wait here, before their timeout
    /// begins, as they wait in Knative's activator for a pod.
    pub capacity: BTreeMap<String, usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
            capacity: BTreeMap::new(),
        }
    }
}

/// A Broker with its Triggers and PingSources. Clones are handles to the same one.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    queues: Arc<dyn Queues>,
    /// In the order of declaration: a dead-letter queue before the queue that needs it.
    declarations: Vec<QueueSpec>,
    dispatchers: Vec<Arc<Dispatcher>>,
    pingers: Vec<Arc<Pinger>>,
    settings: Settings,
    /// One permit for each request that a bounded Service takes.
    capacities: BTreeMap<String, Arc<Semaphore>>,
}

impl Broker {
    /// Plans a Broker; nothing runs before [`run`].
    ///
    /// # Errors
    /// A subscriber or a sink has no address on this machine.
    pub fn new(
        topology: &Topology,
        routes: &Routes,
        queues: impl Queues,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let capacities = settings.capacity.iter();
        let capacities = capacities
            .map(|(service, permits)| (service.clone(), Arc::new(Semaphore::new(*permits))))
            .collect();
        let mut inner = Inner {
            capacities,
            queues: Arc::new(queues),
            declarations: Vec::new(),
            dispatchers: Vec::new(),
            pingers: Vec::new(),
            settings,
        };
        let client = subscriber::client().map_err(StartError::Client)?;
        for trigger in &topology.triggers {
            inner.add_trigger(topology, trigger, routes, &client)?;
        }
        for source in &topology.ping_sources {
            let of = || format!("PingSource `{}`", source.name);
            let sink = routes
                .resolve(&source.sink)
                .map_err(|e| StartError::Route(of(), e))?;
            inner.pingers.push(Arc::new(Pinger {
                source: source.clone(),
                sink,
                client: client.clone(),
                clock: Arc::clone(&inner.settings.clock),
            }));
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Sends an event of a PingSource now, with other data if given, straight to its sink.
    ///
    /// # Errors
    /// There is no such PingSource, or its sink does not answer 2xx.
    pub async fn ping(&self, source: &str, data: Option<String>) -> Result<(), PingError> {
        let pinger = self
            .0
            .pingers
            .iter()
            .find(|pinger| pinger.source.name == source);
        let pinger = pinger.ok_or_else(|| PingError::Unknown(source.to_owned()))?;
        let data = data.or_else(|| pinger.source.data.clone());
        pinger.send(data, self.0.settings.clock.now()).await
    }

    /// What every Trigger has done so far, and what waits; the row of a Trigger's dead letters follows its own.
    pub async fn stats(&self) -> Vec<TriggerStats> {
        let mut rows = Vec::new();
        for dispatcher in &self.0.dispatchers {
            let depth = self.0.queues.depth(&dispatcher.queue).await.ok();
            let dead_letters = dispatcher.failure == Failure::Again;
            rows.push(
                dispatcher
                    .tally
                    .stats(&dispatcher.trigger, dead_letters, depth),
            );
        }
        rows
    }

    pub(crate) fn queues(&self) -> &dyn Queues {
        &*self.0.queues
    }
}

impl Inner {
    fn capacity(&self, to: &Destination) -> Option<Arc<Semaphore>> {
        match to {
            Destination::Service { name, .. } => self.capacities.get(name).cloned(),
            Destination::Url(_) => None,
        }
    }

    fn add_trigger(
        &mut self,
        topology: &Topology,
        trigger: &Trigger,
        routes: &Routes,
        client: &reqwest::Client,
    ) -> Result<(), StartError> {
        let no_route = |e| StartError::Route(format!("Trigger `{}`", trigger.name), e);
        let queue = names::queue(&topology.namespace, &trigger.name);
        let subscriber = routes.resolve(&trigger.subscriber).map_err(no_route)?;
        let sink = &trigger.delivery.dead_letter_sink;
        let sink = sink
            .as_ref()
            .map(|sink| Ok((sink, routes.resolve(sink)?)))
            .transpose()
            .map_err(no_route)?;
        let dispatcher = |queue: &str, to: &Destination, subscriber, failure| {
            Arc::new(Dispatcher {
                trigger: trigger.name.clone(),
                queue: queue.to_owned(),
                subscriber,
                delivery: DeliverySpec {
                    timeout: topology.timeout(to, trigger.delivery.timeout),
                    ..trigger.delivery.clone()
                },
                parallelism: trigger.parallelism,
                failure,
                tally: Arc::new(Tally::new(queue)),
                queues: Arc::clone(&self.queues),
                client: client.clone(),
                clock: Arc::clone(&self.settings.clock),
                capacity: self.capacity(to),
            })
        };
        let letters = sink.as_ref();
        let letters = letters.map(|_| names::dead_letter_queue(&topology.namespace, &trigger.name));
        let failure = if sink.is_some() {
            Failure::DeadLetter
        } else {
            Failure::Drop
        };
        let mut dispatchers = vec![dispatcher(&queue, &trigger.subscriber, subscriber, failure)];
        if let (Some((to, sink)), Some(letters)) = (sink, &letters) {
            dispatchers.push(dispatcher(letters, to, sink, Failure::Again));
            // Its own dead-letter queue: a letter that fails goes to the end of the line, confirmed like any other.
            self.declarations.push(QueueSpec {
                name: letters.clone(),
                filter: None,
                dead_letter: Some(letters.clone()),
            });
        }
        self.declarations.push(QueueSpec {
            name: queue,
            filter: Some(trigger.filter.clone()),
            dead_letter: letters,
        });
        self.dispatchers.extend(dispatchers);
        Ok(())
    }
}

/// Runs a Broker on a listener until `shutdown` ends: takes no more events, lets deliveries in flight end within the
/// grace, and returns.
///
/// # Errors
/// The queues can't be declared, or the listener fails.
pub async fn run(
    listener: TcpListener,
    broker: Broker,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    for queue in &broker.0.declarations {
        broker.0.queues.declare(queue.clone()).await?;
    }
    let stop = CancellationToken::new();
    let mut work = JoinSet::new();
    for dispatcher in &broker.0.dispatchers {
        work.spawn(Arc::clone(dispatcher).run(stop.clone()));
    }
    for pinger in &broker.0.pingers {
        work.spawn(Arc::clone(pinger).run(stop.clone()));
    }
    let ingress = axum::serve(listener, ingress::router(broker.clone()))
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut ingress = std::pin::pin!(ingress.into_future());
    tokio::select! {
        () = shutdown => {}
        _ = &mut ingress => return Err(RunError::Listener),
    }
    stop.cancel();
    let drained = async {
        while work.join_next().await.is_some() {}
        ingress.await
    };
    if tokio::time::timeout(broker.0.settings.grace, drained)
        .await
        .is_err()
    {
        tracing::warn!("deliveries did not end within the grace and go back to their queues");
        work.shutdown().await;
    }
    Ok(())
}

/// Why a Broker can't be planned.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody's destination is nowhere.
    #[error("{0} has nowhere to send: {1}")]
    Route(String, #[source] NoRoute),
    /// The HTTP client can't be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

/// Why a Broker can't run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The queues are away.
    #[error("the queues could not be declared: {0}")]
    Queues(#[from] QueueError),
    /// The listener ended by itself.
    #[error("the ingress ended although nobody asked it to; see the log")]
    Listener,
}
