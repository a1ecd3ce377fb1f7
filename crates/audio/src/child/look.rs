//! What a container says of itself, as FFmpeg read it.

use std::ffi::CStr;
use std::time::Duration;

use ffmpeg_next::format::context::Input as Container;
use ffmpeg_next::media::Type;
use ffmpeg_next::{Rational, Stream, decoder};

use crate::contents::{MAX_CHAPTERS, MAX_TRACKS};
use crate::native::container::{attachment, sound_of, text};
use crate::{Chapter, Cover, Probe, Tags, TrackInfo, track};

/// All of it. Chapters count from the start of the sound that is `chosen`.
pub(crate) fn into(container: &Container, chosen: Option<usize>) -> Probe {
    let chosen = chosen.and_then(|index| container.stream(index));
    let duration = u64::try_from(container.duration()).ok();
    Probe {
        container: container.format().name().to_owned(),
        duration: duration
            .filter(|&micros| micros > 0)
            .map(Duration::from_micros),
        tracks: tracks(container),
        tags: Tags {
            cover: cover(container),
            ..tags(container, chosen.as_ref())
        },
        chapters: chapters(container, chosen.as_ref()),
    }
}

fn tracks(container: &Container) -> Vec<TrackInfo> {
    let is_sound = |stream: &Stream<'_>| stream.parameters().medium() == Type::Audio;
    // As `decode` chooses where nobody does.
    let default = track::meant(container, None)
        .unwrap_or_default()
        .into_iter()
        .find(|stream| decoder::find(stream.parameters().id()).is_some())
        .map(|stream| stream.index());
    let sounds = container.streams().filter(is_sound).take(MAX_TRACKS);
    let tracks = sounds.zip(1..).map(|(stream, number)| {
        let (channels, sample_rate_hz) = sound_of(&stream);
        let metadata = stream.metadata();
        TrackInfo {
            number,
            codec: stream.parameters().id().name().to_owned(),
            channels,
            sample_rate_hz,
            language: text(&metadata, c"language").filter(|language| language != "und"),
            title: text(&metadata, c"title"),
            is_default: Some(stream.index()) == default,
        }
    });
    tracks.collect()
}

/// Ogg has the tags of the whole in its only track; elsewhere the title of a track is just that.
fn tags(container: &Container, chosen: Option<&Stream<'_>>) -> Tags {
    let mut metadata = container.metadata();
    if let (Some(chosen), "ogg") = (chosen, container.format().name()) {
        metadata = chosen.metadata();
    }
    let tag = |key: &CStr| text(&metadata, key);
    Tags {
        title: tag(c"title"),
        artist: tag(c"artist"),
        album: tag(c"album"),
        year: tag(c"date").or_else(|| tag(c"year")),
        comment: tag(c"comment"),
        cover: None,
    }
}

/// The picture that is called a front cover, or the first one that fits.
fn cover(container: &Container) -> Option<Cover> {
    let mut first = None;
    for stream in container.streams() {
        let Some(file) = attachment(&stream) else {
            continue;
        };
        if file.len() > Cover::MAX_BYTES {
            continue;
        }
        let Ok(cover) = Cover::try_from(file.to_vec()) else {
            continue;
        };
        let metadata = stream.metadata();
        // ID3's and FLAC's word for it, and Matroska's.
        let is_front = text(&metadata, c"comment").is_some_and(|kind| kind == "Cover (front)")
            || text(&metadata, c"filename").is_some_and(|name| name.starts_with("cover."));
        if is_front {
            return Some(cover);
        }
        first.get_or_insert(cover);
    }
    first
}

fn chapters(container: &Container, chosen: Option<&Stream<'_>>) -> Vec<Chapter> {
    let sound_starts = match (chosen, container.format().name()) {
        // That is the encoder's delay, which nobody hears.
        (_, "mp3") | (None, _) => Duration::ZERO,
        (Some(stream), _) => time(stream.start_time(), stream.time_base()),
    };
    let chapters = container.chapters().take(MAX_CHAPTERS).map(|chapter| {
        let time = |at| time(at, chapter.time_base()).saturating_sub(sound_starts);
        let start = time(chapter.start());
        Chapter {
            start,
            end: time(chapter.end()).max(start),
            title: text(&chapter.metadata(), c"title"),
        }
    });
    chapters.collect()
}

/// Zero where there is none: no time is FFmpeg's smallest.
fn time(at: i64, base: Rational) -> Duration {
    let (numerator, denominator) = (i128::from(base.numerator()), i128::from(base.denominator()));
    let micros = (i128::from(at) * numerator * 1_000_000).checked_div(denominator);
    let micros = micros.and_then(|micros| u64::try_from(micros).ok());
    Duration::from_micros(micros.unwrap_or(0))
}
