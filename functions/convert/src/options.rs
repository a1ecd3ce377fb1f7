use decant_audio::{Cover, Loudness, Options, Quality, SampleRate, Tags, Track};
use decant_events::{ConversionOptions, Problem, Track as Asked, code};
use decant_store::Job;

/// What people ask for, as the engine takes it. What isn't asked for is left to the engine.
///
/// `title` is for a video that has none, and `cover` the one that came with it. The `decant` command asks the engine by this
/// too, so that a file becomes the same MP3 as an upload.
pub fn engine_options(
    asked: &ConversionOptions,
    title: Option<String>,
    cover: Option<Cover>,
) -> Options {
    Options {
        quality: asked.quality.and_then(quality),
        mono: asked.mono,
        sample_rate: asked
            .sample_rate
            .and_then(|hz| SampleRate::try_from(hz).ok()),
        start: asked.start,
        end: asked.end,
        fade: asked.fade,
        loudness: asked.loudness.map(loudness),
        track: asked.track.as_ref().map(track),
        title,
        tags: Tags {
            title: asked.title.clone(),
            artist: asked.artist.clone(),
            album: asked.album.clone(),
            year: asked.year.clone(),
            comment: asked.comment.clone(),
            cover,
        },
        encoders: None,
    }
}

/// What a job's record asks for, with the cover that came with its video. The record alone decides, never an event.
pub(crate) fn of(job: &Job, cover: Option<Vec<u8>>) -> Result<Options, Problem> {
    let Ok(asked) = &job.options else {
        return Err(Problem::new(
            code::NOT_AN_OPTION,
            "What was asked for with this video was written by another version of this service, and this one can't read \
             it. Please choose other options, or none, and try again.",
        ));
    };
    // The door takes nothing but covers.
    let cover = cover.and_then(|bytes| Cover::try_from(bytes).ok());
    Ok(engine_options(asked, Some(job.title().to_owned()), cover))
}

/// The contract has the engine's names: a test compares them.
fn quality(name: &str) -> Option<Quality> {
    let mut all = Quality::ALL.into_iter();
    all.find(|quality| quality.name() == name)
}

fn loudness(target_lufs: f64) -> Loudness {
    Loudness {
        target_lufs,
        ..Loudness::default()
    }
}

fn track(asked: &Asked) -> Track {
    match asked {
        Asked::Number(number) => Track::Number(*number),
        Asked::Language(code) => Track::Language(code.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_and_the_engine_have_the_same_names_and_bounds() {
        let names = Quality::ALL.map(Quality::name);
        assert_eq!(ConversionOptions::QUALITIES, names);
        assert_eq!(ConversionOptions::SAMPLE_RATES, SampleRate::ALL_HZ);
        assert_eq!(ConversionOptions::LEAST_LENGTH, Options::MIN_LENGTH);
        assert_eq!(ConversionOptions::LARGEST_COVER_BYTES, Cover::MAX_BYTES);
        let mut asked = ConversionOptions::default();
        asked.set("loudness", "on").expect("there is a usual one");
        assert_eq!(asked.loudness, Some(Loudness::default().target_lufs));
    }

    #[test]
    fn a_quality_is_a_wish_only_by_its_name() {
        let mut asked = ConversionOptions::default();
        assert_eq!(engine_options(&asked, None, None).quality, None);
        for quality in Quality::ALL {
            asked.set("quality", quality.name()).expect("there is one");
            let options = engine_options(&asked, None, None);
            assert_eq!(options.quality, Some(quality));
        }
    }

    #[test]
    fn the_engine_takes_whatever_the_contract_takes() {
        for (name, text) in [
            ("fade", "30"),
            ("end", "0.001"),
            ("loudness", "-70"),
            ("loudness", "-5"),
            ("track", "1"),
            ("track", "zzz"),
        ] {
            let mut asked = ConversionOptions::default();
            asked.set(name, text).expect("is right");
            let options = engine_options(&asked, None, None);
            assert_eq!(options.check(), Ok(()), "{name}: {text}");
        }
    }

    #[test]
    fn the_contract_and_the_engine_know_the_same_languages_of_two_letters() {
        let letters = || 'a'..='z';
        let mut known = 0;
        for code in letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))) {
            let is_asked = ConversionOptions::default().set("track", &code).is_ok();
            let options = Options {
                track: Some(Track::Language(code.clone())),
                ..Options::default()
            };
            assert_eq!(is_asked, options.check().is_ok(), "{code}");
            known += usize::from(is_asked);
        }
        assert_eq!(known, 184);
    }
}
