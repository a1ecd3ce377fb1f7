use crate::{ConversionOptions, FileId, Problem, Username};
use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// What every event's data has in common. The CloudEvents attributes are derived from it.
pub trait EventData: Serialize + DeserializeOwned + Send {
    /// The CloudEvents `type`, which Triggers filter on.
    const TYPE: &'static str;

    /// The job that the event is about: the CloudEvents `subject`.
    fn job_id(&self) -> FileId;

    /// The CloudEvents `id`: the same job, happening and run give the same id, so that a replay is recognisable.
    /// `run` rises with each retry that a person asks for.
    fn event_id(&self, run: u32) -> String {
        let happening = Self::TYPE.trim_start_matches("dev.decant.");
        format!("{}.{happening}.{run}", self.job_id())
    }
}

/// A stored video waits for conversion. Emitted by `upload` and by the sweep, consumed by `convert`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct VideoUploaded {
    /// The video's id, which is the job's id too.
    pub video_fid: FileId,
    /// Always `null`: kept for consumers of the older system, whose message had it.
    pub mp3_fid: Option<FileId>,
    /// Who uploaded it.
    pub username: Username,
    /// The video's name, as its owner called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The video's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// What its owner asks of the conversion, for whoever watches: `convert` takes it from the job record.
    #[serde(
        default,
        skip_serializing_if = "ConversionOptions::is_default",
        deserialize_with = "known"
    )]
    pub options: ConversionOptions,
}

/// Options that aren't known here are nobody's reason to lose an event: they are the record's business.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ConversionOptions, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Said {
        Known(Box<ConversionOptions>),
        Unknown(IgnoredAny),
    }
    Ok(match serde::Deserialize::deserialize(deserializer)? {
        Said::Known(options) => *options,
        Said::Unknown(IgnoredAny) => ConversionOptions::default(),
    })
}

impl EventData for VideoUploaded {
    const TYPE: &'static str = "dev.decant.video.uploaded";

    fn job_id(&self) -> FileId {
        self.video_fid
    }
}

/// An MP3 is stored and published. `convert`'s reply, consumed by `notify`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mp3Ready {
    /// The job's id.
    pub video_fid: FileId,
    /// The MP3's id.
    pub mp3_fid: FileId,
    /// Who owns it.
    pub username: Username,
    /// The MP3's title.
    pub title: String,
    /// How long it plays, in milliseconds.
    pub duration_ms: u64,
    /// The MP3's size.
    pub size_bytes: u64,
}

impl EventData for Mp3Ready {
    const TYPE: &'static str = "dev.decant.mp3.ready";

    fn job_id(&self) -> FileId {
        self.video_fid
    }
}

/// A job ended without an MP3. `convert`'s reply or `notify`'s word on a dead event, consumed by `notify`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JobFailed {
    /// The job's id.
    pub video_fid: FileId,
    /// Who owns it.
    pub username: Username,
    /// Why it failed.
    pub problem: Problem,
}

impl EventData for JobFailed {
    const TYPE: &'static str = "dev.decant.job.failed";

    fn job_id(&self) -> FileId {
        self.video_fid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_systems_three_fields_alone_are_a_video_uploaded() {
        let data = r#"{"video_fid":"6650f0c2a1b2c3d4e5f60718","mp3_fid":null,"username":"kevin@email.com"}"#;
        let event: VideoUploaded = serde_json::from_str(data).expect("three fields suffice");
        assert_eq!(event.job_id().to_string(), "6650f0c2a1b2c3d4e5f60718");
        assert_eq!(
            event.event_id(2),
            "6650f0c2a1b2c3d4e5f60718.video.uploaded.2"
        );
    }

    #[test]
    fn options_are_part_of_the_event_where_something_is_asked_for() {
        let data = r#"{"video_fid":"6650f0c2a1b2c3d4e5f60718","mp3_fid":null,"username":"kevin@email.com"}"#;
        let mut event: VideoUploaded = serde_json::from_str(data).expect("three fields suffice");
        assert_eq!(serde_json::to_string(&event).expect("JSON"), data);
        event.options.set("quality", "v0").expect("there is v0");
        let asked = serde_json::to_string(&event).expect("JSON");
        assert!(
            asked.ends_with(r#","options":{"quality":"v0"}}"#),
            "{asked}"
        );
        let read: VideoUploaded = serde_json::from_str(&asked).expect("it was written so");
        assert_eq!(read, event);
        let of_tomorrow = asked.replace("v0", "lossless");
        let read: VideoUploaded =
            serde_json::from_str(&of_tomorrow).expect("an event all the same");
        assert!(read.options.is_default());
    }
}
