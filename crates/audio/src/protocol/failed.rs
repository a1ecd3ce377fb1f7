//! Why the child failed, as it says so.

use super::{text, words};
use crate::Error;
use crate::fields::Fields;
use crate::language::Language;

/// Tracks whose languages are told: as many as a text has room for.
const MAX_LISTED: usize = 100;

/// Stands for a language that isn't known.
const UNTOLD: &str = "-";

/// Those of [`Error`] that a child can meet. The rest is the parent's own.
pub(super) fn encode(error: &Error) -> Vec<u8> {
    let listed;
    let (code, words) = match error {
        Error::NoAudio => (1, ""),
        Error::Unreadable { reason } => (2, reason.as_str()),
        Error::UnsupportedCodec { codec } => (3, codec.as_str()),
        Error::TooManyStreams { .. } => (4, ""),
        Error::TooMuchMemory => (5, ""),
        Error::Engine(reason) => (6, reason.as_str()),
        Error::NoSuchTrack { languages } => {
            listed = list(languages);
            (7, listed.as_str())
        }
        _ => (6, "the decoder met an error that it can't have"),
    };
    let mut payload = vec![code];
    let limit = match error {
        Error::TooManyStreams { limit } => *limit,
        _ => 0,
    };
    payload.extend(limit.to_le_bytes());
    payload.extend(text(words));
    payload
}

pub(super) fn decode(fields: &mut Fields<'_>) -> Option<Error> {
    let code = fields.u8()?;
    let limit = fields.u32()?;
    let words = words(fields);
    Some(match code {
        1 => Error::NoAudio,
        2 => Error::Unreadable { reason: words },
        3 => Error::UnsupportedCodec {
            codec: plain(&words),
        },
        4 => Error::TooManyStreams { limit },
        5 => Error::TooMuchMemory,
        6 => Error::Engine(words),
        7 => Error::NoSuchTrack {
            languages: words
                .split_ascii_whitespace()
                .map(unlist)
                .collect::<Option<_>>()?,
        },
        _ => return None,
    })
}

/// Three letters for each track, or a hyphen for one that has no language.
fn list(languages: &[Option<String>]) -> String {
    let words: Vec<_> = languages
        .iter()
        .take(MAX_LISTED)
        .map(|language| language.as_deref().unwrap_or(UNTOLD))
        .collect();
    words.join(" ")
}

fn unlist(word: &str) -> Option<Option<String>> {
    if word == UNTOLD {
        return Some(None);
    }
    let letters = word.as_bytes().try_into().ok()?;
    Language::of_letters(letters).map(|language| Some(language.to_string()))
}

/// What may stand in a sentence for people: no child writes them letters.
fn plain(words: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ',' | ' ');
    words.chars().filter(is_plain).take(40).collect()
}
