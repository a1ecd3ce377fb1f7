use crate::{
    App,
    error::Error,
    openapi::{self, JobProblem, Options},
    person::Person,
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem};
use decant_function::Query;
use decant_store::{Job, Line, Retention, State as JobState, Wanted};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// A job as the API shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    pub(crate) id: FileId,
    #[schema(value_type = openapi::JobState)]
    state: &'static str,
    run: u32,
    /// Rises with every change of the record.
    version: u64,
    username: String,
    file_name: String,
    title: String,
    size_bytes: Option<u64>,
    /// `None` if another version wrote them and this one can't read them.
    #[schema(value_type = Option<Options>)]
    options: Option<ConversionOptions>,
    progress_percent: f64,
    /// How many come before it, while it waits for its turn.
    jobs_ahead: Option<u32>,
    /// Seconds of sound in a second, while it is converted.
    speed: Option<f64>,
    time_left_s: Option<f64>,
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{24}$")]
    mp3_fid: Option<FileId>,
    mp3_size_bytes: Option<u64>,
    duration_ms: Option<u64>,
    #[schema(value_type = Option<JobProblem>)]
    problem: Option<Problem>,
    can_retry: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// When the MP3 goes.
    expires_at: Option<DateTime<Utc>>,
    /// When the video goes.
    video_expires_at: Option<DateTime<Utc>>,
}

impl JobView {
    pub(crate) fn of(job: &Job, retention: &Retention, jobs_ahead: Option<u32>) -> Self {
        let now = Utc::now();
        let mp3 = retention.mp3(job, now);
        Self {
            id: job.id,
            state: retention.state(job, now).as_str(),
            run: job.run,
            version: job.version,
            username: job.owner.to_string(),
            file_name: job.file_name.clone(),
            title: job.title().to_owned(),
            size_bytes: job.size_bytes,
            options: job.options.clone().ok(),
            progress_percent: job.progress_percent,
            jobs_ahead,
            speed: job.speed,
            time_left_s: job.time_left_s,
            mp3_fid: mp3.map(|mp3| mp3.id),
            mp3_size_bytes: mp3.map(|mp3| mp3.size_bytes),
            duration_ms: mp3.map(|mp3| mp3.duration_ms),
            problem: job.problem.clone(),
            can_retry: retention.can_retry(job, now),
            created_at: job.created_at,
            updated_at: job.updated_at,
            expires_at: mp3.and(retention.mp3_expires_at(job)),
            video_expires_at: retention.video_expires_at(job).filter(|end| *end > now),
        }
    }
}

impl App {
    /// These jobs as the API shows them. Whose turn it is is looked up where one of them waits for its own.
    pub(crate) async fn views(&self, jobs: &[Job]) -> Result<Vec<JobView>, Error> {
        let line = match jobs.iter().any(|job| job.state.is_in_line()) {
            true => self.store.jobs.line().await?,
            false => Line::default(),
        };
        let view = |job| JobView::of(job, &self.retention, line.jobs_ahead(job));
        Ok(jobs.iter().map(view).collect())
    }

