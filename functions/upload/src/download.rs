use crate::{App, error::Error, file_name, person::Person};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use decant_events::{DownloadLink, FileId, InvalidLink};
use decant_function::Query;
use decant_store::{Bucket, Error as StoreError, Job};
use serde::Deserialize;
use std::ops::Range;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Download {
    /// The MP3's id, a job's `mp3_fid`; the older system's clients say `fid`.
    #[serde(alias = "fid")]
    id: Option<String>,
    /// Of a link: seconds since 1970.
    expires: Option<u64>,
    /// Of a link.
    signature: Option<String>,
}

/// Sends an MP3, or one range of it, to its owner, an admin, or whoever holds a signed link.
#[utoipa::path(
    get,
    path = "/download",
    tag = "downloads",
    security(("bearer" = []), ("link" = [])),
    params(Download, ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (
            status = 200,
            description = "The MP3",
            content_type = "audio/mpeg",
            body = String,
            headers(
                ("ETag" = String, description = "It never changes"),
                ("Accept-Ranges" = String, description = "`bytes`"),
                ("Content-Disposition" = String, description = "The video's name, as an MP3's"),
            ),
        ),
        (
            status = 206,
            description = "A range of it",
            content_type = "audio/mpeg",
            body = String,
            headers(("Content-Range" = String, description = "Which")),
        ),
        (status = 304, description = "As `If-None-Match` has it"),
    ),
    extensions(("x-errors" = json!(["bad-request", "forged-link", "not-found", "expired-link", "expired", "range"])))
)]
pub(crate) async fn download(
    State(app): State<App>,
    person: Result<Option<Person>, Error>,
    Query(query): Query<Download>,
    method: Method,
    mut headers: HeaderMap,
) -> Result<Response, Error> {
    if method == Method::HEAD {
        headers.remove(header::RANGE); // defined for GET alone (RFC 9110, section 14.2)
    }
    let id = query.id.ok_or_else(|| {
        Error::BadRequest("Expected the MP3's id: /download?id=… with a job's mp3_fid.".into())
    })?;
    let id: Result<FileId, _> = id.parse();
    let (id, job) = match (query.expires, query.signature) {
        (Some(expires), Some(signature)) => {
            let id = id.map_err(|_| Error::ForgedLink)?;
            check(
                &app,
                &DownloadLink {
                    id,
                    expires,
                    signature,
                },
            )?;
            (id, app.store.jobs.get_by_mp3(id).await?)
        }
        _ => {
            let person = person?.ok_or(Error::MissingToken)?;
            let id = id.map_err(|_| Error::NotFound)?;
            let job = app.store.jobs.get_by_mp3(id).await?;
            (id, job.filter(|job| person.may_see(job)))
        }
    };
    send(&app, &job.ok_or(Error::NotFound)?, id, &headers).await
}

fn check(app: &App, link: &DownloadLink) -> Result<(), Error> {
    let now = u64::try_from(Utc::now().timestamp()).unwrap_or(0);
    link.verify(&app.link_secret, now)
        .map_err(|invalid| match invalid {
            InvalidLink::Forged => Error::ForgedLink,
            InvalidLink::Expired => Error::ExpiredLink,
        })
}

async fn send(app: &App, job: &Job, id: FileId, headers: &HeaderMap) -> Result<Response, Error> {
    let mp3 = app.retention.mp3(job, Utc::now());
    if mp3.is_none_or(|mp3| mp3.id != id) {
        return Err(Error::Expired);
    }
    let mp3 = match app.store.payloads.open(Bucket::Mp3s, id).await {
        Err(StoreError::NotFound) => return Err(Error::NotFound),
        opened => opened?,
    };
    let size_bytes = mp3.size_bytes();
    // An MP3 never changes: its id is its version.
    let etag = format!("\"{id}\"");
    let common = [
        (header::ACCEPT_RANGES, value("bytes")),
        (header::ETAG, value(&etag)),
        (header::CACHE_CONTROL, value("private, no-cache")),
        (
            header::CONTENT_DISPOSITION,
            value(&file_name::attachment(&format!("{}.mp3", job.title()))),
        ),
        (
            HeaderName::from_static("x-content-type-options"),
            value("nosniff"),
        ),
    ];
    if none_match(headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    // One strong tag, compared as it is (RFC 9110, section 13.1.5); a date never fits, since we send none.
    let fresh = headers
        .get(header::IF_RANGE)
        .is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    let asked = headers
        .get(header::RANGE)
        .filter(|_| fresh)
        .and_then(|range| range.to_str().ok());
    let (status, range) = match asked.map(|asked| one_range(asked, size_bytes)) {
        Some(Asked::Range(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(Asked::BeyondTheEnd) => return Err(Error::RangeNotSatisfiable { size_bytes }),
        Some(Asked::SomethingElse) | None => (StatusCode::OK, 0..size_bytes),
    };
    let mut response = (status, common).into_response();
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, value("audio/mpeg"));
    fields.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        let sent = format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1);
        fields.insert(header::CONTENT_RANGE, value(&sent));
    }
    *response.body_mut() = Body::from_stream(mp3.stream(range));
    Ok(response)
}

/// Header values of ours are visible ASCII; one that weren't would be left empty.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// Whether `If-None-Match` names the tag, weakly or not.
pub(crate) fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|candidate| candidate.trim().trim_start_matches("W/"))
        .any(|candidate| candidate == etag || candidate == "*")
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Range(Range<u64>),
    BeyondTheEnd,
    /// Another unit, several ranges, or no range at all: RFC 9110 lets us send the whole.
    SomethingElse,
}

/// Reads a `Range` header with one range (RFC 9110, section 14.1.2).
fn one_range(header: &str, size_bytes: u64) -> Asked {
    let Some((first, last)) = header
        .trim()
        .strip_prefix("bytes=")
        .filter(|set| !set.contains(','))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Asked::SomethingElse;
    };
    // What doesn't fit is beyond every end.
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (first, last, number(first), number(last)) {
        ("", _, _, Some(suffix)) => size_bytes.saturating_sub(suffix)..size_bytes,
        (_, "", Some(first), _) => first..size_bytes,
        (_, _, Some(first), Some(last)) if first <= last => {
            first..last.saturating_add(1).min(size_bytes)
        }
        _ => return Asked::SomethingElse,
    };
    if range.is_empty() {
        Asked::BeyondTheEnd
    } else {
        Asked::Range(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood() {
        for (header, asked) in [
            ("bytes=0-9", Asked::Range(0..10)),
            ("bytes=90-", Asked::Range(90..100)),
            ("bytes=-10", Asked::Range(90..100)),
            ("bytes=-1000", Asked::Range(0..100)),
            ("bytes=50-1000", Asked::Range(50..100)),
            ("bytes=99-99", Asked::Range(99..100)),
            ("bytes=100-", Asked::BeyondTheEnd),
            ("bytes=100-200", Asked::BeyondTheEnd),
            ("bytes=-0", Asked::BeyondTheEnd),
            ("bytes=99999999999999999999-", Asked::BeyondTheEnd),
            ("bytes=-99999999999999999999", Asked::Range(0..100)),
            ("bytes=9-0", Asked::SomethingElse),
            ("bytes=0-1,3-4", Asked::SomethingElse),
            ("bytes=-", Asked::SomethingElse),
            ("bytes=+1-2", Asked::SomethingElse),
            ("chapters=1-2", Asked::SomethingElse),
        ] {
            assert_eq!(one_range(header, 100), asked, "{header}");
        }
    }
}
