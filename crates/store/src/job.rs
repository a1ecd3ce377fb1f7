use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem, Username};
use std::{fmt, str::FromStr};

/// Where a job stands: `uploading → waiting → queued → converting → ready | failed`, a ready one `→ expired`, and wherever it
/// stands `→ cancelled`. A retry takes a job that has ended back to `waiting` or `queued`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Its video is on the way in: nobody sees the job yet.
    Uploading,
    /// Its video is stored. The conversion is due when fewer jobs of the same person are.
    Waiting,
    /// Its conversion is due, and announced.
    Queued,
    /// Somebody converts it, under a lease.
    Converting,
    /// Its MP3 is stored.
    Ready,
    /// It ended without an MP3.
    Failed,
    /// Its MP3 was there, and is gone: it was kept for long enough.
    Expired,
    /// Its owner has deleted it: nobody sees the job any more. What is left is a tombstone, by which the sweep finds bytes
    /// that weren't deleted with it.
    Cancelled,
}

impl State {
    const ALL: [Self; 8] = [
        Self::Uploading,
        Self::Waiting,
        Self::Queued,
        Self::Converting,
        Self::Ready,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word that records, programs and people use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Converting => "converting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The run has ended, and no other one begins by itself.
    pub fn is_final(self) -> bool {
        match self {
            Self::Ready | Self::Failed | Self::Expired | Self::Cancelled => true,
            Self::Uploading | Self::Waiting | Self::Queued | Self::Converting => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("no such state: {word}"))
    }
}

/// One conversion, from the first byte of the upload on.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The job's id, and its video's.
    pub id: FileId,
    /// Who uploaded the video: the only person, besides admins, who may see the job.
    pub owner: Username,
    /// Where the job stands.
    pub state: State,
    /// Rises with each retry that a person asks for; 1 at first.
    pub run: u32,
    /// The video's name, as its owner called it.
    pub file_name: String,
    /// What its owner calls the job, if not by the video's name.
    pub own_title: Option<String>,
    /// The video's size, once it is stored.
    pub size_bytes: Option<u64>,
    /// What its owner asks of the conversion. A cover that came with the video is read by [`Jobs::cover`].
    ///
    /// [`Jobs::cover`]: crate::Jobs::cover
    pub options: Asked,
    /// How much is converted, in percent from 0 to 100.
    pub progress_percent: f64,
    /// How many conversions have begun in this run.
    pub attempts: u32,
    /// The MP3, once it is published. After a retry still the one of the run before, until this run's is published.
    pub mp3: Option<Mp3>,
    /// Why the job failed.
    pub problem: Option<Problem>,
    /// The W3C `traceparent` of the upload: announcements made later belong to its trace.
    pub traceparent: Option<String>,
    /// When the upload began.
    pub created_at: DateTime<Utc>,
    /// When the record last changed.
    pub updated_at: DateTime<Utc>,
}

impl Job {
    /// What the job is called, and the stem of the MP3's file name: its own title, or the video's name without its
    /// extension.
    pub fn title(&self) -> &str {
        if let Some(title) = &self.own_title {
            return title;
        }
        match self.file_name.rsplit_once('.') {
            Some((stem, end)) if !stem.is_empty() && is_extension(end) => stem,
            _ => &self.file_name,
        }
    }
}

/// `mp4`, `3gp`, `webm`, but not the end of "Dr. Who" or of "Talk v1.2".
fn is_extension(end: &str) -> bool {
    (1..=5).contains(&end.len())
        && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && end.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// What a record asks for. One that another version wrote is no reason to lose sight of the job.
pub type Asked = Result<ConversionOptions, UnreadableOptions>;

/// Options that this version can't read, as they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadableOptions(pub serde_json::Value);

/// A published MP3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mp3 {
    /// Its payload's id.
    pub id: FileId,
    /// Its size.
    pub size_bytes: u64,
    /// How long it plays, in milliseconds.
    pub duration_ms: u64,
}

/// What a job begins with.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The job's id, and its video's.
    pub id: FileId,
    /// Who uploads the video.
    pub owner: Username,
    /// The video's name, as its owner calls it.
    pub file_name: String,
    /// The upload's W3C `traceparent`, if it is traced.
    pub traceparent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_word() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn a_title_is_the_name_without_its_extension() {
        for (file_name, title) in [
            ("Film.mp4", "Film"),
            ("Film.part.MKV", "Film.part"),
            ("Grüße 👋.3gp", "Grüße 👋"),
            ("Dr. Who", "Dr. Who"),
            ("Dr. Who.m2ts", "Dr. Who"),
            ("Talk v1.2", "Talk v1.2"),
            ("Talk v1.2.webm", "Talk v1.2"),
            ("Film.größe", "Film.größe"),
            ("Film.matroska", "Film.matroska"),
            ("Film.", "Film."),
            (".mp4", ".mp4"),
            ("Film", "Film"),
            ("", ""),
        ] {
            assert_eq!(named(file_name).title(), title);
        }
    }

    #[test]
    fn a_title_of_its_own_goes_before_the_name() {
        let mut job = named("Film.mp4");
        job.own_title = Some("Talk v1.mp4".into());
        assert_eq!(job.title(), "Talk v1.mp4");
    }

    fn named(file_name: &str) -> Job {
        let now = DateTime::UNIX_EPOCH;
        Job {
            id: FileId::mint(),
            owner: "kevin@email.com".parse().expect("a mail address"),
            state: State::Queued,
            run: 1,
            file_name: file_name.into(),
            own_title: None,
            size_bytes: None,
            options: Ok(ConversionOptions::default()),
            progress_percent: 0.0,
            attempts: 0,
            mp3: None,
            problem: None,
            traceparent: None,
            created_at: now,
            updated_at: now,
        }
    }
}
