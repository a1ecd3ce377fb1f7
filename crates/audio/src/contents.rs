//! A [`Probe`] on its way from the child to its parent.

use crate::fields::{Fields, duration, micros};
use crate::protocol::MAX_TEXT_BYTES;
use crate::tag::year_of;
use crate::{Chapter, Cover, Probe, Tags, TrackInfo};

/// More tracks aren't told of. The limit on all of a container's is lower by default.
pub(crate) const MAX_TRACKS: usize = 255;

/// More chapters aren't told of: ID3 can't hold them.
pub(crate) const MAX_CHAPTERS: usize = 255;

/// The longest title, comment and so on; the longest name of a format, a codec, a language.
const MAX_TAG_BYTES: usize = 4096;
const MAX_NAME_BYTES: usize = 40;

/// The longest payload.
pub(crate) const MAX_BYTES: usize = 512 * 1024;

const _: () = {
    let texts = 5 * (2 + MAX_TAG_BYTES) + 2 + MAX_NAME_BYTES;
    let tracks = MAX_TRACKS * (2 * (2 + MAX_NAME_BYTES) + 2 + 4 + 2 + MAX_TEXT_BYTES + 1);
    let chapters = MAX_CHAPTERS * (8 + 8 + 2 + MAX_TEXT_BYTES);
    assert!(8 + texts + 4 + Cover::MAX_BYTES + 1 + tracks + 1 + chapters <= MAX_BYTES);
};

/// Cuts what is too long.
pub(crate) fn encode(probe: &Probe) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_text(&probe.container, MAX_NAME_BYTES, &mut bytes);
    bytes.extend(micros(probe.duration).to_le_bytes());
    let Tags {
        title,
        artist,
        album,
        year,
        comment,
        cover,
    } = &probe.tags;
    for tag in [title, artist, album, year, comment] {
        put_text(
            tag.as_deref().unwrap_or_default(),
            MAX_TAG_BYTES,
            &mut bytes,
        );
    }
    let cover = cover.as_ref().map(|cover| cover.bytes.as_slice());
    let cover = cover.filter(|cover| cover.len() <= Cover::MAX_BYTES);
    bytes.extend((cover.unwrap_or_default().len() as u32).to_le_bytes());
    bytes.extend(cover.unwrap_or_default());

    let tracks = probe.tracks.iter().take(MAX_TRACKS);
    bytes.push(tracks.len() as u8);
    for track in tracks {
        put_text(&track.codec, MAX_NAME_BYTES, &mut bytes);
        bytes.extend(track.channels.to_le_bytes());
        bytes.extend(track.sample_rate_hz.to_le_bytes());
        let language = track.language.as_deref().unwrap_or_default();
        put_text(language, MAX_NAME_BYTES, &mut bytes);
        let title = track.title.as_deref().unwrap_or_default();
        put_text(title, MAX_TEXT_BYTES, &mut bytes);
        bytes.push(track.is_default.into());
    }
    let chapters = probe.chapters.iter().take(MAX_CHAPTERS);
    bytes.push(chapters.len() as u8);
    for chapter in chapters {
        for time in [chapter.start, chapter.end] {
            bytes.extend(micros(Some(time)).to_le_bytes());
        }
        let title = chapter.title.as_deref().unwrap_or_default();
        put_text(title, MAX_TEXT_BYTES, &mut bytes);
    }
    bytes
}

/// `None` where anything is longer than it may be. What is a picture is seen by its first bytes.
pub(crate) fn decode(fields: &mut Fields<'_>) -> Option<Probe> {
    let container = name(fields)?;
    let length = duration(fields.u64()?);
    let mut tag = || text(fields, MAX_TAG_BYTES);
    let mut tags = Tags {
        title: tag()?,
        artist: tag()?,
        album: tag()?,
        year: tag()?.and_then(|date| year_of(&date)),
        comment: tag()?,
        cover: None,
    };
    let cover = usize::try_from(fields.u32()?).ok()?;
    let cover = (cover <= Cover::MAX_BYTES).then(|| fields.bytes(cover))??;
    tags.cover = Cover::try_from(cover.to_vec()).ok();

    let mut tracks = Vec::new();
    for number in 1..=u32::from(fields.u8()?) {
        tracks.push(TrackInfo {
            number,
            codec: name(fields)?,
            channels: fields.u16()?,
            sample_rate_hz: fields.u32()?,
            language: Some(name(fields)?).filter(|language| !language.is_empty()),
            title: text(fields, MAX_TEXT_BYTES)?,
            is_default: fields.u8()? != 0,
        });
    }
    let mut chapters = Vec::new();
    for _ in 0..fields.u8()? {
        let mut time = || duration(fields.u64()?);
        let (start, end) = (time()?, time()?);
        let title = text(fields, MAX_TEXT_BYTES)?;
        (start <= end).then_some(())?;
        chapters.push(Chapter { start, end, title });
    }
    Some(Probe {
        container,
        duration: length,
        tracks,
        tags,
        chapters,
    })
}

