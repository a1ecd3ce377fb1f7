//! Options as people write them, on a command line say.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Cover, CoverFormat, Loudness, NotAnOption, SampleRate, Tags, Track};

/// A point in a sound, or how long a part of it is: `62.5`, `1:02.5`, `1:00:02.5`. Exact to the nanosecond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = NotAnOption;

    fn from_str(text: &str) -> Result<Self, NotAnOption> {
        time(text).map(Self).ok_or(NotAnOption(
            "a time is written as seconds, 62.5, or as 1:02.5 or 1:00:02.5",
        ))
    }
}

fn time(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = whole.split(':');
    let mut seconds = number(parts.next()?)?;
    let mut units = 1;
    for part in parts {
        units += 1;
        let part = Some(part).filter(|part| part.len() == 2);
        let part = number(part?).filter(|part| *part < 60)?;
        seconds = seconds.checked_mul(60)?.checked_add(part)?;
    }
    let nanos = number(&format!("{fraction:0<9}"))
        .filter(|_| fraction.len() <= 9 && !fraction.is_empty())?;
    (units <= 3).then(|| Duration::new(u64::from(seconds), nanos))
}

/// In digits alone: Rust would take a sign as well.
fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok())?
}

impl fmt::Display for Time {
    /// `1:02.5`, and hours where there are any: what can be parsed again, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match hours {
            0 => write!(f, "{minutes}:{seconds:02}")?,
            _ => write!(f, "{hours}:{minutes:02}:{seconds:02}")?,
        }
        match self.0.subsec_millis() {
            0 => Ok(()),
            millis => f.write_str(format!(".{millis:03}").trim_end_matches('0')),
        }
    }
}

impl FromStr for Track {
    type Err = NotAnOption;

    fn from_str(text: &str) -> Result<Self, NotAnOption> {
        let is_language =
            matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_language {
            return Ok(Self::Language(text.to_ascii_lowercase()));
        }
        match number(text) {
            Some(track) if track > 0 => Ok(Self::Number(track)),
            _ => Err(NotAnOption(
                "a track is a number from 1, or a language of two or three letters such as de or deu",
            )),
        }
    }
}

impl FromStr for Loudness {
    type Err = NotAnOption;

    /// The target in LUFS. The true peak stays the usual one.
    fn from_str(text: &str) -> Result<Self, NotAnOption> {
        match text.parse() {
            Ok(target_lufs) if (-70.0..=-5.0).contains(&target_lufs) => Ok(Self {
                target_lufs,
                ..Self::default()
            }),
            _ => Err(NotAnOption("a loudness is from -70 to -5 (LUFS)")),
        }
    }
}

impl FromStr for SampleRate {
    type Err = NotAnOption;

    fn from_str(text: &str) -> Result<Self, NotAnOption> {
        number(text).unwrap_or_default().try_into()
    }
}

impl Tags {
    /// A year for [`Tags::year`].
    ///
    /// # Errors
    /// Where it isn't four digits.
    pub fn parse_year(text: &str) -> Result<String, NotAnOption> {
        match number(text) {
            Some(_) if text.len() == 4 => Ok(text.to_owned()),
            _ => Err(NotAnOption("a year has four digits")),
        }
    }

    /// The year that a date begins with.
    pub(crate) fn year_of(date: &str) -> Option<String> {
        let year = date.trim().get(..4)?;
        Self::parse_year(year).ok()
    }
}

impl TryFrom<Vec<u8>> for Cover {
    type Error = NotAnOption;

    /// The kind is told by the first bytes.
    fn try_from(bytes: Vec<u8>) -> Result<Self, NotAnOption> {
        let format = match bytes.as_slice() {
            [0xFF, 0xD8, 0xFF, ..] => CoverFormat::Jpeg,
            [0x89, b'P', b'N', b'G', ..] => CoverFormat::Png,
            _ => return Err(NotAnOption("a cover is a JPEG or PNG file")),
        };
        if bytes.len() > Self::MAX_BYTES {
            return Err(NotAnOption("a cover has at most 192 KiB"));
        }
        Ok(Self { format, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(text: &str) -> Option<u128> {
        let time: Result<Time, _> = text.parse();
        time.ok().map(|Time(time)| time.as_millis())
    }

    #[test]
    fn times_are_written_in_three_ways() {
        for (text, expected) in [
            ("0", 0),
            ("62.5", 62_500),
            ("1:02.5", 62_500),
            ("1:00:02.5", 3_602_500),
            ("90:00", 5_400_000),
            ("100:00:00", 360_000_000),
            ("0.001", 1),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
        let Ok(Time(exact)) = "0.000000001".parse() else {
            panic!("a nanosecond is a time");
        };
        assert_eq!(exact, Duration::from_nanos(1));
    }

    #[test]
    fn whatever_else_is_no_time() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1:2",
            "1:60",
            "1:60:00",
            "1:1:00",
            "1:00:00:00",
            "1e3",
            "1s",
            "1,5",
            "0.0000000001",
            "99999999999",
            "99999999:00:00",
            ":30",
            "1:",
            "1:0²",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_was_written_can_be_read() {
        for (millis, expected) in [
            (0, "0:00"),
            (62_500, "1:02.5"),
            (62_050, "1:02.05"),
            (3_602_005, "1:00:02.005"),
        ] {
            let time = Time(Duration::from_millis(millis));
            assert_eq!(time.to_string(), expected);
            assert_eq!(expected.parse(), Ok(time));
        }
    }

    #[test]
    fn tracks_are_numbers_or_languages() {
        assert_eq!("2".parse(), Ok(Track::Number(2)));
        assert_eq!("DEU".parse(), Ok(Track::Language("deu".into())));
        assert_eq!("de".parse(), Ok(Track::Language("de".into())));
        for text in ["", "0", "-1", "d", "deut", "d1", "dé"] {
            assert!(text.parse::<Track>().is_err(), "{text}");
        }
    }

    #[test]
    fn loudness_has_bounds() {
        let expected = Loudness {
            target_lufs: -23.5,
            true_peak_dbtp: -1.5,
        };
        assert_eq!("-23.5".parse(), Ok(expected));
        for text in ["", "0", "-4.9", "-70.1", "16", "nan", "-inf", "loud"] {
            assert!(text.parse::<Loudness>().is_err(), "{text}");
        }
    }

    #[test]
    fn covers_are_known_by_their_first_bytes_and_not_too_large() {
        let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0][..], &[0; 100]].concat();
        let cover = Cover::try_from(jpeg.clone()).expect("a cover");
        assert_eq!((cover.format, cover.bytes.len()), (CoverFormat::Jpeg, 104));
        let mut large = jpeg;
        large.resize(Cover::MAX_BYTES, 0);
        assert!(Cover::try_from(large.clone()).is_ok());
        large.push(0);
        assert!(Cover::try_from(large).is_err());
        assert!(Cover::try_from(b"GIF89a".to_vec()).is_err());
        assert!(Cover::try_from(vec![]).is_err());
    }

    #[test]
    fn years_and_sample_rates_are_what_there_is() {
        assert_eq!(Tags::parse_year("1999"), Ok("1999".to_owned()));
        for text in ["99", "+999", "19999", "year"] {
            assert!(Tags::parse_year(text).is_err(), "{text}");
        }
        assert_eq!(Tags::year_of("1999-12-31"), Some("1999".to_owned()));
        assert_eq!(Tags::year_of("the Übermorgen"), None);
        assert_eq!("44100".parse().map(SampleRate::hz), Ok(44_100));
        assert!("44.1k".parse::<SampleRate>().is_err());
    }
}
