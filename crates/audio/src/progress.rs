//! How far a conversion says it is.

use std::time::Duration;

/// How far a conversion has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The sound that is converted. Never goes back. Where it is decoded twice, each of both counts for a part.
    pub position: Duration,
    /// The sound that there is to be, as the container says, or a guess by how much of the file was read: the position is never a
    /// lesser part of it than before. Unknown for pipes.
    pub duration: Option<Duration>,
}

/// Progress that never goes back: what turns out not to be a copy begins anew, and what nobody states is guessed again and
/// again.
#[derive(Default)]
pub(crate) struct Steady {
    position: Duration,
    part: f64,
}

impl Steady {
    pub(crate) fn after(&mut self, now: Progress) -> Progress {
        self.position = self.position.max(now.position);
        Progress {
            position: self.position,
            duration: now.duration.map(|duration| self.steady(duration)),
        }
    }

    fn steady(&mut self, duration: Duration) -> Duration {
        let seconds = self.position.as_secs_f64();
        let part = seconds / duration.as_secs_f64();
        if part < self.part {
            let shorter = Duration::try_from_secs_f64(seconds / self.part);
            return shorter.unwrap_or(duration);
        }
        if part.is_finite() {
            self.part = part;
        }
        duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn whatever_is_guessed_it_never_goes_back() {
        let mut steady = Steady::default();
        let said = [
            (0, Some(0)),
            (1, Some(20)),
            (2, None),
            (2, Some(10)),
            (2, Some(40)),
            (1, Some(40)),
            (5, Some(20)),
            (9, Some(0)),
            (10, Some(10)),
        ];
        let parts = said.map(|(position, duration)| {
            let now = steady.after(Progress {
                position: position * SECOND,
                duration: duration.map(|seconds| seconds * SECOND),
            });
            let whole = now.duration?.as_secs_f64();
            (whole > 0.0).then(|| now.position.as_secs_f64() / whole)
        });
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        assert!(parts.is_sorted() && parts.len() == 6, "{parts:?}");
        assert_eq!((parts[0], parts[5]), (0.05, 1.0));
    }
}
