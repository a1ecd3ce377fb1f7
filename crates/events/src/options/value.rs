//! Values as people write them: in a form, in a query, on a command line, in JSON. `table.json` beside this has examples.

use super::{ConversionOptions, InvalidOption, Track, language};
use std::time::Duration;

/// The latest `start` and `end`: more sound than anybody converts at once.
const LATEST: (Duration, &str) = (Duration::from_secs(100 * 3600), "100 hours");

const LONGEST_FADE: (Duration, &str) = (Duration::from_secs(30), "30 seconds");

/// The usual target of podcasts and phones.
const USUAL_LUFS: f64 = -16.0;

const LONGEST_LINE_CHARS: usize = 500;
const LONGEST_COMMENT_CHARS: usize = 2_000;

pub(super) fn quality(text: &str) -> Result<&'static str, InvalidOption> {
    let known = ConversionOptions::QUALITIES.into_iter();
    let mut found = known.filter(|name| name.eq_ignore_ascii_case(text));
    found.next().ok_or_else(|| {
        let all = ConversionOptions::QUALITIES.join(", ");
        InvalidOption::value("quality", text, format!("one of {all}"))
    })
}

pub(super) fn mono(text: &str) -> Result<bool, InvalidOption> {
    switch(text).ok_or_else(|| InvalidOption::value("mono", text, "true or false"))
}

pub(super) fn sample_rate(text: &str) -> Result<u32, InvalidOption> {
    let rates = ConversionOptions::SAMPLE_RATES;
    let rate = number(text).filter(|hz| rates.map(f64::from).contains(hz));
    rate.map(|hz| hz as u32).ok_or_else(|| {
        let all = rates.map(|hz| hz.to_string()).join(", ");
        InvalidOption::value("sample_rate", text, format!("one of {all} (Hz)"))
    })
}

/// `start` or `end`.
pub(super) fn time(name: &str, text: &str) -> Result<Duration, InvalidOption> {
    up_to(LATEST, name, text)
}

pub(super) fn fade(text: &str) -> Result<Duration, InvalidOption> {
    up_to(LONGEST_FADE, "fade", text)
}

/// Seconds, or `1:02:03.5`.
fn up_to(most: (Duration, &str), name: &str, text: &str) -> Result<Duration, InvalidOption> {
    let (most, words) = most;
    let time = clock(text).filter(|time| *time <= most);
    time.ok_or_else(|| {
        let expected =
            format!("seconds such as 2.5, or a time such as 0:02.5 or 0:00:02.5, up to {words}");
        InvalidOption::value(name, text, expected)
    })
}

pub(super) fn loudness(text: &str) -> Result<Option<f64>, InvalidOption> {
    if let Some(on) = word(text) {
        return Ok(on.then_some(USUAL_LUFS));
    }
    let lufs = number(text).map(|lufs| (lufs * 100.0).round() / 100.0);
    let lufs = lufs.filter(|lufs| (-70.0..=-5.0).contains(lufs));
    lufs.map(Some).ok_or_else(|| {
        let expected = "a loudness from -70 to -5 (LUFS), `on` for -16, or `off`";
        InvalidOption::value("loudness", text, expected)
    })
}

pub(super) fn track(text: &str) -> Result<Track, InvalidOption> {
    let code = text.to_ascii_lowercase();
    if language::is_code(&code) {
        return Ok(Track::Language(code));
    }
    let number = whole(text).filter(|number| *number > 0).map(Track::Number);
    number.ok_or_else(|| {
        let expected =
            "a number from 1, or a language by the two or three letters of ISO 639, such as en or deu";
        InvalidOption::value("track", text, expected)
    })
}

pub(super) fn year(text: &str) -> Result<String, InvalidOption> {
    if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(InvalidOption::value(
        "year",
        text,
        "four digits such as 2026",
    ))
}

/// Text of one line.
pub(super) fn line(name: &str, text: &str) -> Result<String, InvalidOption> {
    if text.chars().any(char::is_control) {
        return Err(InvalidOption::value(name, text, "one line of text"));
    }
    no_longer(LONGEST_LINE_CHARS, name, text)
}

/// Text of several lines.
pub(super) fn comment(text: &str) -> Result<String, InvalidOption> {
    let text = text.replace("\r\n", "\n");
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(is_control) {
        let expected = "text without control characters";
        return Err(InvalidOption::value("comment", &text, expected));
    }
    no_longer(LONGEST_COMMENT_CHARS, "comment", &text)
}

fn no_longer(longest_chars: usize, name: &str, text: &str) -> Result<String, InvalidOption> {
    match text.chars().count() {
        chars if chars <= longest_chars => Ok(text.to_owned()),
        chars => Err(InvalidOption::Value {
            name: name.to_owned(),
            got: format!("{chars} characters long"),
            expected: format!("at most {longest_chars}"),
        }),
    }
}

fn switch(text: &str) -> Option<bool> {
    word(text).or(match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    })
}

fn word(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

fn clock(text: &str) -> Option<Duration> {
    let mut parts = text.rsplit(':');
    let mut total = decimal(parts.next()?)?;
    let mut unit = Duration::from_secs(1);
    for part in parts {
        // What stands after a colon is less than one of what stands before it. Days aren't written so.
        let is_more = total >= unit * 60 || unit >= Duration::from_secs(3600);
        unit *= 60;
        total += unit * whole(part).filter(|_| !is_more)?;
    }
    Some(total)
}

/// Digits alone: no sign, no exponent.
fn whole(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Seconds with or without a fraction.
fn decimal(text: &str) -> Option<Duration> {
    let seconds = number(text).filter(|_| !text.starts_with('-'))?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// A number with or without a sign and a fraction: digits on both sides of the point, no exponent, no infinity.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let are_digits = [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse().ok().filter(|_| are_digits)
}
