use crate::{Job, Mp3, State};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How long what a job leaves is kept after it has ended; `None` is for good. The sweep makes it true; until it comes, it
/// is said here already.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// How long its video is kept.
    pub keep_video: Option<Duration>,
    /// How long its MP3 is kept.
    pub keep_mp3: Option<Duration>,
}

impl Retention {
    /// The job's state, as it is at `now`.
    pub fn state(&self, job: &Job, now: DateTime<Utc>) -> State {
        match self.mp3_expires_at(job) {
            Some(end) if end <= now => State::Expired,
            _ => job.state,
        }
    }

    /// The states of records that may be in `state` for whoever looks.
    pub fn recorded_as(&self, state: State) -> Vec<State> {
        match (state, self.keep_mp3) {
            (State::Expired, Some(_)) => vec![State::Ready, State::Failed, State::Expired],
            _ => vec![state],
        }
    }

    /// The job's MP3, if its time isn't over at `now`.
    pub fn mp3<'a>(&self, job: &'a Job, now: DateTime<Utc>) -> Option<&'a Mp3> {
        let is_over = self.mp3_expires_at(job).is_some_and(|end| end <= now);
        job.mp3.as_ref().filter(|_| !is_over)
    }

    /// When the MP3's time is over; `None` without one, where it is kept for good, and while the job isn't at its end.
    pub fn mp3_expires_at(&self, job: &Job) -> Option<DateTime<Utc>> {
        job.mp3.as_ref()?;
        after_the_end(job, self.keep_mp3)
    }

    /// The same of the video.
    pub fn video_expires_at(&self, job: &Job) -> Option<DateTime<Utc>> {
        match job.video_expired_at {
            Some(_) => None,
            None => after_the_end(job, self.keep_video),
        }
    }

    /// Whether the video can be converted again: the job has ended, and the video is there.
    pub fn can_retry(&self, job: &Job, now: DateTime<Utc>) -> bool {
        let is_over = self.video_expires_at(job).is_some_and(|end| end <= now);
        has_ended(job) && job.video_expired_at.is_none() && !is_over
    }
}

fn has_ended(job: &Job) -> bool {
    matches!(job.state, State::Ready | State::Failed | State::Expired)
}

fn after_the_end(job: &Job, keep: Option<Duration>) -> Option<DateTime<Utc>> {
    let ended = job.finished_at.filter(|_| has_ended(job))?;
    // What is kept beyond all calendars is kept for good.
    ended.checked_add_signed(TimeDelta::from_std(keep?).ok()?)
}
