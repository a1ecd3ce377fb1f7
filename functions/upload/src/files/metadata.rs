use crate::{error::Error, form::Form};
use base64::{Engine, engine::general_purpose::STANDARD};
use decant_events::InvalidOption;
use std::collections::BTreeSet;

/// The longest metadata that is taken. It is kept in the record, and the longest comment fits in.
const LONGEST_BYTES: usize = 16 * 1024;

/// What common clients say of a file on top, and nobody here asks for.
const PASSED_OVER: [&str; 4] = ["filetype", "name", "relativePath", "type"];

/// The file's name and options, from an `Upload-Metadata`: `key base64,key base64,key`.
pub(super) fn form(metadata: &str) -> Result<Form, Error> {
    if metadata.len() > LONGEST_BYTES {
        return Err(malformed("at most 16 KiB"));
    }
    let mut fields = Vec::new();
    let mut keys = BTreeSet::new();
    for pair in metadata.split(',').filter(|_| !metadata.trim().is_empty()) {
        let pair = pair.trim();
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("a key before each value"));
        }
        if !keys.insert(key) {
            return Err(malformed("each key once"));
        }
        let value = STANDARD.decode(value.trim());
        let value = value.map_err(|_| malformed("each value in Base64, with its padding"))?;
        if PASSED_OVER.contains(&key) {
            continue;
        }
        let value = String::from_utf8(value).map_err(|_| not_text(key))?;
        fields.push((key.to_owned(), value));
    }
    Form::of_query(fields)
}

fn malformed(expected: &str) -> Error {
    Error::BadRequest(format!("Upload-Metadata: expected {expected}."))
}

fn not_text(key: &str) -> Error {
    Error::InvalidOption(InvalidOption::Value {
        name: key.to_owned(),
        got: "in an unknown encoding".to_owned(),
        expected: "text in UTF-8".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_options_come_in_base64() {
        // «Größe 🎬.mp4», v0
        let form = form("filename R3LDtsOfZSDwn46sLm1wNA==,filetype dmlkZW8vbXA0,quality djA=");
        let form = form.expect("is taken");
        assert_eq!(form.file_name.as_deref(), Some("Größe 🎬.mp4"));
        assert_eq!(form.options.quality, Some("v0"));
    }

    #[test]
    fn a_value_may_be_empty_with_or_without_its_space() {
        for metadata in [
            "",
            " ",
            "title",
            "title ",
            "title ,filename YQ==",
            "filename YQ==, title",
        ] {
            let form = form(metadata).expect("is taken");
            assert!(form.options.is_default(), "{metadata:?}");
        }
    }

    #[test]
    fn what_is_not_by_the_protocol_is_refused() {
        for metadata in [
            ",",
            "filename YQ==,",
            "filename YQ",
            "filename a b",
            "filename ä",
            "filename YQ==,filename Yg==",
            "größe YQ==",
        ] {
            assert!(
                matches!(form(metadata), Err(Error::BadRequest(_))),
                "{metadata}"
            );
        }
        let long = format!("comment {}", "YWFh".repeat(LONGEST_BYTES / 4));
        assert!(matches!(form(&long), Err(Error::BadRequest(_))));
    }

    #[test]
    fn what_is_no_option_is_refused_as_in_a_form() {
        // v9; no text; another name
        for metadata in ["quality djk=", "title /w==", "volume MTE=", "cover YQ=="] {
            assert!(
                matches!(form(metadata), Err(Error::InvalidOption(_))),
                "{metadata}"
            );
        }
    }
}
