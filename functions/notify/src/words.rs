//! Numbers and names as people read them.

use chrono::{DateTime, Utc};

/// A name that somebody made up, on one line and not longer than `longest` characters: line breaks and other control
/// characters become spaces, and what would turn the text's direction around goes.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = text
        .chars()
        .filter(|c| !turns(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= longest {
        return line;
    }
    let start: String = line.chars().take(longest - 1).collect();
    format!("{}…", start.trim_end())
}

/// `42 s`, `9 min 56 s`, `1 h 3 min`.
pub(crate) fn length(duration_ms: u64) -> String {
    let seconds = (duration_ms + 500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// `812 bytes`, `412 kB`, `8.9 MB`, `1.2 GB`: thousands, as file managers and shops count.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => tenths(bytes / 100_000, "MB"),
        _ => tenths(bytes / 100_000_000, "GB"),
    }
}

fn tenths(count: u64, unit: &str) -> String {
    format!("{}.{} {unit}", count / 10, count % 10)
}

/// `Friday, 28 November 2025, 14:05 UTC`.
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    time.format("%A, %-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_name_becomes_one_short_line() {
        assert_eq!(
            one_line("Grüße\r\nBcc: x@y\t\u{0}👋", 120),
            "Grüße Bcc: x@y 👋"
        );
        assert_eq!(one_line("fdp.\u{202e}4pm", 120), "fdp.4pm");
        assert_eq!(one_line(&"ä".repeat(500), 5), "ääää…");
        assert_eq!(one_line(" \r\n ", 5), "");
    }

    #[test]
    fn lengths_read_like_clocks() {
        assert_eq!(length(0), "0 s");
        assert_eq!(length(41_600), "42 s");
        assert_eq!(length(596_000), "9 min 56 s");
        assert_eq!(length(3_780_000), "1 h 3 min");
    }

    #[test]
    fn sizes_have_two_digits_or_so() {
        assert_eq!(size(812), "812 bytes");
        assert_eq!(size(412_999), "412 kB");
        assert_eq!(size(8_951_000), "8.9 MB");
        assert_eq!(size(12_000_000_000), "12.0 GB");
    }

    #[test]
    fn a_moment_names_day_and_zone() {
        let time = DateTime::from_timestamp(1_764_338_700, 0).expect("a time");
        assert_eq!(moment(time), "Friday, 28 November 2025, 14:05 UTC");
    }
}
