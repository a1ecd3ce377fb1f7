use crate::{
    App,
    download::{none_match, value},
    error::Error,
    jobs::visible,
    person::Person,
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use serde::Serialize;

/// How loud a job's MP3 is from its beginning to its end.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Waveform {
    /// The greatest level of each of as many equal parts: 0 is silence, 255 full scale.
    points: Vec<u8>,
}

/// Gives the waveform of a job's MP3, for players to draw.
#[utoipa::path(
    get,
    path = "/jobs/{id}/waveform",
    tag = "jobs",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, body = Waveform, headers(("ETag" = String, description = "It changes with the MP3"))),
        (status = 304, description = "As `If-None-Match` has it"),
    ),
    extensions(("x-errors" = json!(["not-found", "no-waveform"])))
)]
pub(crate) async fn waveform(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let job = visible(&app, &person, id).await?;
    let mp3 = app.retention.mp3(&job, Utc::now());
    let mp3_id = mp3.ok_or(Error::NoWaveform)?.id;
    let points = app.store.jobs.waveform(mp3_id).await?;
    let points = points.ok_or(Error::NoWaveform)?;
    // It changes only with the MP3, and that one never.
    let etag = format!("\"{mp3_id}\"");
    let common = [
        (header::ETAG, value(&etag)),
        (header::CACHE_CONTROL, value("private, no-cache")),
    ];
    if none_match(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, Json(Waveform { points })).into_response())
}
