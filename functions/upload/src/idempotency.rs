use crate::error::Error;
use axum::http::HeaderMap;

const LONGEST: usize = 255;

/// What its uploader calls an upload (`Idempotency-Key`): whoever sends it again, because an answer got lost, gets the job that
/// there is.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let is_printable = |byte: &u8| (b' '..=b'~').contains(byte);
    let is_plain =
        !key.is_empty() && key.len() <= LONGEST && key.as_bytes().iter().all(is_printable);
    match (key.to_str(), keys.next()) {
        (Ok(key), None) if is_plain => Ok(Some(key.to_owned())),
        _ => Err(Error::BadRequest(
            "Expected one Idempotency-Key of 1 to 255 printable ASCII characters.".into(),
        )),
    }
}
