mod invalid;
mod language;
mod value;

pub use invalid::InvalidOption;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny},
};
use std::{collections::BTreeMap, time::Duration};

/// What a person asks of a conversion. The default asks for nothing: then the engine does as it always does.
///
/// Its JSON names only what was asked for. A reader passes over names that it doesn't know, as in all of the contract;
/// at the door, [`set`](Self::set) refuses them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ConversionOptions {
    /// One of [`QUALITIES`](Self::QUALITIES); `v2` if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<&'static str>,
    /// All channels mixed into one.
    #[serde(skip_serializing_if = "is_default")]
    pub mono: bool,
    /// One of [`SAMPLE_RATES`](Self::SAMPLE_RATES), in Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Sound before this is left out. In JSON, times are numbers of seconds.
    #[serde(skip_serializing_if = "is_default", serialize_with = "seconds")]
    pub start: Duration,
    /// So is sound from here on; both count from the start of the source's sound.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "end")]
    pub end: Option<Duration>,
    /// How long the sound that is left fades in, and out at its end.
    #[serde(skip_serializing_if = "is_default", serialize_with = "seconds")]
    pub fade: Duration,
    /// The loudness that the sound is brought to, in LUFS (EBU R128), exact to a hundredth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<f64>,
    /// Which sound track of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<Track>,
    /// What the MP3's tag says, instead of what the video says. Not what the job is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The same of who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// The same of what it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// The same of when it appeared: four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<String>,
    /// The same of anything else. May have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// One of a video's sound tracks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Track {
    /// The first sound track is 1.
    Number(u32),
    /// One of the codes of two letters that ISO 639 has, or any of three, in lower case.
    Language(String),
}

impl ConversionOptions {
    /// The names of all options.
    pub const NAMES: [&str; 13] = [
        "quality",
        "mono",
        "sample_rate",
        "start",
        "end",
        "fade",
        "loudness",
        "track",
        "title",
        "artist",
        "album",
        "year",
        "comment",
    ];

    /// Qualities of variable bitrate, and constant bitrates.
    pub const QUALITIES: [&str; 10] = [
        "v0", "v2", "v4", "v6", "128k", "160k", "192k", "224k", "256k", "320k",
    ];

    /// What an MP3 can have, in Hz.
    pub const SAMPLE_RATES: [u32; 9] = [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
    ];

    /// The least that may be left between start and end.
    pub const LEAST_LENGTH: Duration = Duration::from_millis(1);

    /// The largest cover that may come with a video, in bytes: larger ones don't fit into the head of an MP3.
    pub const LARGEST_COVER_BYTES: usize = 192 * 1024;

    /// Nothing is asked for.
    pub fn is_default(&self) -> bool {
        is_default(self)
    }

    /// Takes an option as people write it in a form. An empty text asks for nothing: browsers send every field.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), InvalidOption> {
        let text = text.trim();
        if text.is_empty() && Self::NAMES.contains(&name) {
            return Ok(());
        }
        match name {
            "quality" => self.quality = Some(value::quality(text)?),
            "mono" => self.mono = value::mono(text)?,
            "sample_rate" => self.sample_rate = Some(value::sample_rate(text)?),
            "start" => self.start = value::time("start", text)?,
            "end" => self.end = Some(value::time("end", text)?),
            "fade" => self.fade = value::fade(text)?,
            "loudness" => self.loudness = value::loudness(text)?,
            "track" => self.track = Some(value::track(text)?),
            "title" => self.title = Some(value::line("title", text)?),
            "artist" => self.artist = Some(value::line("artist", text)?),
            "album" => self.album = Some(value::line("album", text)?),
            "year" => self.year = Some(value::year(text)?),
            "comment" => self.comment = Some(value::comment(text)?),
            _ => return Err(InvalidOption::Unknown(name.to_owned())),
        }
        Ok(())
    }

    /// What can be said only of options together: once all are set.
    pub fn check(&self) -> Result<(), InvalidOption> {
        match self.end {
            Some(end) if end < self.start.saturating_add(Self::LEAST_LENGTH) => {
                Err(InvalidOption::Value {
                    name: "end".to_owned(),
                    got: format!("{} s", end.as_secs_f64()),
                    expected: format!(
                        "a millisecond or more later than `start`, {} s",
                        self.start.as_secs_f64()
                    ),
                })
            }
            _ => Ok(()),
        }
    }
}

/// A value in JSON. Each is taken as a form has it, so that there is one way to be wrong.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Switch(bool),
    Number(f64),
    Text(String),
    Nothing(()),
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for ConversionOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut options = Self::default();
        for (name, given) in BTreeMap::<String, Given>::deserialize(deserializer)? {
            let text = match given {
                _ if !Self::NAMES.contains(&name.as_str()) => continue,
                Given::Switch(on) => on.to_string(),
                Given::Number(number) => number.to_string(),
                Given::Text(text) => text,
                Given::Nothing(()) => continue,
                Given::Other(IgnoredAny) => {
                    return Err(D::Error::custom(format!("`{name}` has several values")));
                }
            };
            options.set(&name, &text).map_err(D::Error::custom)?;
        }
        options.check().map_err(D::Error::custom)?;
        Ok(options)
    }
}

/// Exact: of times as short as the ones allowed, a double tells every nanosecond apart.
fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    match time.subsec_nanos() {
        0 => serializer.serialize_u64(time.as_secs()),
        _ => serializer.serialize_f64(time.as_secs_f64()),
    }
}

fn end<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
