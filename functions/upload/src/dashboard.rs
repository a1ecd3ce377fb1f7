use crate::{
    download::{none_match, value},
    error::Error,
};
use axum::{
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file of the dashboard, as build.rs took it in.
struct File {
    name: &'static str,
    content_type: &'static str,
    hash: &'static str,
    bytes: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

// `PAGE`, and `ASSETS`, whose names hold a hash of what they say.
include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// Scripts, styles, pictures, sounds and calls from here alone, and nothing inline: what slipped into the page can't run.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const CALLS: &str = "Decant turns a video into an MP3.\n\n\
     POST   /login              Basic auth: gives a token\n\
     POST   /upload             multipart `file`, or the video itself as the body: gives a job\n\
     POST   /files              an upload that goes on after a break, by the tus protocol\n\
     GET    /jobs               your jobs, newest first\n\
     GET    /jobs/{id}          one job\n\
     GET    /jobs/events        what becomes of them, as server-sent events\n\
     GET    /jobs/{id}/events   what becomes of one\n\
     PATCH  /jobs/{id}          calls it by another title: {\"title\": \"…\"}\n\
     DELETE /jobs/{id}          cancels it, and deletes what is stored\n\
     POST   /jobs/{id}/retry    converts its video again, with other options if you name some\n\
     GET    /jobs/{id}/link     a link that downloads its MP3 without a token\n\
     GET    /jobs/{id}/waveform how loud its MP3 is, to be drawn\n\
     GET    /jobs/zip?id={id}&… the MP3s of several jobs\n\
     GET    /download?id={id}   the MP3 of a job's mp3_fid\n\
     GET    /openapi.json       all of this, for programs\n";

/// The dashboard for browsers, a list of calls for everybody else.
#[utoipa::path(
    get,
    path = "/",
    tag = "about",
    responses(
        (status = 200, description = "As `Accept` has it", content((String = "text/html"), (String = "text/plain"))),
        (status = 304, description = "As `If-None-Match` has it"),
    )
)]
pub(crate) async fn home(headers: HeaderMap) -> Response {
    let mut response = match takes(&headers, header::ACCEPT, "text/html") {
        true => send(&PAGE, "no-cache", &headers),
        false => CALLS.into_response(),
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// A file that the page names.
#[utoipa::path(
    get,
    path = "/assets/{name}",
    tag = "about",
    params(("name" = String, Path, description = "With a hash of what it says")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = String),
        (status = 304, description = "As `If-None-Match` has it"),
    ),
    extensions(("x-errors" = json!(["not-found"])))
)]
pub(crate) async fn asset(
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let Path(name) = name.map_err(|_| Error::NoSuchFile)?;
    let file = ASSETS
        .iter()
        .find(|file| file.name == name)
        .ok_or(Error::NoSuchFile)?;
    Ok(send(file, "public, max-age=31536000, immutable", &headers))
}

fn send(file: &File, caching: &'static str, headers: &HeaderMap) -> Response {
    let takes = |coding| takes(headers, header::ACCEPT_ENCODING, coding);
    let (coding, bytes) = match (file.brotli, file.gzip) {
        (Some(brotli), _) if takes("br") => ("br", brotli),
        (_, Some(gzip)) if takes("gzip") => ("gzip", gzip),
        _ => ("", file.bytes),
    };
    let etag = format!("\"{}{coding}\"", file.hash);
    let common = [
        (header::ETAG, value(&etag)),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    if none_match(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let mut response = (common, bytes).into_response();
    let fields = response.headers_mut();
    fields.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(file.content_type),
    );
    if !coding.is_empty() {
        fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Whether a list such as `text/html,*/*;q=0.8` names this one, and not with a weight of nothing. A wildcard doesn't name
/// it: what takes anything gets the plainest.
fn takes(headers: &HeaderMap, list: header::HeaderName, name: &str) -> bool {
    let weight = |parameters: &str| {
        let weight = parameters
            .split(';')
            .find_map(|one| one.trim().strip_prefix("q="));
        weight
            .and_then(|weight| weight.parse::<f32>().ok())
            .unwrap_or(1.0)
    };
    headers
        .get_all(list)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|item| item.trim().split_once(';').unwrap_or((item.trim(), "")))
        .any(|(item, parameters)| {
            item.trim().eq_ignore_ascii_case(name) && weight(parameters) > 0.0
        })
}
