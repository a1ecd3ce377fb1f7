use crate::failure::Failure;
use decant_events::ConversionOptions;

/// How the MP3 should be: what the door takes with an upload, by the same names and in the same words.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How the MP3 should be")]
pub(crate) struct Wishes {
    /// v0, v2, v4 or v6 (variable bitrate), 128k, 160k, 192k, 224k, 256k or 320k (constant). By default v2, or what an MP3 track has that is copied
    #[arg(long)]
    quality: Option<String>,
    /// Mix all channels into one
    #[arg(long, value_name = "on|off", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    mono: Option<String>,
    /// One of 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000; by default the source's, or the next higher one
    #[arg(long, value_name = "HZ")]
    sample_rate: Option<String>,
    /// Leave out the sound before this: seconds such as 62.5, or 1:02.5, or 1:00:02.5
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Leave out the sound from here on
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// Fade in and out for so long, up to 30 seconds
    #[arg(long, value_name = "TIME")]
    fade: Option<String>,
    /// Bring the sound to this loudness (EBU R128), -70 to -5 LUFS; on, or no value, for -16; or off. Takes a second pass, for which a pipe is kept in a temporary file
    #[arg(long, value_name = "LUFS", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    loudness: Option<String>,
    /// Which sound track of several: its number, or a language such as de or deu; by default the one that players choose
    #[arg(long, value_name = "NUMBER|LANGUAGE")]
    track: Option<String>,
    /// Instead of the file's own; without either, its name
    #[arg(long)]
    title: Option<String>,
    /// Instead of the file's own
    #[arg(long)]
    artist: Option<String>,
    /// Instead of the file's own
    #[arg(long)]
    album: Option<String>,
    /// Instead of the file's own: four digits
    #[arg(long)]
    year: Option<String>,
    /// Instead of the file's own; may have several lines
    #[arg(long)]
    comment: Option<String>,
}

impl Wishes {
    /// The flags that were given, by the names that the door has for them.
    pub(crate) fn given(&self) -> Vec<(&'static str, &str)> {
        let flags = [
            ("quality", &self.quality),
            ("mono", &self.mono),
            ("sample_rate", &self.sample_rate),
            ("start", &self.start),
            ("end", &self.end),
            ("fade", &self.fade),
            ("loudness", &self.loudness),
            ("track", &self.track),
            ("title", &self.title),
            ("artist", &self.artist),
            ("album", &self.album),
            ("year", &self.year),
            ("comment", &self.comment),
        ];
        flags
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
            .collect()
    }

    /// What they ask for, or why that can't be.
    pub(crate) fn asked(&self) -> Result<ConversionOptions, Failure> {
        let mut asked = ConversionOptions::default();
        let set = |asked: &mut ConversionOptions| {
            for (name, text) in self.given() {
                asked.set(name, text)?;
            }
            asked.check()
        };
        set(&mut asked)
            .map(|()| asked)
            .map_err(|invalid| Failure::usage(invalid.to_string()))
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::{Value, json};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        wishes: Wishes,
    }

    fn asked(flags: &[&str]) -> Result<Value, String> {
        let line = Line::try_parse_from([&["convert"][..], flags].concat());
        let line = line.map_err(|error| error.to_string())?;
        let asked = line.wishes.asked().map_err(|failure| failure.to_string())?;
        serde_json::to_value(asked).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_takes_and_refuses_what_the_door_does_in_the_same_words() {
        let table = include_str!("../../crates/events/src/options/table.json");
        let table: Value = serde_json::from_str(table).expect("JSON");
        for (name, row) in table.as_object().expect("a row an option") {
            let flag = |text: &str| format!("--{}={text}", name.replace('_', "-"));
            for (text, value) in row["taken"].as_object().expect("texts") {
                let expected = match value {
                    Value::Null => json!({}),
                    value => json!({ name: value }),
                };
                assert_eq!(asked(&[&flag(text)]), Ok(expected), "{name}: {text:?}");
            }
            for text in row["refused"].as_array().expect("texts") {
                let text = text.as_str().expect("a text");
                let mut options = ConversionOptions::default();
                let at_the_door = options.set(name, text).and_then(|()| options.check());
                let refused = at_the_door.expect_err(text).to_string();
                assert_eq!(asked(&[&flag(text)]), Err(refused), "{name}: {text:?}");
            }
        }
    }

    #[test]
    fn a_switch_needs_no_value() {
        let expected = json!({"mono": true, "loudness": -16.0});
        assert_eq!(asked(&["--mono", "--loudness"]), Ok(expected));
    }
}
