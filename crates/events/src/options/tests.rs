use super::*;
use proptest::prelude::*;

fn of(fields: &[(&str, &str)]) -> Result<ConversionOptions, InvalidOption> {
    let mut options = ConversionOptions::default();
    for (name, text) in fields {
        options.set(name, text)?;
    }
    options.check().map(|()| options)
}

fn json(options: &ConversionOptions) -> String {
    serde_json::to_string(options).expect("options are JSON")
}

#[test]
fn every_option_is_taken_as_people_write_it() {
    let options = of(&[
        ("quality", " V0 "),
        ("mono", "on"),
        ("sample_rate", "44100"),
        ("start", "1:02:03.5"),
        ("end", "4000"),
        ("fade", "0.25"),
        ("loudness", "on"),
        ("track", "DEU"),
        ("title", "Größe 🎬"),
        ("artist", "Zoë"),
        ("album", "Ü"),
        ("year", "2026"),
        ("comment", "one\r\ntwo"),
    ]);
    let options = options.expect("all are right");
    assert_eq!(
        json(&options),
        r#"{"quality":"v0","mono":true,"sample_rate":44100,"start":3723.5,"end":4000,"fade":0.25,"#
            .to_owned()
            + r#""loudness":-16.0,"track":"deu","title":"Größe 🎬","artist":"Zoë","album":"Ü","#
            + r#""year":"2026","comment":"one\ntwo"}"#
    );
}

#[test]
fn nothing_asked_for_is_an_empty_object() {
    let empty: Vec<_> = ConversionOptions::NAMES.map(|name| (name, " ")).into();
    assert_eq!(of(&empty), Ok(ConversionOptions::default()));
    assert_eq!(json(&ConversionOptions::default()), "{}");
    let off = of(&[("mono", "off"), ("start", "0"), ("loudness", "off")]);
    assert!(off.expect("all are right").is_default());
}

#[test]
fn a_time_is_seconds_or_has_colons() {
    for (text, seconds) in [
        ("0", 0.0),
        ("90.5", 90.5),
        ("1:30", 90.0),
        ("01:02:03.5", 3723.5),
        ("0:00.001", 0.001),
        ("99:59:59.999", 359_999.999),
        ("300:00", 18_000.0),
        ("360000", 360_000.0),
    ] {
        let options = of(&[("end", text)]);
        match options {
            Ok(options) => assert_eq!(options.end, Some(Duration::from_secs_f64(seconds))),
            Err(_) => assert_eq!(seconds, 0.0, "{text}"),
        }
    }
    for text in [
        "-1",
        "+1",
        "1e3",
        "inf",
        "NaN",
        ".",
        ".5",
        "1:",
        ":30",
        "1:60",
        "1:2:3:4",
        "1:60:00",
        "1:-5",
        "1.5:00",
        "1,5",
        "360001",
        "101:00:00",
        "99999999999999999999",
        "1:00:99999999999",
        "0x10",
        "5s",
        "1 2",
    ] {
        let refused = of(&[("start", text)]).expect_err(text);
        let says = refused.to_string();
        assert!(says.starts_with("The option `start` is `"), "{says}");
        assert!(says.contains("1:02:03.5"), "{says}");
    }
}

