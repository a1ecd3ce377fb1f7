use crate::{
    App,
    error::Error,
    file_name::clean_title,
    jobs::{JobView, visible},
    person::Person,
};
use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
};
use serde::Deserialize;

/// What can be changed of a job, as a JSON merge patch (RFC 7396) has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Nothing, or nothing that is left when it is cleaned, gives the video's name back.
    #[serde(deserialize_with = "given")]
    title: Option<String>,
}

/// `null` is an answer; silence isn't.
fn given<'de, D: serde::Deserializer<'de>>(title: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(title)
}

/// Calls a job by another title: in lists, in mails to come, and as the file name of its MP3. Its MP3's tag stays.
pub(crate) async fn rename(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<JobView>, Error> {
    let job = visible(&app, &person, id).await?;
    let body = body.map_err(|rejection| not_a_title(&rejection))?;
    let change: Change = serde_json::from_slice(&body).map_err(|error| not_a_title(&error))?;
    let title = change.title.as_deref().and_then(clean_title);
    let renamed = app.store.jobs.rename(job.id, title.as_deref()).await?;
    Ok(Json(JobView::of(&renamed.ok_or(Error::NotFound)?)))
}

fn not_a_title(why: &dyn std::fmt::Display) -> Error {
    Error::BadRequest(format!(
        "Expected {{\"title\": \"…\"}} as JSON, and nothing else: {why}"
    ))
}
