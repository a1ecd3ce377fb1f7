//! The stretches of a Matroska file that hold nothing but pictures.
//!
//! FFmpeg's other demuxers pass over what nobody wants. The one for Matroska and WebM reads each block and only then looks at
//! whose it is, so what it needn't see is kept from it one level below: it gets zeros for the inside of large pictures, which
//! nobody fetches. Their headers it does get. What isn't understood here is given as it is.

use std::ops::Range;

use crate::ebml::{big_endian, variable};

// Elements of RFC 9559.
const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_NUMBER: u32 = 0xD7;
const TRACK_TYPE: u32 = 0x83;
const CLUSTER: u32 = 0x1F43_B675;
const BLOCK_GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;
const SIMPLE_BLOCK: u32 = 0xA3;

/// The type of a track of pictures.
const VIDEO: u64 = 1;

/// An element's header and the number at its start are no longer.
const MOST_HEADER_BYTES: usize = 4 + 8 + 8;

/// No block is larger, if its size isn't damaged.
const MOST_BLOCK_BYTES: u64 = 64 << 20;

/// Follows the elements as far as their file is read.
pub(super) struct Pictures {
    /// Where the next element begins. `None` if it isn't Matroska, or can't be understood.
    next: Option<u64>,
    /// What was seen of it.
    carry: Vec<u8>,
    /// Of the track whose entry was met last.
    number: Option<u64>,
    kind: Option<u64>,
    /// Where the cluster ends that blocks are in, if it says so.
    cluster_end: u64,
    /// The numbers of the tracks of pictures.
    tracks: Vec<u64>,
    /// Pictures, from the end of what was seen of them to their end.
    gap: Range<u64>,
}

impl Pictures {
    pub(super) fn new() -> Self {
        Self {
            next: Some(0),
            carry: Vec::new(),
            number: None,
            kind: None,
            cluster_end: 0,
            tracks: Vec::new(),
            gap: 0..0,
        }
    }

    /// So many bytes from `position` on are pictures that nobody wants to see.
    pub(super) fn unwanted(&self, position: u64) -> u64 {
        if self.gap.contains(&position) {
            self.gap.end - position
        } else {
            0
        }
    }

    /// Looks at the part of the file that begins at `start`. `is_last` if nothing follows it.
    pub(super) fn look(&mut self, start: u64, part: &[u8], is_last: bool) {
        let end = start + part.len() as u64;
        while let Some(next) = self.next {
            let seen = next + self.carry.len() as u64;
            let Some(from) = seen.checked_sub(start).filter(|_| seen < end) else {
                return;
            };
            let unseen = part.get(from as usize..).unwrap_or_default();
            let mut header = std::mem::take(&mut self.carry);
            let missing = MOST_HEADER_BYTES - header.len();
            header.extend_from_slice(unseen.get(..missing).unwrap_or(unseen));
            if header.len() < MOST_HEADER_BYTES && !is_last {
                self.carry = header;
                return;
            }
            self.next = self.element(next, &header, end);
            let further = self
                .next
                .and_then(|after| usize::try_from(after - next).ok());
            if let Some(further) = further.filter(|further| *further < header.len()) {
                self.carry = header.split_off(further);
            }
        }
    }

    /// Takes an element into account, and says where the next one begins.
    fn element(&mut self, at: u64, header: &[u8], seen: u64) -> Option<u64> {
        let (id, id_bytes) = variable(header, 4)?;
        let (size, size_bytes) = variable(header.get(id_bytes..)?, 8)?;
        let marker = 1_u64 << (7 * size_bytes);
        let size = size - marker;
        let content = header.get(id_bytes + size_bytes..)?;
        let start = at + (id_bytes + size_bytes) as u64;
        let end = (size < marker - 1).then(|| start.saturating_add(size));
        if at == 0 && id != u64::from(EBML) {
            return None;
        }
        match u32::try_from(id).ok()? {
            TRACK_ENTRY => {
                (self.number, self.kind) = (None, None);
                return Some(start);
            }
            CLUSTER => {
                self.cluster_end = end.unwrap_or(u64::MAX);
                return Some(start);
            }
            SEGMENT | TRACKS | BLOCK_GROUP => return Some(start),
            TRACK_NUMBER => self.number = number(content, size),
            TRACK_TYPE => self.kind = number(content, size),
            BLOCK | SIMPLE_BLOCK => {
                let (number, bytes) = variable(content, 8)?;
                let is_picture = self.tracks.contains(&(number - (1 << (7 * bytes))));
                if size > MOST_BLOCK_BYTES || end? > self.cluster_end {
                    return None;
                }
                if is_picture && end? > seen {
                    self.gap = seen..end?;
                }
            }
            _ => {}
        }
        if let (Some(number), Some(VIDEO)) = (self.number, self.kind) {
            self.tracks.push(number);
            (self.number, self.kind) = (None, None);
        }
        end
    }
}

