use std::{fmt, time::Duration};

/// A time as people read it, to the millisecond: `1:02.5`, and hours where there are any.
pub(crate) struct Clock(pub(crate) Duration);

impl fmt::Display for Clock {
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

#[cfg(test)]
mod tests {
    use super::*;
    use decant_events::ConversionOptions;

    #[test]
    fn a_time_that_was_printed_can_be_asked_for() {
        for (millis, expected) in [
            (0, "0:00"),
            (62_500, "1:02.5"),
            (62_050, "1:02.05"),
            (3_602_005, "1:00:02.005"),
        ] {
            let time = Duration::from_millis(millis);
            assert_eq!(Clock(time).to_string(), expected);
            let mut asked = ConversionOptions::default();
            asked.set("start", expected).expect("it is a time");
            assert_eq!(asked.start, time);
        }
    }
}
