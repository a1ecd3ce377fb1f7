//! Queues in this process's memory: gone with it, which the job record and the sweep make good.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{Consumer, Delivery, Message, QueueError, QueueSpec, Queues, Settle};

/// With events of at most 64 KiB, 64 MiB per queue at worst.
const DEFAULT_CAPACITY: usize = 1024;

/// In-memory [`Queues`].
#[derive(Clone)]
pub struct MemoryQueues {
    capacity: usize,
    queues: Arc<Mutex<HashMap<String, Queue>>>,
}

struct Queue {
    spec: QueueSpec,
    ready: VecDeque<Message>,
    unsettled: usize,
    arrived: Arc<Notify>,
}

impl Default for MemoryQueues {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl MemoryQueues {
    /// Queues that take published messages until they hold so many, those out for delivery included.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            queues: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        // Nothing here panics between two changes that belong together.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Queues for MemoryQueues {
    async fn declare(&self, spec: QueueSpec) -> Result<(), QueueError> {
        self.lock()
            .entry(spec.name.clone())
            .or_insert_with(|| Queue {
                spec,
                ready: VecDeque::new(),
                unsettled: 0,
                arrived: Arc::default(),
            });
        Ok(())
    }

    async fn publish(&self, message: Message) -> Result<(), QueueError> {
        let mut queues = self.lock();
        let passes = |queue: &&mut Queue| {
            queue
                .spec
                .filter
                .as_ref()
                .is_some_and(|filter| filter.matches(&message.event))
        };
        let targets: Vec<&mut Queue> = queues.values_mut().filter(passes).collect();
        // All or none: a producer that is told to come again must not leave half behind.
        let held = |queue: &&&mut Queue| queue.ready.len() + queue.unsettled >= self.capacity;
        if let Some(full) = targets.iter().find(held) {
            return Err(QueueError::Full(full.spec.name.clone()));
        }
        for queue in targets {
            queue.ready.push_back(message.clone());
            queue.arrived.notify_one();
        }
        Ok(())
    }

    async fn consume(&self, queue: &str, prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        let arrived = match self.lock().get(queue) {
            Some(found) => Arc::clone(&found.arrived),
            None => return Err(QueueError::Unknown(queue.to_owned())),
        };
        Ok(Box::new(MemoryConsumer {
            queues: self.clone(),
            queue: queue.to_owned(),
            arrived,
            prefetch: Arc::new(Semaphore::new(prefetch)),
        }))
    }

    async fn depth(&self, queue: &str) -> Result<usize, QueueError> {
        match self.lock().get(queue) {
            Some(found) => Ok(found.ready.len()),
            None => Err(QueueError::Unknown(queue.to_owned())),
        }
    }
}

struct MemoryConsumer {
    queues: MemoryQueues,
    queue: String,
    arrived: Arc<Notify>,
    prefetch: Arc<Semaphore>,
}

impl MemoryConsumer {
    fn take(&self) -> Option<Message> {
        let mut queues = self.queues.lock();
        let queue = queues.get_mut(&self.queue)?;
        let message = queue.ready.pop_front()?;
        queue.unsettled += 1;
        if !queue.ready.is_empty() {
            queue.arrived.notify_one(); // for the next consumer: a Notify remembers one arrival only
        }
        Some(message)
    }
}

#[async_trait::async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        let permit = Arc::clone(&self.prefetch).acquire_owned().await;
        let permit = permit.map_err(|closed| QueueError::Away(closed.into()))?;
        loop {
            let arrived = Arc::clone(&self.arrived);
            if let Some(message) = self.take() {
                let settle = MemorySettle {
                    queues: self.queues.clone(),
                    queue: self.queue.clone(),
                    unsettled: Some(message.clone()),
                    _permit: permit,
                };
                return Ok(Delivery::new(message, Box::new(settle)));
            }
            arrived.notified().await;
        }
    }
}

struct MemorySettle {
    queues: MemoryQueues,
    queue: String,
    /// Put back if this is dropped before the message is settled.
    unsettled: Option<Message>,
    _permit: OwnedSemaphorePermit,
}

impl MemorySettle {
    fn done(&mut self, queues: &mut HashMap<String, Queue>) {
        if self.unsettled.take().is_some()
            && let Some(queue) = queues.get_mut(&self.queue)
        {
            queue.unsettled -= 1;
        }
    }
}

#[async_trait::async_trait]
impl Settle for MemorySettle {
    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        let queues = self.queues.clone();
        self.done(&mut queues.lock());
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, message: Message) -> Result<(), QueueError> {
        let shared = self.queues.clone();
        let mut queues = shared.lock();
        let target = queues
            .get(&self.queue)
            .and_then(|queue| queue.spec.dead_letter.clone());
        if let Some(target) = target {
            // Not held back by a full queue: the message only moves, so memory does not grow.
            let Some(queue) = queues.get_mut(&target) else {
                return Err(QueueError::Unknown(target)); // the drop below puts the message back
            };
            queue.ready.push_back(message);
            queue.arrived.notify_one();
        }
        self.done(&mut queues);
        Ok(())
    }
}

impl Drop for MemorySettle {
    fn drop(&mut self) {
        let Some(message) = self.unsettled.take() else {
            return;
        };
        let mut queues = self.queues.lock();
        if let Some(queue) = queues.get_mut(&self.queue) {
            queue.unsettled -= 1;
            queue.ready.push_front(message);
            queue.arrived.notify_one();
        }
    }
}
