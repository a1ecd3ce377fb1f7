//! The tracks of pictures in an MP4 or MOV file.
//!
//! FFmpeg keeps 24 bytes for each picture, twice while it opens the file: more than everything else together in a film of
//! two hours. Nobody wants to see them, so it is told one level below that such a track is free space, and reads neither
//! its tables. A track that isn't understood, or whose beginning is cut by a block's end, is given as it is; so
//! are all after a box whose header is cut.

use crate::boxes::is_known;

/// More are left to FFmpeg, which counts tracks and refuses so many.
const MOST_HIDDEN: usize = 1_000;

/// Follows the boxes as far as the last track.
pub(super) struct Tracks {
    /// Where the next box begins. `None` if nothing more is of interest, or can't be understood.
    next: Option<u64>,
    /// Where the index ends, once it has begun.
    index_end: Option<u64>,
    /// Where the types of hidden boxes are.
    hidden: Vec<u64>,
}

/// The start of a box.
struct Header<'a> {
    kind: &'a [u8; 4],
    /// The whole box.
    bytes: u64,
    /// What was seen of its content.
    content: &'a [u8],
    /// Where that begins in the box.
    offset: u64,
}

impl Tracks {
    pub(super) fn new() -> Self {
        Self {
            next: Some(0),
            index_end: None,
            hidden: Vec::new(),
        }
    }

    /// Hides tracks in the part of the file that begins at `start`. A part that is fetched again begins where it did.
    pub(super) fn hide(&mut self, start: u64, part: &mut [u8]) {
        while let Some((next, box_)) = self.next.and_then(|next| {
            let offset = usize::try_from(next.checked_sub(start)?).ok()?;
            let rest = part.get(offset..).filter(|rest| !rest.is_empty())?;
            Some((next, header(rest)))
        }) {
            self.next = box_.and_then(|box_| self.after(next, &box_));
        }
        for &at in &self.hidden {
            let at = at
                .checked_sub(start)
                .and_then(|at| usize::try_from(at).ok());
            if let Some(kind) = at.and_then(|at| part.get_mut(at..at.checked_add(4)?)) {
                kind.copy_from_slice(b"free");
            }
        }
    }

    /// Takes a box into account, and says where the next one of interest begins.
    fn after(&mut self, at: u64, box_: &Header<'_>) -> Option<u64> {
        if at == 0 && !is_known(*box_.kind) {
            return None;
        }
        let end = at.checked_add(box_.bytes)?;
        let Some(index_end) = self.index_end else {
            if box_.kind != b"moov" {
                return Some(end);
            }
            self.index_end = Some(end);
            return Some(at + box_.offset);
        };
        if self.hidden.len() == MOST_HIDDEN {
            return None;
        }
        if box_.kind == b"trak" && is_pictures(box_.content) {
            self.hidden.push(at + 4);
        }
        (end < index_end).then_some(end)
    }
}

/// Whether its handler says so.
fn is_pictures(track: &[u8]) -> bool {
    let media = child(track, b"mdia");
    let handler = media.and_then(|media| child(media, b"hdlr"));
    // After version, flags and a type that QuickTime has.
    handler.and_then(|handler| handler.get(8..12)) == Some(b"vide")
}

/// What was seen of the first child of this kind.
fn child<'a>(mut content: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    loop {
        let child = header(content)?;
        if child.kind == kind {
            return Some(child.content);
        }
        content = content.get(usize::try_from(child.bytes).ok()?..)?;
    }
}

