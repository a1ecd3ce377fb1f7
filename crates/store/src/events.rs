//! The events that a record calls for. All that they say is from the record.

use crate::{Job, State};
use decant_events::{JobFailed, Mp3Ready, VideoUploaded};
use std::time::Duration;

/// The gap after which a job is announced the second time, doubled each time: the sweep's own period.
pub const ANNOUNCE_GAP: Duration = Duration::from_secs(600);

impl Job {
    /// Its video waits for conversion.
    pub fn announcement(&self) -> VideoUploaded {
        VideoUploaded {
            video_fid: self.id,
            mp3_fid: None,
            username: self.owner.clone(),
            file_name: Some(self.file_name.clone()),
            size_bytes: self.size_bytes,
            options: self.options.clone().unwrap_or_default(),
        }
    }

    /// Its MP3 is published, if it is.
    pub fn mp3_ready(&self) -> Option<Mp3Ready> {
        let mp3 = self.mp3.as_ref().filter(|_| self.state == State::Ready)?;
        Some(Mp3Ready {
            video_fid: self.id,
            mp3_fid: mp3.id,
            username: self.owner.clone(),
            title: self.title().to_owned(),
            duration_ms: mp3.duration_ms,
            size_bytes: mp3.size_bytes,
        })
    }

    /// It ended without an MP3, if it did.
    pub fn job_failed(&self) -> Option<JobFailed> {
        let problem = self.problem.as_ref();
        let problem = problem.filter(|_| self.state == State::Failed)?;
        Some(JobFailed {
            video_fid: self.id,
            username: self.owner.clone(),
            problem: problem.clone(),
        })
    }
}
