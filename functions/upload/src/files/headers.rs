use crate::error::Error;
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};

/// What bytes of an upload are sent as.
const CONTENT_TYPE: &str = "application/offset+octet-stream";

/// A header with a whole number, if it is there.
pub(super) fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let digits = value.to_str().ok().filter(|text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits && !text.is_empty()
    });
    let number = digits.and_then(|digits| digits.parse().ok());
    let expected = || Error::BadRequest(format!("Expected a whole number in {name}."));
    number.map(Some).ok_or_else(expected)
}

/// A header's text, if it is there.
pub(super) fn text<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, Error> {
    let text = headers.get(name).map(HeaderValue::to_str).transpose();
    text.map_err(|_| Error::BadRequest(format!("Expected plain ASCII in {name}.")))
}

/// The body is bytes of an upload.
pub(super) fn has_bytes(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|content_type| content_type == CONTENT_TYPE)
}

/// Refuses at the header a body that is longer than what is left of an upload.
pub(super) fn check_room(
    headers: &HeaderMap,
    room_bytes: u64,
    length_bytes: u64,
) -> Result<(), Error> {
    match number(headers, "content-length")? {
        Some(bytes) if bytes > room_bytes => Err(Error::BeyondLength { length_bytes }),
        _ => Ok(()),
    }
}

/// `Upload-Expires`: a time as HTTP writes it (RFC 9110, 5.6.7).
pub(super) fn expires(at: Option<DateTime<Utc>>) -> Option<[(&'static str, String); 1]> {
    let at = at?.format("%a, %d %b %Y %H:%M:%S GMT");
    Some([("upload-expires", at.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_and_nothing_else() {
        for (text, number) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("12345678901", Some(12_345_678_901)),
        ] {
            assert_eq!(read(text), number);
        }
        for text in [
            "",
            "-1",
            "+1",
            "1.0",
            "0x1",
            "1e3",
            "١",
            "99999999999999999999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    fn read(text: &str) -> Option<u64> {
        let value = HeaderValue::from_bytes(text.as_bytes()).expect("a header's value");
        let headers = HeaderMap::from_iter([(header::AGE, value)]);
        number(&headers, "age").ok().flatten()
    }

    #[test]
    fn a_time_is_written_as_http_has_it() {
        let at = DateTime::from_timestamp(784_111_777, 999_000_000);
        let [(_, text)] = expires(at).expect("a time");
        assert_eq!(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