    /// One job as the API shows it. Where that can't be known, nothing comes before it: what was done is done.
    pub(crate) async fn view(&self, job: &Job) -> JobView {
        let line = match job.state.is_in_line() {
            true => self.store.jobs.line().await.unwrap_or_default(),
            false => Line::default(),
        };
        JobView::of(job, &self.retention, line.jobs_ahead(job))
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// The `next` of the page before: the id of its last job.
    #[param(pattern = "^[0-9a-f]{24}$")]
    cursor: Option<String>,
    /// How many jobs a page has at most: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// States, with commas between them.
    state: Option<String>,
    /// A part of the title or of the file name.
    q: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Jobs {
    jobs: Vec<JobView>,
    /// The `cursor` of the next page, if there may be one.
    #[schema(value_type = Option<String>)]
    next: Option<FileId>,
}

/// A page of the caller's jobs (of everybody's, for an admin), newest first.
#[utoipa::path(
    get,
    path = "/jobs",
    tag = "jobs",
    security(("bearer" = [])),
    params(Page),
    responses((status = 200, body = Jobs, headers(("Link" = String, description = "The next page, if there is one")))),
    extensions(("x-errors" = json!(["bad-request"])))
)]
pub(crate) async fn list(
    State(app): State<App>,
    person: Person,
    Query(page): Query<Page>,
) -> Result<Response, Error> {
    let before = page
        .cursor
        .map(|cursor| cursor.parse::<FileId>())
        .transpose()
        .map_err(|_| {
            Error::BadRequest("Expected a cursor as `next` of the page before gave it.".into())
        })?;
    let limit = page.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let wanted = Wanted {
        owner: (!person.admin).then_some(person.username),
        states: states(page.state.as_deref().unwrap_or_default())?,
        words: page.q.clone().filter(|words| !words.is_empty()),
    };
    let found = app.find(wanted, before, limit).await?;
    let body = Json(Jobs {
        jobs: app.views(&found.jobs).await?,
        next: found.next,
    });
    let Some(next) = found.next else {
        return Ok(body.into_response());
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("cursor", &next.to_string());
    query.append_pair("limit", &limit.to_string());
    for (name, value) in [("state", page.state), ("q", page.q)] {
        query.extend_pairs(value.map(|value| (name, value)));
    }
    let link = format!("</jobs?{}>; rel=\"next\"", query.finish());
    Ok(([(header::LINK, link)], body).into_response())
}

impl App {
    /// A page of the jobs that are in these states now. What has expired is so before the sweep notes it: then more is looked
    /// at than is wanted.
    async fn find(
        &self,
        mut wanted: Wanted,
        before: Option<FileId>,
        limit: u32,
    ) -> Result<decant_store::Page, Error> {
        let states = wanted.states.clone();
        let recorded = states
            .iter()
            .flat_map(|state| self.retention.recorded_as(*state));
        wanted.states = recorded.collect();
        let looked_at = match wanted.states.len() > states.len() {
            true => LARGEST_PAGE,
            false => limit,
        };
        let mut found = self.store.jobs.find(&wanted, before, looked_at).await?;
        if !states.is_empty() {
            let now = Utc::now();
            let is_wanted = |job: &Job| states.contains(&self.retention.state(job, now));
            found.jobs.retain(is_wanted);
        }
        if found.jobs.len() > limit as usize {
            found.jobs.truncate(limit as usize);
            found.next = found.jobs.last().map(|job| job.id);
        }
        Ok(found)
    }
}

/// The states that a query names; those that nobody sees are none.
fn states(words: &str) -> Result<Vec<JobState>, Error> {
    const SEEN: [JobState; 6] = [
        JobState::Waiting,
        JobState::Queued,
        JobState::Converting,
        JobState::Ready,
        JobState::Failed,
        JobState::Expired,
    ];
    let words = words.split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(|word| {
            let state = SEEN.into_iter().find(|state| state.as_str() == word);
            state.ok_or_else(|| {
                let seen = SEEN.map(JobState::as_str).join(", ");
                Error::BadRequest(format!("Expected states such as {seen}, got {word}."))
            })
        })
        .collect()
}

/// One job. Somebody else's, an unknown and a malformed id are all the same 404.
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    tag = "jobs",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The job")),
    responses((status = 200, body = JobView)),
    extensions(("x-errors" = json!(["not-found"])))
)]
pub(crate) async fn show(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<JobView>, Error> {
    let job = visible(&app, &person, id).await?;
    Ok(Json(app.view(&job).await))
}

/// The job, if the person may see it.
pub(crate) async fn visible(
    app: &App,
    person: &Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<Job, Error> {
    let Path(id) = id.map_err(|_| Error::NotFound)?;
    let id: FileId = id.parse().map_err(|_| Error::NotFound)?;
    let job = app.store.jobs.get(id).await?;
    job.filter(|job| person.may_see(job)).ok_or(Error::NotFound)
}
