use crate::{
    App,
    allowance::Allowance,
    backlog::Backlog,
    error::Error,
    file_name,
    form::Form,
    incoming::{IDLE, Incoming},
    jobs::JobView,
    person::Person,
};
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Request, State, multipart::Field},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use decant_events::ConversionOptions;
use decant_function::{Query, tasks};
use futures::{Stream, StreamExt, TryStreamExt};
use std::{panic::resume_unwind, sync::Arc, time::Duration};
use tokio::time::timeout;
use tracing::Instrument;

/// How many uploads come in at once: each takes up to two megabytes of memory.
pub(crate) const AT_ONCE: usize = 32;

/// What a multipart body may have around the video: options, a cover, and headers.
const MULTIPART_OVERHEAD_BYTES: u64 = 64 * 1024 + ConversionOptions::LARGEST_COVER_BYTES as u64;

/// How much of a refused body is still read, and for how long, so that the caller gets to read why.
const LINGER_BYTES: u64 = 64 * 1024 * 1024;
const LINGER: Duration = Duration::from_secs(10);

/// Takes a video: multipart with one part named `file`, or the body itself. Options are the form's other parts, or in
/// the query.
///
/// It runs in a task of its own: when the connection breaks, the task still sees to it that nothing stays.
pub(crate) async fn upload(
    State(app): State<App>,
    person: Result<Person, Error>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, Error> {
    let least_bytes = check_size(&request, app.max_upload_bytes);
    let checked = check(&app, person, query, least_bytes).await;
    let (person, form, allowance) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            tasks::spawn(linger(request.into_body().into_data_stream()));
            return Err(error);
        }
    };
    let slot = Arc::clone(&app.upload_slots).try_acquire_owned();
    let Ok(slot) = slot else {
        tasks::spawn(linger(request.into_body().into_data_stream()));
        return Err(Error::Busy);
    };
    let task = async move {
        let _slot = slot;
        if is_multipart(request.headers()) {
            multipart(&app, person, form, allowance, request).await
        } else {
            whole_body(&app, person, form, allowance, request).await
        }
    };
    let job = tasks::spawn(task.in_current_span())
        .await
        .unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))?;
    let location = [(header::LOCATION, format!("/jobs/{}", job.id))];
    Ok((StatusCode::ACCEPTED, location, Json(job)).into_response())
}

/// What can be refused before the first byte of the video.
async fn check(
    app: &App,
    person: Result<Person, Error>,
    query: Vec<(String, String)>,
    least_bytes: Result<u64, Error>,
) -> Result<(Person, Form, Allowance), Error> {
    let (person, least_bytes) = (person?, least_bytes?);
    let form = Form::of_query(query)?;
    let allowance = Allowance::of(app, &person.username).await?;
    allowance.check(least_bytes.max(1))?;
    Ok((person, form, allowance))
}

async fn whole_body(
    app: &App,
    person: Person,
    form: Form,
    allowance: Allowance,
    request: Request,
) -> Result<JobView, Error> {
    let name = form.file_name.as_deref();
    let name = name.map(file_name::clean).unwrap_or_else(|| "video".into());
    let mut body = request.into_body().into_data_stream();
    let incoming = Incoming::begin(app, person.username, name, allowance);
    let bytes = body.by_ref().map_err(|_| Error::Broken);
    match receive(app, incoming, bytes).await {
        Ok(incoming) => incoming.commit(app, &form).await,
        Err(error) => {
            tasks::spawn(linger(body));
            Err(error)
        }
    }
}

