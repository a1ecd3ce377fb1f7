use crate::{
    App,
    allowance::Allowance,
    announce,
    error::Error,
    form::{Form, wrong},
    jobs::{JobView, visible},
    person::Person,
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Multipart, Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use decant_function::{Query, tasks};
use decant_store::{Bucket, Error as StoreError, Job};
use futures::TryStreamExt;
use std::panic::resume_unwind;
use tracing::Instrument;
use url::form_urlencoded;

/// Converts the video of a job that has ended once more: with the same options, or with others if any is named. The MP3
/// that there is stays until the new one is published.
pub(crate) async fn retry(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, Error> {
    let job = visible(&app, &person, id).await?;
    let form = options(query, request).await?;
    if !job.state.is_final() {
        return Err(Error::NotFinished);
    }
    match app.store.payloads.open(Bucket::Videos, job.id).await {
        Err(StoreError::NotFound) => return Err(Error::VideoExpired),
        opened => drop(opened?),
    }
    Allowance::of(&app, &job.owner).await?;
    let task = async move { begin(&app, &job, &form).await };
    let job = tasks::spawn(task.in_current_span())
        .await
        .unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))?;
    let location = [(header::LOCATION, format!("/jobs/{}", job.id))];
    Ok((StatusCode::ACCEPTED, location, Json(job)).into_response())
}

/// In a task of its own: what is counted as announced must not depend on a connection.
async fn begin(app: &App, job: &Job, form: &Form) -> Result<JobView, Error> {
    let begun = app
        .store
        .jobs
        .retry(job.id, form.named(), app.turns)
        .await?;
    let begun = begun.ok_or(Error::NotFinished)?; // somebody else was faster
    announce::in_turn(app, &begun).await;
    Ok(JobView::of(&begun))
}

/// What the query and the body name: a JSON object, or the fields of a form.
async fn options(query: Vec<(String, String)>, request: Request) -> Result<Form, Error> {
    let mut form = Form::default();
    for (name, text) in query {
        form.take(&name, &text)?;
    }
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "multipart/form-data" => read_parts(&mut form, request).await?,
        "application/x-www-form-urlencoded" => {
            for (name, text) in form_urlencoded::parse(&whole(request).await?) {
                form.take(&name, &text)?;
            }
        }
        _ => {
            let body = whole(request).await?;
            if !body.is_empty() {
                let object = serde_json::from_slice(&body);
                form.take_json(object.map_err(|error| not_options(error.to_string()))?)?;
            }
        }
    }
    form.options.check()?;
    Ok(form)
}

async fn whole(request: Request) -> Result<Bytes, Error> {
    let body = Bytes::from_request(request, &()).await;
    body.map_err(|rejection| not_options(rejection.body_text()))
}

async fn read_parts(form: &mut Form, request: Request) -> Result<(), Error> {
    let malformed =
        |error: axum::extract::multipart::MultipartError| not_options(error.body_text());
    let parts = Multipart::from_request(request, &()).await;
    let mut parts = parts.map_err(|rejection| not_options(rejection.body_text()))?;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "cover" {
            return Err(wrong(&name, "given for a retry", "it with an upload alone"));
        }
        form.read(&name, part.map_err(malformed)).await?;
    }
    Ok(())
}

fn not_options(why: String) -> Error {
    Error::BadRequest(format!(
        "Expected options as a JSON object, as a form or in the query, or nothing: {why}"
    ))
}
