//! What has changed, told to all streams of the process by one poll of the store a second; without streams there is none.

use crate::person::Person;
use decant_events::{FileId, Username};
use decant_function::reasons;
use decant_store::{Error as StoreError, Job, Line, Store};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};

const POLL: Duration = Duration::from_secs(1);

/// How long a change may take from its time to where others see it. So far each poll looks back.
pub(crate) const LATE: Duration = Duration::from_secs(10);

/// How often the database's clock is read; in between it goes like ours.
const CLOCK: Duration = Duration::from_secs(60);

/// How many changed jobs are read at once.
const PAGE: u32 = 500;

/// How many jobs may wait for a stream whose client reads slowly.
pub(crate) const MOST_NEWS: usize = 1_000;

/// Finds out what has changed, as long as somebody wants to know.
pub(crate) struct Watch {
    store: Store,
    followers: Mutex<Followers>,
}

#[derive(Default)]
struct Followers {
    all: Vec<Weak<Follower>>,
    is_polling: bool,
}

impl Watch {
    pub(crate) fn new(store: Store) -> Arc<Self> {
        Arc::new(Self {
            store,
            followers: Mutex::default(),
        })
    }

    /// Tells a stream from now on what changes, until it is dropped: of one job, or of all that the person may see.
    pub(crate) fn follow(self: &Arc<Self>, person: Person, job: Option<FileId>) -> Arc<Follower> {
        let follower = Arc::new(Follower {
            person,
            job,
            news: Mutex::default(),
            has_news: Notify::new(),
            stands_in_line: AtomicBool::new(false),
        });
        let mut followers = locked(&self.followers);
        followers.all.push(Arc::downgrade(&follower));
        if !followers.is_polling {
            followers.is_polling = true;
            tokio::spawn(Arc::clone(self).poll());
        }
        follower
    }

    /// How many streams tell this person something.
    pub(crate) fn streams_of(&self, username: &Username) -> usize {
        let followers = locked(&self.followers);
        let there = followers.all.iter().filter_map(Weak::upgrade);
        there
            .filter(|follower| follower.person.username == *username)
            .count()
    }

    async fn poll(self: Arc<Self>) {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen::default();
        loop {
            ticks.tick().await;
            let Some(followers) = self.followers() else {
                return;
            };
            metrics::counter!("decant_watch_polls_total").increment(1);
            match self.look(&mut seen, &followers).await {
                Ok(()) => seen.is_blind = false,
                Err(error) if seen.is_blind => {
                    tracing::debug!(error = reasons(&error), "the store can't be watched yet");
                }
                Err(error) => {
                    seen.is_blind = true;
                    tracing::warn!(error = reasons(&error), "the store can't be watched");
                }
            }
        }
    }

    /// Whoever follows, or `None`: then the polling is over.
    fn followers(&self) -> Option<Vec<Arc<Follower>>> {
        let mut followers = locked(&self.followers);
        let there: Vec<_> = followers.all.iter().filter_map(Weak::upgrade).collect();
        followers.all.retain(|follower| follower.strong_count() > 0);
        metrics::gauge!("decant_watch_streams").set(there.len() as f64);
        followers.is_polling = !there.is_empty();
        followers.is_polling.then_some(there)
    }

    /// Reads what has changed and tells it to whom it concerns.
    async fn look(&self, seen: &mut Seen, followers: &[Arc<Follower>]) -> Result<(), StoreError> {
        let from = self.now_ms(seen).await?.saturating_sub(millis(LATE));
        let (mut version, mut after) = (from, None);
        loop {
            let changed = self.store.jobs.changed_since(None, version, after, PAGE);
            let changed = changed.await?;
            let is_last = changed.len() < PAGE as usize;
            for job in changed {
                (version, after) = (job.version, Some(job.id));
                if seen.versions.insert(job.id, job.version) != Some(job.version) {
                    tell(followers, &Arc::new(job));
                }
            }
            if is_last {
                break;
            }
        }
        seen.versions.retain(|_, version| *version > from);
        let in_line = |follower: &Arc<Follower>| follower.stands_in_line.load(Ordering::Relaxed);
        if followers.iter().any(in_line) {
            let line = Arc::new(self.store.jobs.line().await?);
            for follower in followers.iter().filter(|follower| in_line(follower)) {
                follower.line(&line);
            }
        }
        Ok(())
    }

    /// The database's clock, which versions go by.
    async fn now_ms(&self, seen: &mut Seen) -> Result<u64, StoreError> {
        let (read, then_ms) = match seen.clock {
            Some(clock) if clock.0.elapsed() < CLOCK => clock,
            _ => {
                let now = self.store.jobs.now().await?;
                let now_ms = u64::try_from(now.timestamp_millis()).unwrap_or_default();
                *seen.clock.insert((Instant::now(), now_ms))
            }
        };
        Ok(then_ms + millis(read.elapsed()))
    }
}

/// What the polls know.
#[derive(Default)]
struct Seen {
    /// When the database's clock was read, and what it said.
    clock: Option<(Instant, u64)>,
    /// The versions that were told, of as far back as each poll looks.
    versions: HashMap<FileId, u64>,
    /// The last poll failed.
    is_blind: bool,
}

fn tell(followers: &[Arc<Follower>], job: &Arc<Job>) {
    for follower in followers {
        let is_its = follower.job.is_none_or(|id| id == job.id);
        if is_its && follower.person.may_see(job) {
            follower.tell(job);
        }
    }
}

/// One stream's news. Of each job it keeps the newest state and no other, however slowly they are taken.
pub(crate) struct Follower {
    pub(crate) person: Person,
    pub(crate) job: Option<FileId>,
    news: Mutex<News>,
    has_news: Notify,
    /// Whether it wants to know whose turn it is.
    pub(crate) stands_in_line: AtomicBool,
}

/// What a stream has not told yet.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) jobs: HashMap<FileId, Arc<Job>>,
    pub(crate) line: Option<Arc<Line>>,
    /// There was more than is kept.
    pub(crate) is_cut: bool,
}

impl News {
    /// Takes the job that changed first.
    pub(crate) fn first(&mut self) -> Option<Arc<Job>> {
        let first = self.jobs.values().min_by_key(|job| (job.version, job.id))?;
        let id = first.id;
        self.jobs.remove(&id)
    }
}

impl Follower {
    /// Keeps this state of a job for it, if it is newer than the one that is kept.
    pub(crate) fn tell(&self, job: &Arc<Job>) {
        let mut news = locked(&self.news);
        let is_full = news.jobs.len() >= MOST_NEWS;
        match news.jobs.get_mut(&job.id) {
            Some(kept) if kept.version < job.version => *kept = Arc::clone(job),
            Some(_) => return,
            None if is_full => news.is_cut = true,
            None => {
                news.jobs.insert(job.id, Arc::clone(job));
            }
        }
        drop(news);
        self.has_news.notify_one();
    }

    pub(crate) fn line(&self, line: &Arc<Line>) {
        let mut news = locked(&self.news);
        if news.line.as_ref() == Some(line) {
            return;
        }
        news.line = Some(Arc::clone(line));
        drop(news);
        self.has_news.notify_one();
    }

    /// What there is to tell now.
    pub(crate) fn news(&self) -> MutexGuard<'_, News> {
        locked(&self.news)
    }

    /// Waits until there is something that was not there before.
    pub(crate) async fn has_news(&self) {
        self.has_news.notified().await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
