use crate::{App, error::Error, person::Person};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem};
use decant_function::Query;
use decant_store::Job;
use serde::{Deserialize, Serialize};

const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// A job as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct JobView {
    pub(crate) id: FileId,
    state: &'static str,
    run: u32,
    username: String,
    file_name: String,
    title: String,
    size_bytes: Option<u64>,
    /// `None` if another version wrote them and this one can't read them.
    options: Option<ConversionOptions>,
    progress_percent: f64,
    mp3_fid: Option<FileId>,
    mp3_size_bytes: Option<u64>,
    duration_ms: Option<u64>,
    problem: Option<Problem>,
    can_retry: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl JobView {
    pub(crate) fn of(job: &Job) -> Self {
        let mp3 = job.mp3.as_ref();
        Self {
            id: job.id,
            state: job.state.as_str(),
            run: job.run,
            username: job.owner.to_string(),
            file_name: job.file_name.clone(),
            title: job.title().to_owned(),
            size_bytes: job.size_bytes,
            options: job.options.clone().ok(),
            progress_percent: job.progress_percent,
            mp3_fid: mp3.map(|mp3| mp3.id),
            mp3_size_bytes: mp3.map(|mp3| mp3.size_bytes),
            duration_ms: mp3.map(|mp3| mp3.duration_ms),
            problem: job.problem.clone(),
            can_retry: job.state.is_final(),
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    /// The id of the last job of the page before.
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Jobs {
    jobs: Vec<JobView>,
    /// The `cursor` of the next page, if there is one.
    next: Option<FileId>,
}

/// A page of the caller's jobs (of everybody's, for an admin), newest first.
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
    let owner = (!person.admin).then_some(&person.username);
    // One more than the page holds tells whether there is a next one.
    let mut jobs = app.store.jobs.list(owner, before, limit + 1).await?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).map(|job| job.id);
    let body = Json(Jobs {
        jobs: jobs.iter().map(JobView::of).collect(),
        next,
    });
    Ok(match next {
        Some(next) => {
            let link = format!("</jobs?cursor={next}&limit={limit}>; rel=\"next\"");
            ([(header::LINK, link)], body).into_response()
        }
        None => body.into_response(),
    })
}

/// One job. Somebody else's, an unknown and a malformed id are all the same 404.
pub(crate) async fn show(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<JobView>, Error> {
    let job = visible(&app, &person, id).await?;
    Ok(Json(JobView::of(&job)))
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
