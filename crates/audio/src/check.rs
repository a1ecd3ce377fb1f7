//! What can't be asked for, whatever the video.

use std::time::Duration;

use crate::track::Choice;
use crate::{Loudness, NotAnOption, Options};

impl Options {
    /// The longest fade: as much sound is held back until it is known where the sound ends.
    pub const MAX_FADE: Duration = Duration::from_secs(30);

    /// The least that may be left between start and end: some samples at any rate.
    pub const MIN_LENGTH: Duration = Duration::from_millis(1);

    /// Says what can't be, so that it is known before there is a video. [`convert`](crate::convert) asks too.
    ///
    /// # Errors
    /// The first of what can't be.
    pub fn check(&self) -> Result<(), NotAnOption> {
        let is_nothing = |end: Duration| end < self.start.saturating_add(Self::MIN_LENGTH);
        if self.end.is_some_and(is_nothing) {
            return Err(NotAnOption("the end must come after the start"));
        }
        if self.fade > Self::MAX_FADE {
            return Err(NotAnOption("a fade takes at most 30 seconds"));
        }
        if let Some(loudness) = &self.loudness {
            loudness.check()?;
        }
        if let Some(track) = &self.track {
            Choice::of(track).ok_or(NotAnOption(
                "a track is a number from 1 or a language by two letters that ISO 639 knows, such as de, or three, such as deu",
            ))?;
        }
        Ok(())
    }
}

impl Loudness {
    fn check(&self) -> Result<(), NotAnOption> {
        if !(-70.0..=-5.0).contains(&self.target_lufs) {
            return Err(NotAnOption("a loudness is between -70 and -5 LUFS"));
        }
        if !(-9.0..=0.0).contains(&self.true_peak_dbtp) {
            return Err(NotAnOption("a true peak is between -9 and 0 dBTP"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Track;

    const SECOND: Duration = Duration::from_secs(1);

    fn why_not(options: &Options) -> String {
        options.check().expect_err("it can't be").to_string()
    }

    #[test]
    fn what_can_be_is_let_through() {
        assert_eq!(Options::default().check(), Ok(()));
        let all = Options {
            start: SECOND,
            end: Some(SECOND + Options::MIN_LENGTH),
            fade: Options::MAX_FADE,
            loudness: Some(Loudness::default()),
            track: Some(Track::Language("ger".to_owned())),
            ..Options::default()
        };
        assert_eq!(all.check(), Ok(()));
    }

    #[test]
    fn an_end_that_is_not_after_the_start_is_refused() {
        for end in [Duration::ZERO, SECOND, SECOND + Duration::from_micros(999)] {
            let options = Options {
                start: SECOND,
                end: Some(end),
                ..Options::default()
            };
            assert!(why_not(&options).contains("after the start"), "{end:?}");
        }
        let options = Options {
            start: Duration::MAX,
            end: Some(Duration::MAX),
            ..Options::default()
        };
        assert_eq!(options.check(), Ok(())); // nothing overflows, and there is no such video
    }

    #[test]
    fn fades_of_more_than_half_a_minute_are_refused() {
        let options = Options {
            fade: Options::MAX_FADE + Duration::from_nanos(1),
            ..Options::default()
        };
        assert!(why_not(&options).contains("30 seconds"));
    }

    #[test]
    fn levels_out_of_range_and_what_is_no_level_are_refused() {
        for (target_lufs, true_peak_dbtp) in [
            (-70.1, -1.5),
            (-4.9, -1.5),
            (f64::NAN, -1.5),
            (-16.0, 0.1),
            (-16.0, -9.1),
            (-16.0, f64::NAN),
            (f64::NEG_INFINITY, -1.5),
        ] {
            let options = Options {
                loudness: Some(Loudness {
                    target_lufs,
                    true_peak_dbtp,
                }),
                ..Options::default()
            };
            assert!(why_not(&options).contains("between"), "{options:?}");
        }
    }

    #[test]
    fn tracks_that_cannot_be_are_refused() {
        let language = |code: &str| Track::Language(code.to_owned());
        for track in [
            Track::Number(0),
            language(""),
            language("xx"),
            language("german"),
        ] {
            let options = Options {
                track: Some(track),
                ..Options::default()
            };
            assert!(why_not(&options).contains("from 1"), "{options:?}");
        }
    }
}
