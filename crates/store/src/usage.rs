/// What one person takes up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Jobs that have not ended, uploads on their way among them.
    pub unfinished: u64,
    /// The size of the videos and MP3s that their records name. Of an upload on its way it isn't known yet.
    pub stored_bytes: u64,
}
