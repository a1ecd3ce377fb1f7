//! Which of a container's sound tracks is meant.

use ffmpeg_next::Stream;
use ffmpeg_next::format::context::Input as Container;
use ffmpeg_next::media::Type;

use crate::language::Language;
use crate::native::container::text;
use crate::{Error, Track};

/// A [`Track`] that can be sent to the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// From 1.
    Number(u32),
    /// The first in it.
    In(Language),
}

impl Choice {
    /// `None` for a number or a language that can't be.
    pub(crate) fn of(track: &Track) -> Option<Self> {
        match track {
            Track::Number(0) => None,
            Track::Number(number) => Some(Self::Number(*number)),
            Track::Language(code) => Language::of(code).map(Self::In),
        }
    }

    /// For the child's order.
    pub(crate) fn encode(choice: Option<Self>) -> [u8; 5] {
        let (kind, [a, b, c, d]) = match choice {
            None => (0, [0; 4]),
            Some(Self::Number(number)) => (1, number.to_le_bytes()),
            Some(Self::In(language)) => {
                let [a, b, c] = language.letters();
                (2, [a, b, c, 0])
            }
        };
        [kind, a, b, c, d]
    }

    pub(crate) fn decode([kind, bytes @ ..]: [u8; 5]) -> Option<Option<Self>> {
        let [letters @ .., _] = bytes;
        Some(match kind {
            0 => None,
            1 => Some(Self::Number(u32::from_le_bytes(bytes))),
            2 => Some(Self::In(Language::of_letters(letters)?)),
            _ => return None,
        })
    }
}

/// The tracks that are meant, the best first: empty only where there is no sound track at all.
///
/// Without a choice that is FFmpeg's favourite (the default track, no commentary, the most channels), then all.
pub(crate) fn meant(
    container: &Container,
    choice: Option<Choice>,
) -> Result<Vec<Stream<'_>>, Error> {
    let tracks: Vec<_> = container
        .streams()
        .filter(|stream| stream.parameters().medium() == Type::Audio)
        .collect();
    if tracks.is_empty() {
        return Ok(tracks);
    }
    let meant: Vec<_> = match choice {
        None => {
            let favourite = container.streams().best(Type::Audio);
            return Ok(favourite.into_iter().chain(tracks).collect());
        }
        Some(Choice::Number(number)) => {
            let before = number.saturating_sub(1) as usize;
            tracks.into_iter().skip(before).take(1).collect()
        }
        Some(Choice::In(language)) => {
            let mut tracks = tracks;
            tracks.retain(|track| languages(track).contains(&language));
            tracks
        }
    };
    if meant.is_empty() {
        return Err(Error::NoSuchTrack {
            languages: all_languages(container),
        });
    }
    Ok(meant)
}

/// What the container says of each sound track.
fn all_languages(container: &Container) -> Vec<Option<String>> {
    container
        .streams()
        .filter(|stream| stream.parameters().medium() == Type::Audio)
        .map(|track| languages(&track).first().map(Language::to_string))
        .collect()
}

fn languages(track: &Stream<'_>) -> Vec<Language> {
    let tag = text(&track.metadata(), c"language").unwrap_or_default();
    Language::all_of(&tag).collect()
}