async fn multipart(
    app: &App,
    person: Person,
    mut form: Form,
    allowance: Allowance,
    request: Request,
) -> Result<JobView, Error> {
    let (head, body) = request.into_parts();
    let backlog = Backlog::new(body);
    let request = Request::from_parts(head, Body::from_stream(backlog.clone()));
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Error::BadRequest(rejection.body_text()))?;
    let mut video: Option<Incoming> = None;
    let begin = |name| Incoming::begin(app, person.username.clone(), name, allowance);
    let received = read_parts(app, begin, &mut parts, &backlog, &mut form, &mut video).await;
    match (received, video) {
        (Ok(()), Some(video)) => video.commit(app, &form).await,
        (Ok(()), None) => Err(Error::BadRequest(
            "Expected a part named `file` with the video: curl -F \"file=@video.mp4\".".into(),
        )),
        (Err(error), video) => {
            if let Some(video) = video {
                video.discard(app).await;
            }
            tasks::spawn(linger(backlog.rest()));
            Err(error)
        }
    }
}

/// Stores the part named `file`, refuses a second one, and takes options before and after it.
async fn read_parts<B: Future<Output = Result<Incoming, Error>>>(
    app: &App,
    begin: impl Fn(String) -> B,
    parts: &mut Multipart,
    backlog: &Backlog,
    form: &mut Form,
    video: &mut Option<Incoming>,
) -> Result<(), Error> {
    loop {
        let Some(part) = kept(app, video, next_part(parts)).await? else {
            return Ok(form.options.check()?);
        };
        let field = part.name().unwrap_or_default().to_owned();
        let name = part
            .file_name()
            .map_or_else(|| "video".into(), file_name::clean);
        let bytes = part
            .map_err(malformed)
            .inspect_ok(|bytes| backlog.taken(bytes));
        match (field.as_str(), video.is_some()) {
            ("file", true) => {
                return Err(Error::BadRequest(
                    "Expected one part named `file`, got two. Upload one video at a time.".into(),
                ));
            }
            ("file", false) => {
                form.options.check()?; // before gigabytes come for nothing
                *video = Some(receive(app, begin(name), bytes).await?);
            }
            (option, _) => kept(app, video, form.read(option, bytes)).await?,
        }
    }
}

async fn next_part(parts: &mut Multipart) -> Result<Option<Field<'_>>, Error> {
    let part = timeout(IDLE, parts.next_field()).await;
    part.map_err(|_| Error::Stalled)?.map_err(malformed)
}

/// What is waited for, after the video under its lease.
async fn kept<T>(
    app: &App,
    video: &mut Option<Incoming>,
    other: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match video {
        Some(video) => video.keep(app, other).await,
        None => other.await,
    }
}

/// Stores one video. When it fails, nothing stays.
async fn receive(
    app: &App,
    incoming: impl Future<Output = Result<Incoming, Error>>,
    bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
) -> Result<Incoming, Error> {
    let mut incoming = incoming.await?;
    match incoming.receive(app, bytes).await {
        Ok(()) => Ok(incoming),
        Err(error) => {
            incoming.discard(app).await;
            Err(error)
        }
    }
}

fn malformed(error: axum::extract::multipart::MultipartError) -> Error {
    // A body that ends early looks the same as one that was never well-formed.
    tracing::info!(%error, "multipart body refused");
    Error::BadRequest(format!(
        "The upload broke off or is not well-formed multipart: {}. Please send it again.",
        error.body_text()
    ))
}

fn is_multipart(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("multipart/form-data")
        })
}

/// Refuses at the header what is too large for certain. Gives the least that the video has, as far as the header tells.
fn check_size(request: &Request, max_bytes: u64) -> Result<u64, Error> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let overhead = if is_multipart(request.headers()) {
        MULTIPART_OVERHEAD_BYTES
    } else {
        0
    };
    match announced {
        Some(bytes) if bytes > max_bytes.saturating_add(overhead) => {
            Err(Error::TooLarge { max_bytes })
        }
        announced => Ok(announced.unwrap_or(0).saturating_sub(overhead)),
    }
}

/// Reads on for a while after a refusal: a connection that is closed while its caller still writes loses the answer.
pub(crate) async fn linger<E>(mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin) {
    let drain = async {
        let mut read_bytes = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            read_bytes += piece.len() as u64;
            if read_bytes > LINGER_BYTES {
                break;
            }
        }
    };
    let _ = timeout(LINGER, drain).await;
}

#[cfg(test)]
mod tests;
