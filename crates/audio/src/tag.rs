//! The ID3v2.3 tag, which players since the nineties read.

use std::time::Duration;

use id3::frame::{self, Comment, Content, Picture, PictureType, TableOfContents};
use id3::{Encoder, Encoding, Frame, Tag, Version};

use crate::{Chapter, Cover, CoverFormat, Error, Options, Probe, Tags};

/// Longer texts are cut.
const MAX_CHARS: usize = 1000;
const MAX_COMMENT_CHARS: usize = 4000;
const MAX_CHAPTER_CHARS: usize = 200;

/// With the LAME frame the tag is the head of the MP3, which stays below 255 KiB: it is replaced at the end.
const MAX_BYTES: usize = 250 * 1024;

/// ID3 counts chapters in a byte.
const MAX_CHAPTERS: usize = 255;

/// A language that nobody told: ID3v2.3 takes the codes of ISO 639-2 alone, which has one for that. `XXX` came with 2.4.
const UNTOLD: &str = "und";

/// Instead of an offset in bytes: the time counts.
const NO_OFFSET: u32 = u32::MAX;

/// The tag's bytes. Empty where nothing is known.
///
/// Where it becomes too large the chapters are left out, then the cover. The texts always fit.
pub(crate) fn encode(options: &Options, found: Option<&Probe>) -> Result<Vec<u8>, Error> {
    let nothing = Probe::default();
    let found = found.unwrap_or(&nothing);
    let cover = options.tags.cover.as_ref().or(found.tags.cover.as_ref());
    let cover: Vec<_> = cover.map(picture).into_iter().collect();
    let chapters = of_clip(&found.chapters, options.start, options.end);
    let mut frames = texts(options, &found.tags);
    for more in [cover, chapter_frames(&chapters)] {
        let with_more = [frames.as_slice(), more.as_slice()].concat();
        if bytes_of(&with_more)?.len() <= MAX_BYTES {
            frames = with_more;
        }
    }
    bytes_of(&frames)
}

fn bytes_of(frames: &[Frame]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    if frames.is_empty() {
        return Ok(bytes);
    }
    let tag: Tag = frames.iter().cloned().collect();
    Encoder::new()
        .version(Version::Id3v23)
        .encode(&tag, &mut bytes)
        .map_err(Error::engine)?;
    Ok(bytes)
}

fn texts(options: &Options, found: &Tags) -> Vec<Frame> {
    let Tags {
        title,
        artist,
        album,
        year,
        comment,
        cover: _,
    } = &options.tags;
    let title = [title, &found.title, &options.title];
    let year = [year, &found.year].map(|year| year.as_deref().and_then(year_of));
    let comment = first([comment, &found.comment], MAX_COMMENT_CHARS, '\n').map(|text| {
        Frame::from(Comment {
            lang: UNTOLD.to_owned(),
            description: String::new(),
            text,
        })
    });
    let text = |id, text: Option<String>| text.map(|text| Frame::text(id, text));
    [
        text("TIT2", first(title, MAX_CHARS, ' ')),
        text("TPE1", first([artist, &found.artist], MAX_CHARS, ' ')),
        text("TALB", first([album, &found.album], MAX_CHARS, ' ')),
        text("TYER", year.into_iter().flatten().next()),
        comment,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The year that a date begins with: four digits.
pub(crate) fn year_of(date: &str) -> Option<String> {
    let year = date.trim().get(..4)?;
    let is_year = year.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then(|| year.to_owned())
}

/// The first that says something, with its lines `between` each other.
fn first<const N: usize>(
    texts: [&Option<String>; N],
    most_chars: usize,
    between: char,
) -> Option<String> {
    let texts = texts.into_iter().flatten();
    texts
        .map(|text| clean(text, most_chars, between))
        .find(|text| !text.trim().is_empty())
}

/// ID3 would take a NUL for the start of a second text.
fn clean(text: &str, most_chars: usize, between: char) -> String {
    let chars = text.chars().filter_map(|c| match c {
        '\n' => Some(between),
        '\t' => Some(' '),
        c => Some(c).filter(|c| !c.is_control()),
    });
    chars.take(most_chars).collect()
}

fn picture(cover: &Cover) -> Frame {
    let mime_type = match cover.format {
        CoverFormat::Jpeg => "image/jpeg",
        CoverFormat::Png => "image/png",
    };
    Frame::from(Picture {
        mime_type: mime_type.to_owned(),
        picture_type: PictureType::CoverFront,
        description: String::new(),
        data: cover.bytes.clone(),
    })
    // Some players look for the picture right behind a single zero.
    .set_encoding(Some(Encoding::Latin1))
}

/// The chapters of what is left of the sound, on its own clock.
fn of_clip(chapters: &[Chapter], start: Duration, end: Option<Duration>) -> Vec<Chapter> {
    let end = end.unwrap_or(Duration::MAX);
    let of_clip = chapters.iter().filter_map(|chapter| {
        let (first, last) = (chapter.start.max(start), chapter.end.min(end));
        (first < last).then(|| Chapter {
            start: first - start,
            end: last - start,
            title: chapter.title.clone(),
        })
    });
    of_clip.take(MAX_CHAPTERS).collect()
}

/// A table of contents and what is in it (ID3v2 Chapter Frame Addendum 1.0).
fn chapter_frames(chapters: &[Chapter]) -> Vec<Frame> {
    if chapters.is_empty() {
        return Vec::new();
    }
    let id = |number: usize| format!("chp{number}");
    let contents = TableOfContents {
        element_id: "toc".to_owned(),
        top_level: true,
        ordered: true,
        elements: (0..chapters.len()).map(id).collect(),
        frames: Vec::new(),
    };
    let frames = chapters.iter().enumerate().map(|(number, chapter)| {
        let title = first([&chapter.title], MAX_CHAPTER_CHARS, ' ');
        Frame::with_content(
            "CHAP",
            Content::Chapter(frame::Chapter {
                element_id: id(number),
                start_time: millis(chapter.start),
                end_time: millis(chapter.end),
                start_offset: NO_OFFSET,
                end_offset: NO_OFFSET,
                frames: title
                    .map(|title| Frame::text("TIT2", title))
                    .into_iter()
                    .collect(),
            }),
        )
    });
    let contents = Frame::with_content("CTOC", Content::TableOfContents(contents));
    [contents].into_iter().chain(frames).collect()
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_what_a_date_begins_with() {
        for date in ["1999", " 1999-12-31", "1999-12-31T23:59:59Z"] {
            assert_eq!(year_of(date).as_deref(), Some("1999"), "{date}");
        }
        for date in ["", "99", "+999", "the Übermorgen", "Mai 1999"] {
            assert_eq!(year_of(date), None, "{date}");
        }
    }
}
