use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every error of the door: its code, its status, and when it is answered.
const ERRORS: &[(&str, u16, &str)] = &[
    ("auth-unavailable", 503, "auth can't be reached"),
    ("bad-request", 400, "the request isn't as described"),
    ("broken-upload", 400, "the upload broke off"),
    ("busy", 503, "too much of this is under way"),
    (
        "csrf",
        403,
        "a change by a session lacks its `X-CSRF-Token`",
    ),
    ("expired-link", 410, "the link's time is over"),
    (
        "expired-token",
        401,
        "the token's or the session's time is over",
    ),
    ("forged-link", 403, "the link was changed or cut"),
    ("internal", 500, "our fault"),
    (
        "invalid-option",
        422,
        "there is no such option, or no such value",
    ),
    ("invalid-token", 401, "the token or the session isn't ours"),
    ("missing-credentials", 401, "Basic auth is missing"),
    (
        "missing-token",
        401,
        "neither a token nor a session came along",
    ),
    ("no-mp3", 409, "one of the jobs isn't ready"),
    ("no-waveform", 404, "the MP3 isn't ready, or was copied"),
    ("not-found", 404, "there is nothing of the caller's there"),
    (
        "not-ready",
        503,
        "what the door works with can't be reached",
    ),
    ("range", 416, "the range begins beyond the end"),
    ("stalled-upload", 408, "nothing came for a minute"),
    ("store-full", 507, "there is no room"),
    ("store-unavailable", 503, "the store can't be reached"),
    ("too-large", 413, "the video is larger than what is taken"),
    ("too-many-failures", 429, "too many logins failed"),
    ("users-unavailable", 503, "the users can't be looked up"),
    ("wrong-credentials", 401, "user or password are wrong"),
    (
        "beyond-length",
        413,
        "more bytes came than the upload was announced with",
    ),
    (
        "checksum-mismatch",
        460,
        "the bytes that came are not those that were sent",
    ),
    ("expired", 410, "the MP3's time is over"),
    (
        "locked",
        423,
        "somebody else sends bytes of this upload right now",
    ),
    ("not-finished", 409, "the job hasn't ended"),
    ("quota-full", 507, "too much would be stored for the caller"),
    (
        "too-many-jobs",
        429,
        "too many of the caller's jobs haven't ended",
    ),
    (
        "too-many-streams",
        429,
        "the caller has too many streams of events",
    ),
    ("tus-version", 412, "`Tus-Resumable` isn't 1.0.0"),
    (
        "unsupported-media-type",
        415,
        "the bytes aren't `application/offset+octet-stream`",
    ),
    ("upload-ended", 409, "the upload is a job now"),
    (
        "upload-expired",
        410,
        "nothing came of the upload for too long",
    ),
    ("upload-in-progress", 409, "the same upload still comes in"),
    ("video-expired", 410, "the video isn't kept any more"),
    ("wrong-offset", 409, "the upload goes on elsewhere"),
];

/// The responses that these codes make, one for each status.
pub(super) fn responses(codes: &[String]) -> Vec<(String, Value)> {
    let mut of_status = BTreeMap::<u16, Vec<(&str, &str)>>::new();
    for code in codes {
        let known = ERRORS.iter().find(|(known, ..)| known == code);
        let (code, status, when) =
            known.unwrap_or_else(|| panic!("openapi/errors.rs lacks `{code}`"));
        of_status.entry(*status).or_default().push((code, when));
    }
    let described = of_status
        .into_iter()
        .map(|(status, errors)| (status.to_string(), response(status, errors)));
    described.collect()
}

fn response(status: u16, mut errors: Vec<(&str, &str)>) -> Value {
    errors.sort_unstable();
    errors.dedup();
    let codes: Vec<_> = errors.iter().map(|(code, _)| code).collect();
    let sentences: Vec<_> = errors
        .iter()
        .map(|(code, when)| format!("`{code}`: {when}"))
        .collect();
    let mut response = json!({
        "description": sentences.join("; "),
        "content": {"application/problem+json": {"schema": {
            "allOf": [{"$ref": "#/components/schemas/Problem"}],
            "properties": {"status": {"const": status}, "code": {"enum": codes}},
        }}},
    });
    if let Some((name, description)) = header(status) {
        let text = json!({"type": "string"});
        response["headers"] = json!({name: {"description": description, "schema": text}});
    }
    response
}

fn header(status: u16) -> Option<(&'static str, &'static str)> {
    match status {
        401 => Some((
            "WWW-Authenticate",
            "How to prove who one is; not at `/session`.",
        )),
        416 => Some(("Content-Range", "`bytes */SIZE`")),
        423 | 429 | 503 | 507 => Some(("Retry-After", "In seconds.")),
        _ => None,
    }
}
