use decant_audio::{Cover, CoverFormat, Loudness, Options, Quality, SampleRate, Tags, Track};
use decant_events::{ConversionOptions, Track as Asked};
use decant_store::Job;

/// What the job's record asks for, as the engine takes it. `cover` is the one that came with the video.
///
/// The record alone decides, never an event. What isn't asked for is left to the engine.
pub(crate) fn of(job: &Job, cover: Option<Vec<u8>>) -> Options {
    let asked = &job.options;
    Options {
        quality: asked.quality.map(quality).unwrap_or_default(),
        mono: asked.mono,
        sample_rate: asked
            .sample_rate
            .and_then(|hz| SampleRate::try_from(hz).ok()),
        start: asked.start,
        end: asked.end,
        fade: asked.fade,
        loudness: asked.loudness.map(loudness),
        track: asked.track.as_ref().map(track),
        title: Some(asked.title.as_deref().unwrap_or(job.title()).to_owned()),
        tags: tags(asked, cover),
        ..Options::default()
    }
}

/// The contract has the engine's names: a test compares them.
fn quality(name: &str) -> Quality {
    name.parse().unwrap_or_default()
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

fn tags(asked: &ConversionOptions, cover: Option<Vec<u8>>) -> Tags {
    Tags {
        title: asked.title.clone(),
        artist: asked.artist.clone(),
        album: asked.album.clone(),
        year: asked.year.clone(),
        comment: asked.comment.clone(),
        cover: cover.map(|bytes| Cover {
            // The door takes no third kind.
            format: match bytes.starts_with(&[0xff, 0xd8, 0xff]) {
                true => CoverFormat::Jpeg,
                false => CoverFormat::Png,
            },
            bytes,
        }),
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
        assert_eq!(ConversionOptions::LARGEST_COVER_BYTES, Cover::MAX_BYTES);
        for name in names {
            assert_eq!(quality(name).name(), name);
        }
        let mut asked = ConversionOptions::default();
        asked.set("loudness", "on").expect("there is a usual one");
        assert_eq!(asked.loudness, Some(Loudness::default().target_lufs));
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
