use crate::Job;
use chrono::{DateTime, Utc};

/// A record as it goes from one store into another: without what passes, such as leases, attempts under way, and counts
/// of announcements.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The job. One that is queued or being converted is `waiting` here: turns are taken in each store by itself.
    pub job: Job,
    /// When its run ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The last run whose mail was sent; 0 for none.
    pub mailed_run: u32,
    /// The cover that came with the video.
    pub cover: Option<Vec<u8>>,
    /// The published MP3's waveform.
    pub waveform: Option<Vec<u8>>,
}