fn header(bytes: &[u8]) -> Option<Header<'_>> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let short = u32::from_be_bytes(*size).into();
    let (bytes, content, offset) = if short == 1 {
        let (size, content) = rest.split_first_chunk()?;
        (u64::from_be_bytes(*size), content, 16)
    } else {
        (short, rest, 8)
    };
    let content_bytes = usize::try_from(bytes.checked_sub(offset)?).unwrap_or(usize::MAX);
    Some(Header {
        kind,
        bytes,
        content: content.get(..content_bytes).unwrap_or(content),
        offset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let size = u32::try_from(content.len() + 8).expect("small");
        [&size.to_be_bytes(), &kind[..], &content].concat()
    }

    fn track(handler: &[u8; 4]) -> Vec<u8> {
        let handler = boxed(b"hdlr", &[&[0; 8], handler, &[0; 13]]);
        let tables = boxed(b"minf", &[&[7; 3_000]]);
        let media = boxed(b"mdia", &[&boxed(b"mdhd", &[&[0; 24]]), &handler, &tables]);
        boxed(b"trak", &[&boxed(b"tkhd", &[&[0; 84]]), &media])
    }

    /// Pictures, sound and pictures, with what they are of before the index or behind it.
    fn file(is_index_last: bool) -> Vec<u8> {
        let mut sound = Vec::from(1_u32.to_be_bytes());
        sound.extend(b"mdat");
        sound.extend(5_016_u64.to_be_bytes());
        sound.extend(b"trak".repeat(1_250));
        let head = boxed(b"mvhd", &[&[0; 100]]);
        let index = boxed(
            b"moov",
            &[&head, &track(b"vide"), &track(b"soun"), &track(b"vide")],
        );
        let file = boxed(b"ftyp", &[b"isom\0\0\0\0"]);
        match is_index_last {
            true => [file, sound, index].concat(),
            false => [file, index, sound].concat(),
        }
    }

    /// The file as a demuxer gets it that reads parts of this size, some twice.
    fn through(file: &[u8], part: usize) -> Vec<u8> {
        let mut tracks = Tracks::new();
        let mut read = || {
            let mut got = file.to_vec();
            for (part, start) in got.chunks_mut(part).zip((0..).step_by(part)) {
                tracks.hide(start, part);
            }
            got
        };
        let first = read();
        assert!(read() == first);
        first
    }

    fn hidden(file: &[u8], got: &[u8]) -> usize {
        let changed = file.chunks(1).zip(got.chunks(1));
        changed.filter(|(is, got)| is != got).count() / 3 // the r stays
    }

    #[test]
    fn tracks_of_pictures_become_free_space_and_nothing_else_does() {
        for is_index_last in [false, true] {
            let file = file(is_index_last);
            let got = through(&file, file.len());
            let kinds = |file: &[u8]| {
                let tracks = file.windows(8).zip(0..);
                let tracks = tracks.filter(|(bytes, _)| bytes[..4] == 3_181_u32.to_be_bytes());
                tracks
                    .map(|(bytes, _)| bytes[4..].to_vec())
                    .collect::<Vec<_>>()
            };
            assert_eq!(kinds(&file), [b"trak", b"trak", b"trak"]);
            assert_eq!(kinds(&got), [b"free", b"trak", b"free"]);
            assert_eq!(hidden(&file, &got), 2);
        }
    }

    #[test]
    fn wherever_parts_are_cut_nothing_but_tracks_of_pictures_is_hidden() {
        let file = file(true);
        let all = through(&file, file.len());
        let mut most = 0;
        for part in (200..file.len()).step_by(61) {
            let got = through(&file, part);
            let is_one_of_both = |((is, all), got)| got == is || got == all;
            assert!(
                file.iter().zip(&all).zip(&got).all(is_one_of_both),
                "{part}"
            );
            most += hidden(&file, &got);
        }
        // Most are, however small the parts.
        assert!(most > (file.len() - 200) / 61 * 3 / 2, "{most}");
    }

    #[test]
    fn what_is_not_understood_is_given_as_it_is() {
        let file = file(false);
        let mut other = file.clone();
        other[4..8].copy_from_slice(b"RIFF");
        assert!(through(&other, 1_000) == other);
        for at in (0..file.len() - 5_016).step_by(7) {
            let mut damaged = file.clone();
            damaged[at] = damaged[at].wrapping_add(0x81);
            assert!(
                hidden(&damaged, &through(&damaged, 1_000)) <= 2,
                "damaged at {at}"
            );
        }
    }
}
