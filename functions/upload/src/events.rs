use crate::{
    App,
    error::Error,
    jobs::{JobView, visible},
    person::Person,
    watch::{Follower, LATE, MOST_NEWS, millis},
};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use decant_events::FileId;
use decant_function::Draining;
use decant_store::{Job, Line, State as JobState, Wanted};
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until},
};

/// How many streams are open at once. They take connections, of which others need some too: on a cluster a pod gets 200
/// requests at once.
pub(crate) const AT_ONCE: usize = 128;

/// How many of them one person may have.
const AT_ONCE_OF_ONE: usize = AT_ONCE / 2;

/// How soon a client that lost its stream asks for it again.
const RETRY: Duration = Duration::from_secs(2);

/// How often a stream without news shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a stream goes on. Then its client asks again, and whether it still may is looked at anew. Less than the 600 s
/// at which Serving cuts a request.
const LONGEST: Duration = Duration::from_secs(570);

/// How many jobs a stream begins with.
const MOST: u32 = MOST_NEWS as u32;

/// Tells what becomes of one job. Somebody else's, an unknown and a malformed id are all the same 404.
#[utoipa::path(
    get,
    path = "/jobs/{id}/events",
    tag = "jobs",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The job"),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = Object),
        (status = 204, description = "Nothing is unfinished, and nothing has changed"),
    ),
    extensions(("x-errors" = json!(["not-found", "too-many-streams", "busy"])))
)]
pub(crate) async fn of_job(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
    draining: Draining,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = visible(&app, &person, id).await?.id;
    let follower = app.watch.follow(person, Some(id));
    // As it is now that nothing is missed any more.
    let job = app.store.jobs.get(id).await?.ok_or(Error::NotFound)?;
    let is_known = last_event_id(&headers).is_some_and(|last| job.version <= last);
    if job.state.is_final() && is_known {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    follower.tell(&Arc::new(job));
    open(app, follower, draining).await
}

/// Tells what becomes of all jobs that the person sees: of those that haven't ended, and of what changed since
/// `Last-Event-ID`.
#[utoipa::path(
    get,
    path = "/jobs/events",
    tag = "jobs",
    security(("bearer" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was seen")),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = Object),
        (status = 204, description = "Nothing is unfinished, and nothing has changed"),
    ),
    extensions(("x-errors" = json!(["too-many-streams", "busy"])))
)]
pub(crate) async fn of_all(
    State(app): State<App>,
    person: Person,
    draining: Draining,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let owner = (!person.admin).then(|| person.username.clone());
    let follower = app.watch.follow(person, None);
    let mut is_news = false;
    if let Some(last) = last_event_id(&headers) {
        // What came late has a version from before.
        let from = last.saturating_sub(millis(LATE));
        let jobs = &app.store.jobs;
        let changed = jobs.changed_since(owner.as_ref(), from, None, MOST).await?;
        is_news = changed.iter().any(|job| job.version > last);
        follower.news().is_cut = changed.len() >= MOST as usize;
        changed
            .into_iter()
            .for_each(|job| follower.tell(&Arc::new(job)));
    }
    let unfinished = Wanted {
        owner,
        states: vec![JobState::Waiting, JobState::Queued, JobState::Converting],
        words: None,
    };
    let unfinished = app.store.jobs.find(&unfinished, None, MOST).await?.jobs;
    if unfinished.is_empty() && !is_news {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    unfinished
        .into_iter()
        .for_each(|job| follower.tell(&Arc::new(job)));
    open(app, follower, draining).await
}

/// What the client has seen. What isn't one of our ids is none.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    let last = headers.get("last-event-id")?;
    last.to_str().ok()?.trim().parse().ok()
}