fn put_text(text: &str, most: usize, bytes: &mut Vec<u8>) {
    let text = text[..text.floor_char_boundary(most)].trim_end();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// One line of at most so many bytes, and `Some(None)` for an empty one.
fn text(fields: &mut Fields<'_>, most: usize) -> Option<Option<String>> {
    let length = usize::from(fields.u16()?);
    let bytes = (length <= most).then(|| fields.bytes(length))??;
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    let text = text.trim();
    Some(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// In letters that mean nothing to a terminal.
fn name(fields: &mut Fields<'_>) -> Option<String> {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ',');
    let text = text(fields, MAX_NAME_BYTES)?.unwrap_or_default();
    Some(text.chars().filter(is_plain).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::CoverFormat;

    fn full() -> Probe {
        let text = |length: usize| Some("ä".repeat(length / 2));
        let mut picture = vec![0x89, b'P', b'N', b'G'];
        picture.resize(Cover::MAX_BYTES, 7);
        let track = |number| TrackInfo {
            number,
            codec: "c".repeat(MAX_NAME_BYTES),
            channels: u16::MAX,
            sample_rate_hz: u32::MAX,
            language: Some("l".repeat(MAX_NAME_BYTES)),
            title: text(MAX_TEXT_BYTES),
            is_default: number == 7,
        };
        let chapter = |start| Chapter {
            start: Duration::from_secs(start),
            end: Duration::from_secs(start + 1),
            title: text(MAX_TEXT_BYTES),
        };
        Probe {
            container: "f".repeat(MAX_NAME_BYTES),
            duration: Some(Duration::from_micros(1)),
            tracks: (1..=255).map(track).collect(),
            tags: Tags {
                title: text(MAX_TAG_BYTES),
                artist: text(MAX_TAG_BYTES),
                album: text(MAX_TAG_BYTES),
                year: Some("2021".into()),
                comment: text(MAX_TAG_BYTES),
                cover: Some(Cover {
                    format: CoverFormat::Png,
                    bytes: picture,
                }),
            },
            chapters: (0..255).map(chapter).collect(),
        }
    }

    fn decoded(bytes: &[u8]) -> Option<Probe> {
        let mut fields = Fields(bytes);
        let probe = decode(&mut fields)?;
        fields.0.is_empty().then_some(probe)
    }

    #[test]
    fn the_fullest_container_arrives_whole_and_the_emptiest_too() {
        let bytes = encode(&full());
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        assert_eq!(decoded(&bytes), Some(full()));
        assert_eq!(decoded(&encode(&Probe::default())), Some(Probe::default()));
    }

    #[test]
    fn what_is_too_much_is_left_out_by_the_child() {
        let mut probe = full();
        probe.tags.comment = Some("🎧".repeat(MAX_TAG_BYTES));
        probe.tracks.push(TrackInfo::default());
        probe.chapters.push(Chapter::default());
        if let Some(cover) = &mut probe.tags.cover {
            cover.bytes.push(0);
        }
        let told = decoded(&encode(&probe)).expect("it is in shape");
        assert_eq!(told.tags.comment, Some("🎧".repeat(MAX_TAG_BYTES / 4)));
        assert_eq!((told.tracks.len(), told.chapters.len()), (255, 255));
        assert_eq!(told.tags.cover, None);
    }

    #[test]
    fn the_parent_believes_no_length() {
        let bytes = encode(&full());
        for cut in (0..bytes.len()).step_by(997) {
            assert_eq!(decoded(&bytes[..cut]), None, "{cut}");
        }
        let mut long = (MAX_NAME_BYTES as u16 + 1).to_le_bytes().to_vec();
        long.resize(10_000, b'x');
        assert_eq!(decoded(&long), None);
    }

    #[test]
    fn nothing_that_a_terminal_or_a_player_might_obey_comes_through() {
        let mut probe = Probe {
            container: "\x1b[2Jmov,mp4\0".into(),
            ..Probe::default()
        };
        probe.tags.title = Some(" two\r\nlines\x1b[31m\0\u{85} ".into());
        probe.tags.cover = Some(Cover {
            format: CoverFormat::Jpeg,
            bytes: b"<script>".to_vec(),
        });
        let told = decoded(&encode(&probe)).expect("it is in shape");
        assert_eq!(told.container, "2Jmov,mp4");
        assert_eq!(told.tags.title.as_deref(), Some("two lines[31m"));
        assert_eq!(told.tags.cover, None);
    }

    #[test]
    fn chapters_that_end_before_they_start_are_out_of_shape() {
        let mut probe = full();
        probe.chapters[3].end = Duration::ZERO;
        assert_eq!(decoded(&encode(&probe)), None);
    }
}
