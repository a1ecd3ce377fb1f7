use crate::{App, error::Error, jobs::visible, person::Person};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use decant_events::DownloadLink;
use serde::Serialize;

/// A link that downloads an MP3 without signing in, as the one in the mail does.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Link {
    /// Below the door's own address.
    href: String,
    /// When it ends.
    expires_at: DateTime<Utc>,
}

/// Signs a link to a job's MP3, for its owner to give away.
#[utoipa::path(
    get,
    path = "/jobs/{id}/link",
    tag = "downloads",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The job")),
    responses((status = 200, body = Link)),
    extensions(("x-errors" = json!(["not-found"])))
)]
pub(crate) async fn link(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Error> {
    let job = visible(&app, &person, id).await?;
    let now = Utc::now();
    let mp3 = app.retention.mp3(&job, now).ok_or(Error::NotFound)?;
    let signed_until = now + app.link_ttl;
    let expires_at = match app.retention.mp3_expires_at(&job) {
        Some(end) => signed_until.min(end),
        None => signed_until,
    };
    let expires_s = u64::try_from(expires_at.timestamp()).unwrap_or(0);
    let link = DownloadLink::sign(&app.link_secret, mp3.id, expires_s);
    let link = Link {
        href: format!("{}/download?{}", app.base_path.as_str(), link.query()),
        expires_at,
    };
    // Whoever finds it could download.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(link)).into_response())
}
