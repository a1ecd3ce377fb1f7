use crate::failure::Failure;
use clap::builder::{PathBufValueParser, TypedValueParser};
use decant_audio::{Cover, Loudness, Options, Quality, SampleRate, Tags, Time, Track};
use std::{fs, num::NonZeroUsize, path::PathBuf};

/// How the MP3 should be.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How the MP3 should be")]
pub(crate) struct Wishes {
    /// v0, v2, v4 or v6 (variable bitrate), 128k, 160k, 192k, 224k, 256k or 320k (constant)
    #[arg(long, default_value_t)]
    quality: Quality,
    /// Mix all channels into one
    #[arg(long)]
    mono: bool,
    /// One of 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000; by default the source's, or the next higher one
    #[arg(long, value_name = "HZ")]
    sample_rate: Option<SampleRate>,
    /// Leave out the sound before this: seconds such as 62.5, or 1:02.5, or 1:00:02.5
    #[arg(long, value_name = "TIME")]
    start: Option<Time>,
    /// Leave out the sound from here on
    #[arg(long, value_name = "TIME")]
    end: Option<Time>,
    /// Fade in and out for so long
    #[arg(long, value_name = "TIME")]
    fade: Option<Time>,
    /// Bring the sound to this loudness (EBU R128), -70 to -5 LUFS; -16 without a number. Takes a second pass, for which a pipe is kept in a temporary file
    #[arg(long, value_name = "LUFS", num_args = 0..=1, require_equals = true, default_missing_value = "-16")]
    loudness: Option<Loudness>,
    /// Which sound track of several: its number, or a language such as de or deu; by default the one that players choose
    #[arg(long, value_name = "NUMBER|LANGUAGE")]
    track: Option<Track>,
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
    #[arg(long, value_parser = Tags::parse_year)]
    year: Option<String>,
    /// Instead of the file's own
    #[arg(long)]
    comment: Option<String>,
    /// Instead of the file's own: a JPEG or PNG file of at most 192 KiB
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(cover))]
    cover: Option<Cover>,
    /// How many threads encode; by default as many as there are cores. The MP3 is the same for any number
    #[arg(long, value_name = "NUMBER")]
    encoders: Option<NonZeroUsize>,
}

impl Wishes {
    /// `title` is for a file that has none.
    pub(crate) fn options(self, title: Option<String>) -> Result<Options, Failure> {
        let time = |time: Option<Time>| time.map(|Time(time)| time);
        let options = Options {
            quality: self.quality,
            mono: self.mono,
            sample_rate: self.sample_rate,
            start: time(self.start).unwrap_or_default(),
            end: time(self.end),
            fade: time(self.fade).unwrap_or_default(),
            loudness: self.loudness,
            track: self.track,
            title,
            tags: Tags {
                title: self.title,
                artist: self.artist,
                album: self.album,
                year: self.year,
                comment: self.comment,
                cover: self.cover,
            },
            encoders: self.encoders,
        };
        let checked = options.check();
        checked.map_err(|cannot| Failure::usage(cannot.to_string()))?;
        Ok(options)
    }
}

fn cover(path: PathBuf) -> Result<Cover, String> {
    let bytes = fs::read(&path).map_err(|error| error.to_string())?;
    Cover::try_from(bytes).map_err(|error| error.to_string())
}
