use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn of(fields: &[(&str, &str)]) -> Result<ConversionOptions, InvalidOption> {
    let mut options = ConversionOptions::default();
    for (name, text) in fields {
        options.set(name, text)?;
    }
    options.check().map(|()| options)
}

fn text_of(options: &ConversionOptions) -> String {
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
        text_of(&options),
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
    assert_eq!(text_of(&ConversionOptions::default()), "{}");
    let off = of(&[("mono", "off"), ("start", "0"), ("loudness", "off")]);
    assert!(off.expect("all are right").is_default());
}

/// What is taken and refused of each option. The door's and the command line's tests have it too.
#[derive(Deserialize)]
struct Row {
    /// And what it is in JSON; `null` if it asks for nothing.
    taken: BTreeMap<String, Value>,
    refused: Vec<String>,
}

fn table() -> BTreeMap<String, Row> {
    serde_json::from_str(include_str!("table.json")).expect("the table is in shape")
}

#[test]
fn the_table_has_every_option() {
    let table = table();
    let mut names = ConversionOptions::NAMES;
    names.sort_unstable();
    assert!(table.keys().eq(names.iter()));
}

#[test]
fn what_people_write_is_taken_and_is_the_same_in_json() {
    for (name, row) in table() {
        for (text, value) in row.taken {
            let options = of(&[(&name, &text)]).expect(&text);
            let expected = match value {
                Value::Null => json!({}),
                value => json!({ &name: value }),
            };
            assert_eq!(serde_json::to_value(&options).expect("JSON"), expected);
            for given in [expected, json!({ &name: text })] {
                let read: ConversionOptions = serde_json::from_value(given).expect(&text);
                assert_eq!(read, options, "{name}: {text:?}");
            }
        }
    }
}

#[test]
fn what_is_refused_names_its_option_in_json_too() {
    for (name, row) in table() {
        for text in row.refused {
            let refused = of(&[(&name, &text)]).expect_err(&text).to_string();
            assert!(
                refused.starts_with(&format!("The option `{name}` is ")),
                "{refused}"
            );
            assert!(refused.contains("Expected "), "{refused}");
            let given = json!({ &name: text });
            let in_json = serde_json::from_value::<ConversionOptions>(given).expect_err(&text);
            assert_eq!(in_json.to_string(), refused);
        }
    }
}

#[test]
fn times_are_exact_to_the_nanosecond() {
    for (text, time) in [
        ("0.000000001", Duration::from_nanos(1)),
        ("99:59:59.999999999", Duration::new(359_999, 999_999_999)),
        ("359999.999999999", Duration::new(359_999, 999_999_999)),
    ] {
        assert_eq!(of(&[("start", text)]).expect(text).start, time);
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
            "The option `fade` is `31`. Expected seconds such as 2.5, or a time such as 0:02.5 or 0:00:02.5, up to 30 \
             seconds.",
        ),
        ("end", "1:60", "up to 100 hours."),
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
    assert_eq!(text_of(&options), r#"{"quality":"v4","start":1000}"#);
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
        let written = text_of(&options);
        let read: ConversionOptions = serde_json::from_str(&written).expect("it was written so");
        prop_assert_eq!(&read, &options);
        prop_assert_eq!(text_of(&read), written);
    }
}
