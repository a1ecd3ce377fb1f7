use std::time::Duration;

/// How the jobs of one person take turns, so that somebody who uploads a hundred videos doesn't hold up everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turns {
    /// How many of one person's jobs may be announced at a time: queued or converting. The others wait.
    pub at_once: u32,
    /// The time after which [`Due::ByGap`] takes an announced job the first time.
    ///
    /// [`Due::ByGap`]: crate::Due::ByGap
    pub gap: Duration,
}