async fn open(app: App, follower: Arc<Follower>, draining: Draining) -> Result<Response, Error> {
    if app.watch.streams_of(&follower.person.username) > AT_ONCE_OF_ONE {
        return Err(Error::TooManyOfYourStreams);
    }
    let slot = Arc::clone(&app.stream_slots).try_acquire_owned();
    let slot = slot.map_err(|_| Error::TooManyStreams)?;
    let stands_in_line = |job: &Arc<Job>| job.state.is_in_line();
    let is_any_in_line = follower.news().jobs.values().any(stands_in_line);
    if is_any_in_line {
        follower.line(&Arc::new(app.store.jobs.line().await?));
    }
    let teller = Teller {
        app,
        follower,
        line: Arc::default(),
        unfinished: BTreeMap::new(),
        told: HashMap::new(),
        has_ended: false,
        until: Instant::now() + LONGEST,
        draining,
        _slot: slot,
    };
    let retry = Event::default().retry(RETRY);
    let events = stream::iter([Ok(retry)]).chain(teller.events());
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    // nginx would keep events back.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(events).keep_alive(heartbeat)).into_response())
}

/// One stream: takes its follower's news when the client has room for them.
struct Teller {
    app: App,
    follower: Arc<Follower>,
    line: Arc<Line>,
    /// Those that were told and have not ended, and how many were said to come before each.
    unfinished: BTreeMap<FileId, (Arc<Job>, Option<u32>)>,
    /// The versions that were told, so that a poll that began earlier repeats nothing.
    told: HashMap<FileId, u64>,
    has_ended: bool,
    until: Instant,
    draining: Draining,
    _slot: OwnedSemaphorePermit,
}

impl Teller {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut teller| async move {
            let event = teller.next().await?;
            Some((Ok(event), teller))
        })
    }

    /// The next event, when there is one. `None` ends the stream: when all is told, or so that the client asks again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.has_ended {
                return None;
            }
            if let Some(event) = self.news() {
                return Some(event);
            }
            if self.follower.news().is_cut {
                return None;
            }
            if self.unfinished.is_empty() {
                self.has_ended = true;
                return Some(Event::default().event("end").data("{}"));
            }
            tokio::select! {
                () = self.follower.has_news() => {}
                () = self.draining.begun() => return None,
                () = sleep_until(self.until) => return None,
            }
        }
    }

    fn news(&mut self) -> Option<Event> {
        loop {
            let (job, line) = {
                let mut news = self.follower.news();
                (news.first(), news.line.clone())
            };
            if let Some(line) = line {
                self.line = line;
            }
            let Some(job) = job else {
                return self.moved_up();
            };
            let told = self.told.insert(job.id, job.version);
            if told.is_none_or(|told| told < job.version) {
                return Some(self.tell(job));
            }
        }
    }

    fn tell(&mut self, job: Arc<Job>) -> Event {
        let event = Event::default().id(job.version.to_string());
        if job.state == JobState::Cancelled {
            self.unfinished.remove(&job.id);
            self.stand_in_line();
            let deleted = json!({ "id": job.id, "version": job.version });
            return event.event("deleted").data(deleted.to_string());
        }
        let jobs_ahead = self.line.jobs_ahead(&job);
        let event = self.seen(event, &job, jobs_ahead);
        match job.state.is_final() {
            true => self.unfinished.remove(&job.id),
            false => self.unfinished.insert(job.id, (job, jobs_ahead)),
        };
        self.stand_in_line();
        event
    }

    /// One of those that others were before. It has no id: the record is as it was.
    fn moved_up(&mut self) -> Option<Event> {
        let line = Arc::clone(&self.line);
        let moved = self.unfinished.values_mut().find_map(|(job, told)| {
            let jobs_ahead = line.jobs_ahead(job);
            // Where it isn't in line any more, it changes in a moment.
            let has_moved = jobs_ahead.is_some() && jobs_ahead != *told;
            has_moved.then(|| {
                *told = jobs_ahead;
                (Arc::clone(job), jobs_ahead)
            })
        });
        let (job, jobs_ahead) = moved?;
        Some(self.seen(Event::default(), &job, jobs_ahead))
    }

    fn seen(&self, event: Event, job: &Job, jobs_ahead: Option<u32>) -> Event {
        let view = JobView::of(job, &self.app.retention, jobs_ahead);
        event.event("job").data(json!(view).to_string())
    }

    /// Whether the line is worth reading for it.
    fn stand_in_line(&self) {
        let mut unfinished = self.unfinished.values();
        let is_in_line = unfinished.any(|(job, _)| job.state.is_in_line());
        let follower = &self.follower.stands_in_line;
        follower.store(is_in_line, Ordering::Relaxed);
    }
}
