//! ISO-8601 durations, as far as a manifest needs them: `PT0.2S`, `PT10M`, `P1DT2H`.

use std::time::Duration;

/// Parses days, hours, minutes and seconds. Years, months and weeks have no fixed length here and are `None`, as is
/// everything else that is not a duration.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (days, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (text.strip_prefix('P')?, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let days = sum(days, &[('D', 86_400.0)])?;
    let time = sum(time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?;
    Duration::try_from_secs_f64(days + time).ok()
}

/// Adds up numbers with their unit; the units come in this order, each at most once.
fn sum(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut seconds = 0.0;
    for (unit, factor) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
            seconds += number.parse::<f64>().ok().filter(|_| plain)? * factor;
            text = rest;
        }
    }
    text.is_empty().then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_knative_reads_them() {
        let read = [
            ("PT0.2S", 200),
            ("PT10M", 600_000),
            ("PT1H1M1S", 3_661_000),
            ("P1DT1H", 90_000_000),
        ];
        for (text, millis) in read {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "", "P", "PT", "10s", "PT10", "PT1S1M", "P1M", "P1W", "PT-1S", "PTinfS",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
