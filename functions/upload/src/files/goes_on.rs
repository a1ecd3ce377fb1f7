use super::{
    checksum::Checksum,
    headers,
    piece::{self, LEASE, Progress},
    to_its_end,
};
use crate::{App, error::Error, incoming, person::Person, upload::linger};
use axum::{
    body::BodyDataStream,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use decant_events::FileId;
use decant_function::tasks;
use decant_store::Resumable;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a client that asks where to go on is kept waiting for somebody who writes, and how often is looked. Longer than
/// a dead writer keeps others out: whoever lost a connection then sends nothing in vain.
const WAIT: Duration = LEASE.saturating_add(Duration::from_secs(1));
const LOOK: Duration = Duration::from_millis(200);

/// How far an upload is, once nobody writes it any more.
pub(super) async fn tell(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Error> {
    let id = parsed(id)?;
    let mut upload = found(&app, &person, id).await?;
    let patience_ends = Instant::now() + WAIT;
    while upload.is_held && Instant::now() < patience_ends {
        sleep(LOOK).await;
        upload = found(&app, &person, id).await?;
    }
    let headers = [
        ("upload-offset", upload.offset_bytes.to_string()),
        ("upload-length", upload.length_bytes.to_string()),
    ];
    let metadata = upload.metadata.map(|text| [("upload-metadata", text)]);
    let expires = headers::expires(upload.expires_at);
    Ok((headers, metadata, expires, ()).into_response())
}

/// Takes bytes from the offset on. The last one makes the upload a job of the same id.
pub(super) async fn patch(
    State(app): State<App>,
    person: Result<Person, Error>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    let work = async move {
        let mut body = body.into_data_stream();
        let written = match (person, parsed(id)) {
            (Ok(person), Ok(id)) => write(&app, &person, id, &head.headers, &mut body).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        tasks::spawn(linger(body));
        written
    };
    let progress = to_its_end(work).await?;
    let offset = [("upload-offset", progress.offset_bytes.to_string())];
    let expires = headers::expires(progress.expires_at);
    Ok((StatusCode::NO_CONTENT, offset, expires, ()).into_response())
}

async fn write(
    app: &App,
    person: &Person,
    id: FileId,
    headers: &HeaderMap,
    body: &mut BodyDataStream,
) -> Result<Progress, Error> {
    if !headers::has_bytes(headers) {
        return Err(Error::UnsupportedMediaType);
    }
    let offset_bytes = headers::number(headers, "upload-offset")?;
    let offset_bytes = offset_bytes.ok_or_else(|| {
        Error::BadRequest("Expected Upload-Offset, where the bytes go on.".into())
    })?;
    let checksum = Checksum::of(headers)?;
    let upload = found(app, person, id).await?;
    check_offset(&upload, offset_bytes)?;
    let room_bytes = upload.length_bytes - offset_bytes;
    headers::check_room(headers, room_bytes, upload.length_bytes)?;
    let ended = Progress {
        offset_bytes: upload.length_bytes,
        expires_at: None,
    };
    if upload.has_ended() {
        return Ok(ended);
    }
    let _slot = app.upload_slots.try_acquire().map_err(|_| Error::Busy)?;
    let Some(lease) = app.store.jobs.resume(id, offset_bytes, LEASE).await? else {
        // It ended or expired meanwhile, or went on, or somebody writes it right now.
        check_offset(&found(app, person, id).await?, offset_bytes)?;
        return Err(Error::Locked);
    };
    match piece::resume(app, lease, &upload, checksum).await? {
        Some(piece) => piece.receive(body).await,
        None => Ok(ended),
    }
}

/// Ends an upload before its time: payload and record go.
pub(super) async fn terminate(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Error> {
    let upload = found(&app, &person, parsed(id)?).await?;
    if upload.has_ended() {
        return Err(Error::UploadEnded);
    }
    match end_early(&app, upload.id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Error::NotFound),
    }
}

/// `false` if there is none that could be ended. Whoever writes it right now finds that it isn't theirs any more.
pub(super) async fn end_early(app: &App, id: FileId) -> Result<bool, decant_store::Error> {
    let Some(lease) = app.store.jobs.seize(id, LEASE).await? else {
        return Ok(false);
    };
    incoming::remove(app, &lease).await?;
    tracing::info!(job.id = %id, "upload ended early");
    Ok(true)
}

/// For those whose way here lets only POST pass: the method stands in a header.
pub(super) async fn overridden(
    state: State<App>,
    person: Result<Person, Error>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Error> {
    let method = headers::text(request.headers(), "x-http-method-override")?;
    match method.unwrap_or_default() {
        "PATCH" => patch(state, person, id, request).await,
        "DELETE" => Ok(terminate(state, person?, id).await?.into_response()),
        "HEAD" => tell(state, person?, id).await,
        _ => {
            tasks::spawn(linger(request.into_body().into_data_stream()));
            Err(Error::BadRequest(
                "Expected PATCH, DELETE or HEAD, as the method or in X-HTTP-Method-Override."
                    .into(),
            ))
        }
    }
}

fn parsed(id: Result<Path<String>, PathRejection>) -> Result<FileId, Error> {
    let Path(id) = id.map_err(|_| Error::NotFound)?;
    id.parse().map_err(|_| Error::NotFound)
}

/// The upload, if the person may see it and it goes on or has ended.
async fn found(app: &App, person: &Person, id: FileId) -> Result<Resumable, Error> {
    let upload = app.store.jobs.resumable(id).await?;
    let upload = upload.filter(|upload| person.may_see_what_is_of(&upload.owner));
    let upload = upload.ok_or(Error::NotFound)?;
    match upload.is_expired {
        true => Err(Error::UploadExpired),
        false => Ok(upload),
    }
}

fn check_offset(upload: &Resumable, offset_bytes: u64) -> Result<(), Error> {
    match upload.offset_bytes == offset_bytes {
        true => Ok(()),
        false => Err(Error::WrongOffset {
            offset_bytes: upload.offset_bytes,
        }),
    }
}
