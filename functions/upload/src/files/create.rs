use super::{
    checksum::Checksum,
    goes_on::end_early,
    headers, metadata,
    piece::{Piece, Progress},
    to_its_end,
};
use crate::{
    App, allowance::Allowance, error::Error, file_name, form::Form, incoming::Incoming, person::Person, upload::linger,
};
use axum::{
    body::BodyDataStream,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use decant_events::FileId;
use decant_function::{reasons, tasks};
use futures::StreamExt;

/// What a request for an upload says in its headers.
struct New {
    length_bytes: u64,
    form: Form,
    metadata: Option<String>,
    checksum: Option<Checksum>,
    /// The body is the upload's first bytes, or all of them.
    has_bytes: bool,
}

/// Begins an upload. A body of the protocol's type is its first bytes.
pub(super) async fn create(
    State(app): State<App>,
    person: Result<Person, Error>,
    request: Request,
) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    let has_bytes = headers::has_bytes(&head.headers);
    let work = async move {
        let mut body = body.into_data_stream();
        let begun = begin(&app, person, &head.headers, &mut body).await;
        tasks::spawn(linger(body));
        begun
    };
    let (id, progress) = to_its_end(work).await?;
    let location = [(header::LOCATION, format!("/files/{id}"))];
    let offset = [("upload-offset", progress.offset_bytes.to_string())];
    let offset = has_bytes.then_some(offset);
    let expires = headers::expires(progress.expires_at);
    Ok((StatusCode::CREATED, location, offset, expires, ()).into_response())
}

async fn begin(
    app: &App,
    person: Result<Person, Error>,
    headers: &HeaderMap,
    body: &mut BodyDataStream,
) -> Result<(FileId, Progress), Error> {
    let person = person?;
    let new = New::of(headers, app.max_upload_bytes)?;
    let _slot = match new.has_bytes {
        true => Some(app.upload_slots.try_acquire().map_err(|_| Error::Busy)?),
        false => None,
    };
    let name = new.form.file_name.as_deref();
    let name = name.map_or_else(|| "video".into(), file_name::clean);
    let allowance = Allowance::of(app, &person.username).await?;
    allowance.check(new.length_bytes)?;
    let incoming = Incoming::begin(app, person.username, name, allowance).await?;
    let in_pieces = incoming.in_pieces(app, &new.form, new.length_bytes, new.metadata.as_deref());
    let (lease, video) = in_pieces.await?;
    let id = lease.job_id;
    let piece = Piece::new(app, lease, video, (0, new.length_bytes), new.checksum);
    let bytes = body.take(if new.has_bytes { usize::MAX } else { 0 });
    match piece.receive(bytes).await {
        Ok(progress) => Ok((id, progress)),
        Err(error) => {
            // Nobody is told its id: nobody could go on.
            if let Err(error) = end_early(app, id).await {
                tracing::warn!(job.id = %id, error = reasons(&error), "a broken upload is left to the sweep");
            }
            Err(error)
        }
    }
}

impl New {
    fn of(headers: &HeaderMap, max_bytes: u64) -> Result<Self, Error> {
        for missing in ["upload-defer-length", "upload-concat"] {
            if headers.contains_key(missing) {
                return Err(Error::BadRequest(format!(
                    "{missing} belongs to an extension that is not offered here: OPTIONS /files names those that are."
                )));
            }
        }
        let length_bytes = match headers::number(headers, "upload-length")? {
            None => {
                return Err(Error::BadRequest(
                    "Expected Upload-Length, the video's size in bytes.".into(),
                ));
            }
            Some(0) => {
                return Err(Error::BadRequest(
                    "Expected a video, got an empty one: Upload-Length is 0.".into(),
                ));
            }
            Some(bytes) if bytes > max_bytes => return Err(Error::TooLarge { max_bytes }),
            Some(bytes) => bytes,
        };
        let has_bytes = headers::has_bytes(headers);
        if has_bytes {
            headers::check_room(headers, length_bytes, length_bytes)?;
        }
        let metadata = headers::text(headers, "upload-metadata")?.unwrap_or_default();
        Ok(Self {
            length_bytes,
            form: metadata::form(metadata)?,
            metadata: (!metadata.is_empty()).then(|| metadata.to_owned()),
            checksum: match has_bytes {
                true => Checksum::of(headers)?,
                false => None,
            },
            has_bytes,
        })
    }
}