fn number(content: &[u8], size: u64) -> Option<u64> {
    let size = usize::try_from(size).ok().filter(|size| *size <= 8)?;
    content.get(..size).map(big_endian)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element whose size is written in eight bytes.
    fn element(id: u32, content: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let mut element: Vec<u8> = id.into_iter().skip_while(|byte| *byte == 0).collect();
        element.extend((content.len() as u64 | 1 << 56).to_be_bytes());
        element.extend(content);
        element
    }

    fn track(number: u8, kind: u8) -> Vec<u8> {
        let fields = [
            element(TRACK_NUMBER, &[number]),
            element(TRACK_TYPE, &[kind]),
        ];
        element(TRACK_ENTRY, &fields.concat())
    }

    fn block(track: u8, bytes: usize) -> Vec<u8> {
        element(
            SIMPLE_BLOCK,
            &[&[0x80 | track][..], &vec![track; bytes]].concat(),
        )
    }

    /// Tracks of sound (1) and pictures (2), and some blocks.
    fn file() -> Vec<u8> {
        let tracks = element(TRACKS, &[track(1, 2), track(2, 1)].concat());
        let group = element(
            BLOCK_GROUP,
            &element(BLOCK, &[&[0x82][..], &[2; 9_000]].concat()),
        );
        let blocks = [
            block(2, 5_000),
            block(1, 3_000),
            group,
            block(1, 10),
            block(2, 40),
        ];
        let segment = [tracks, element(CLUSTER, &blocks.concat())].concat();
        [element(EBML, b"matroska"), element(SEGMENT, &segment)].concat()
    }

    /// The file as a demuxer gets it in parts of this size, and how many of them are fetched.
    fn through(file: &[u8], part: usize) -> (Vec<u8>, usize) {
        let mut pictures = Pictures::new();
        let (mut got, mut fetched) = (Vec::new(), 0);
        while got.len() < file.len() {
            let unwanted = pictures.unwanted(got.len() as u64) as usize;
            if unwanted > 0 {
                got.resize((got.len() + unwanted).min(file.len()), 0);
                continue;
            }
            let start = got.len() - got.len() % part;
            let end = (start + part).min(file.len());
            pictures.look(start as u64, &file[start..end], end == file.len());
            fetched += 1;
            got.extend_from_slice(&file[got.len()..end]);
        }
        (got, fetched)
    }

    #[test]
    fn sound_and_headers_are_given_wherever_parts_are_cut_and_only_pictures_are_not() {
        let file = file();
        for part in 20..2_000 {
            let (got, fetched) = through(&file, part);
            let differ = got.iter().zip(&file).filter(|(got, is)| got != is);
            let lost: Vec<_> = differ.map(|(got, is)| (*got, *is)).collect();
            assert!(lost.iter().all(|lost| *lost == (0, 2)), "parts of {part}");
            // No more than those at both ends of the two large pictures.
            assert!(
                lost.len() + 5 * part > 14_000,
                "parts of {part}: {} bytes",
                lost.len()
            );
            assert!(fetched <= 4_000 / part + 7, "parts of {part}: {fetched}");
        }
    }

    #[test]
    fn what_is_not_understood_is_given_as_it_is() {
        let plain = file();
        let mut other = plain.clone();
        other[0] = 0;
        assert!(through(&other, 100).0 == other);
        for at in 0..110 {
            let mut damaged = plain.clone();
            damaged[at] ^= 0x5A;
            let (got, _) = through(&damaged, 100);
            let is_given = |(got, is): (&u8, &u8)| got == is || *is == 2;
            assert!(got.iter().zip(&damaged).all(is_given), "damaged at {at}");
        }
    }
}