#[test]
fn a_wrong_value_is_named_with_what_there_is() {
    for (name, text, says) in [
        (
            "quality",
            "v9",
            "The option `quality` is `v9`. Expected one of v0, v2, v4, v6, 128k, 160k, 192k, 224k, 256k, 320k.",
        ),
        (
            "mono",
            "2",
            "The option `mono` is `2`. Expected true or false.",
        ),
        (
            "sample_rate",
            "44.1",
            "one of 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000 (Hz).",
        ),
        (
            "fade",
            "31",
            "The option `fade` is `31`. Expected seconds from 0 to 30.",
        ),
        ("fade", "-1", "from 0 to 30"),
        ("loudness", "-4", "from -70 to -5 (LUFS)"),
        ("loudness", "-70.1", "from -70 to -5 (LUFS)"),
        ("loudness", "1", "`on` for -16"),
        (
            "track",
            "0",
            "The option `track` is `0`. Expected a number from 1, or a language",
        ),
        ("track", "german", "two or three letters of ISO 639"),
        ("track", "xx", "two or three letters of ISO 639"),
        ("track", "-1", "a number from 1"),
        ("track", "99999999999", "a number from 1"),
        ("year", "26", "four digits such as 2026"),
        (
            "title",
            "a\nb",
            r"The option `title` is `a\nb`. Expected one line of text.",
        ),
        ("comment", "a\0b", "text without control characters"),
        (
            "qualty",
            "v2",
            "There is no option `qualty`. There are quality, mono, sample_rate, start, end, fade, loudness, track, \
             title, artist, album, year, comment; the video is sent as `file`, its cover as `cover`.",
        ),
        ("", "", "There is no option ``."),
    ] {
        let said = of(&[(name, text)]).expect_err(name).to_string();
        assert!(said.contains(says), "{said}");
    }
    let long = of(&[("album", &"ü".repeat(501))]).expect_err("too long");
    assert_eq!(
        long.to_string(),
        "The option `album` is 501 characters long. Expected at most 500."
    );
    assert!(of(&[("album", &"ü".repeat(500))]).is_ok());
    let shown = of(&[("year", &"\u{202e}9".repeat(500))]).expect_err("no year");
    assert!(shown.to_string().len() < 1_000 && !shown.to_string().contains('\u{202e}'));
}

#[test]
fn an_end_comes_after_its_start() {
    for end in ["10", "9.999999999", "0", "10.0005"] {
        let refused = of(&[("end", end), ("start", "10")]).expect_err(end);
        assert!(refused.to_string().contains("later than `start`, 10 s"));
    }
    assert!(of(&[("start", "10"), ("end", "10.001")]).is_ok());
    let refused = serde_json::from_str::<ConversionOptions>(r#"{"start":2,"end":1}"#);
    assert!(refused.is_err());
}

#[test]
fn a_reader_passes_over_names_that_it_does_not_know() {
    let options: ConversionOptions =
        serde_json::from_str(r#"{"later":{"a":[1]},"quality":"v4","fade":null,"start":1e3}"#)
            .expect("only an unknown name");
    assert_eq!(json(&options), r#"{"quality":"v4","start":1000}"#);
    for wrong in [
        r#"{"quality":"v9"}"#,
        r#"{"title":["a"]}"#,
        r#"{"fade":-1}"#,
    ] {
        assert!(serde_json::from_str::<ConversionOptions>(wrong).is_err());
    }
}

/// Texts among which right ones are frequent.
fn field() -> impl Strategy<Value = (&'static str, String)> {
    let name = proptest::sample::select(&ConversionOptions::NAMES[..]);
    let quality = proptest::sample::select(&ConversionOptions::QUALITIES[..]);
    let rate = proptest::sample::select(&ConversionOptions::SAMPLE_RATES[..]);
    let text = prop_oneof![
        quality.prop_map(str::to_owned),
        rate.prop_map(|hz| hz.to_string()),
        (0.0..360_001.0).prop_map(|seconds: f64| seconds.to_string()),
        (0_u32..100, 0_u32..60, 0.0..60.0)
            .prop_map(|(h, min, s): (u32, u32, f64)| format!("{h}:{min}:{s}")),
        (-71.0..-4.0).prop_map(|lufs: f64| lufs.to_string()),
        "[a-zA-Z]{1,4}",
        "[0-9]{1,4}",
        "\\PC{0,40}",
    ];
    (name, text)
}

proptest! {
    #[test]
    fn options_survive_their_json(fields in proptest::collection::vec(field(), 0..20)) {
        let mut options = ConversionOptions::default();
        for (name, text) in fields {
            let _ = options.set(name, &text);
        }
        if options.check().is_err() {
            options.end = None;
        }
        let written = json(&options);
        let read: ConversionOptions = serde_json::from_str(&written).expect("it was written so");
        prop_assert_eq!(&read, &options);
        prop_assert_eq!(json(&read), written);
    }
}
