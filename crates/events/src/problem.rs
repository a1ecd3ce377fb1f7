use serde::{Deserialize, Serialize};

/// Why a job failed: a code that programs compare and a sentence for the person who waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable word in kebab-case, one of [`code`] or of the audio engine's.
    pub code: String,
    /// What happened and what to do next, in plain words.
    pub detail: String,
}

impl Problem {
    /// A problem with this code and this sentence.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// The codes that don't come from the audio engine.
pub mod code {
    /// Every allowed attempt began and none ended.
    pub const GAVE_UP: &str = "gave-up";
    /// The broker's last delivery failed before any attempt ended.
    pub const UNDELIVERED: &str = "undelivered";
    /// The conversion can't end within the time a request may take.
    pub const TOO_LONG: &str = "too-long";
    /// What was asked for can't be done, or can't be read: the audio engine says so too.
    pub const NOT_AN_OPTION: &str = "not-an-option";
    /// The stored video is gone.
    pub const VIDEO_MISSING: &str = "video-missing";
}
