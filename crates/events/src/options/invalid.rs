use super::ConversionOptions;

/// An option that there isn't, or a value that it can't have. Says which, what was given, and what there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOption {
    /// There is no option of this name.
    #[error(
        "There is no option {}. There are {}; the video is sent as `file`, its cover as `cover`.",
        shown(.0),
        ConversionOptions::NAMES.join(", ")
    )]
    Unknown(String),
    /// The value is none of those that the option can have.
    #[error("The option `{name}` is {got}. Expected {expected}.")]
    Value {
        /// The option.
        name: String,
        /// What was given, as it may be shown.
        got: String,
        /// What can be given.
        expected: String,
    },
    /// The option was given more than once.
    #[error("The option {} is given twice. Expected it once.", shown(.0))]
    Repeated(String),
}

impl InvalidOption {
    /// `text` is none of the values that `name` can have.
    pub(super) fn value(name: &str, text: &str, expected: impl Into<String>) -> Self {
        Self::Value {
            name: name.to_owned(),
            got: shown(text),
            expected: expected.into(),
        }
    }
}

/// Text of a stranger's in a sentence of ours: its beginning, without what could break lines or turn text around.
fn shown(text: &str) -> String {
    const LONGEST_CHARS: usize = 60;
    let mut chars = text.chars();
    let shown: String = chars
        .by_ref()
        .take(LONGEST_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    let cut = if chars.next().is_some() { "…" } else { "" };
    format!("`{shown}{cut}`")
}
