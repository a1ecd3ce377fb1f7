use chrono::{DateTime, Utc};
use decant_events::{FileId, Username};

/// An upload that comes in pieces, of which any may break off. Whoever holds its lease writes; between two pieces nobody
/// does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumable {
    /// The job's id, and its video's.
    pub id: FileId,
    /// Whose it is.
    pub owner: Username,
    /// The video's name, as its owner called it.
    pub file_name: String,
    /// How long the video will be.
    pub length_bytes: u64,
    /// How much of it is stored for good: where it goes on. All of it once the upload has ended.
    pub offset_bytes: u64,
    /// What came beside it, as its uploader wrote it.
    pub metadata: Option<String>,
    /// When it is given up unless more comes before. `None` once it has ended.
    pub expires_at: Option<DateTime<Utc>>,
    /// That time is over, by the database's clock.
    pub is_expired: bool,
    /// Somebody writes it, under a lease that hasn't run out by that clock.
    pub is_held: bool,
}

impl Resumable {
    /// Every byte is stored, and the job is on its way.
    pub fn has_ended(&self) -> bool {
        self.expires_at.is_none()
    }
}
