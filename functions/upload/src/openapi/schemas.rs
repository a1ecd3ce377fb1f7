//! Shapes that come from crates which know no HTTP, or that only callers write.

use decant_events::ConversionOptions;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Where a job stands.
#[derive(ToSchema)]
#[schema(as = State, rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a text")]
pub(crate) enum JobState {
    Waiting,
    Queued,
    Converting,
    Ready,
    Failed,
    Expired,
}

/// Why a job failed.
#[derive(ToSchema)]
#[schema(as = JobProblem)]
#[expect(dead_code, reason = "it describes another type")]
pub(crate) struct JobProblem {
    /// Stable, for programs.
    #[schema(example = "no-audio")]
    code: String,
    /// For people: what happened, and what to do.
    detail: String,
}

/// A token, as JSON.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes auth's answer")]
pub(crate) struct Token {
    token: String,
    #[schema(example = "Bearer")]
    token_type: String,
    /// In seconds.
    expires_in: u64,
}

/// What can be asked of a conversion, as people write it.
#[derive(IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes a form")]
pub(crate) struct OptionFields {
    /// `v0`, `v2`, `v4`, `v6`, or a constant bitrate from `128k` to `320k`.
    #[param(required = false)]
    quality: Option<String>,
    /// `on` mixes all channels into one.
    #[param(required = false)]
    mono: Option<String>,
    /// In Hz, such as `44100`.
    #[param(required = false)]
    sample_rate: Option<String>,
    /// Seconds, or `1:02:03.5`.
    #[param(required = false)]
    start: Option<String>,
    /// Seconds, or `1:02:03.5`; later than `start`.
    #[param(required = false)]
    end: Option<String>,
    /// Seconds, up to 30.
    #[param(required = false)]
    fade: Option<String>,
    /// LUFS from -70 to -5, or `on` for -16.
    #[param(required = false)]
    loudness: Option<String>,
    /// A number from 1, or a language of two or three letters.
    #[param(required = false)]
    track: Option<String>,
    /// The MP3's tag.
    #[param(required = false)]
    title: Option<String>,
    /// The MP3's tag.
    #[param(required = false)]
    artist: Option<String>,
    /// The MP3's tag.
    #[param(required = false)]
    album: Option<String>,
    /// The MP3's tag: four digits.
    #[param(required = false)]
    year: Option<String>,
    /// The MP3's tag, of up to 2,000 characters.
    #[param(required = false)]
    comment: Option<String>,
}

/// A video, and what is asked of its conversion.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form")]
pub(crate) struct UploadForm {
    /// The video.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// A JPEG or PNG of at most 192 KiB.
    #[schema(value_type = Option<String>, format = Binary)]
    cover: Option<Vec<u8>>,
    #[serde(flatten)]
    options: OptionFields,
}

/// The options of a job, as JSON gives them: [`options`] says how.
#[derive(ToSchema)]
pub(crate) struct Options {}

/// What [`Options`] are.
pub(super) fn options() -> Value {
    let text = json!({"type": "string"});
    let seconds = json!({"type": "number", "minimum": 0, "maximum": 360_000});
    json!({
        "type": "object",
        "description": "What was asked for; what wasn't isn't named.",
        "properties": {
            "quality": {"enum": ConversionOptions::QUALITIES},
            "mono": {"const": true},
            "sample_rate": {"enum": ConversionOptions::SAMPLE_RATES},
            "start": seconds,
            "end": seconds,
            "fade": {"type": "number", "minimum": 0, "maximum": 30},
            "loudness": {"type": "number", "minimum": -70, "maximum": -5},
            "track": {"type": ["integer", "string"]},
            "title": text, "artist": text, "album": text, "year": text, "comment": text,
        },
    })
}

/// An error (RFC 9457).
pub(super) fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why a request is not answered as asked (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stable, for programs."},
            "detail": {"type": "string", "description": "For people: what happened, and what to do."},
        },
    })
}
