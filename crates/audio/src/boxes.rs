//! The top-level boxes of MP4 and MOV files (ISO/IEC 14496-12, the QuickTime File Format), one after the other.
//!
//! In a file of fragments they are all over it, often with one part of its index in each chunk that is fetched. So they are
//! followed while the file is read for its sound, which passes all of them anyway, and a cut shows up only at the end.

use std::io::{self, Read, Seek};

use crate::extent::{MAX_PARTS, read_at};

const KINDS: &[&[u8; 4]] = &[
    b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"ssix", b"prft", b"emsg",
    b"pdin", b"free", b"skip", b"wide", b"uuid", b"meta", b"udta", b"pnot", b"PICT", b"imda",
];

/// A size of four bytes, a kind, and for large boxes a size of eight bytes.
const HEADER_BYTES: usize = 16;

/// A box without a large size.
const LEAST_BYTES: u64 = 8;

/// Whether there may be such a box at the top level.
pub(crate) fn is_known(kind: [u8; 4]) -> bool {
    KINDS.contains(&&kind)
}

/// How far the boxes of a file are known.
#[derive(Debug, Clone)]
pub(crate) struct Boxes {
    length: u64,
    /// Where the next one begins.
    next: u64,
    /// What was seen of its header.
    carry: Vec<u8>,
    count: usize,
    has_moov: bool,
    has_fragments: bool,
    /// How many bytes they say the file has at least, if they do. Known once nothing more can be learnt.
    declared: Option<Option<u64>>,
}

impl Boxes {
    /// Those of a file of so many bytes, or of a pipe without an end.
    pub(crate) fn new(length: u64) -> Self {
        let mut boxes = Self {
            length,
            next: 0,
            carry: Vec::new(),
            count: 0,
            has_moov: false,
            has_fragments: false,
            declared: None,
        };
        boxes.end_if_over();
        boxes
    }

    /// How many bytes the file has, at least. `None` while there are boxes to be looked at.
    pub(crate) fn declared(&self) -> Option<Option<u64>> {
        self.declared
    }

    /// Where the last one ends that was seen to begin, unless something else came after it.
    pub(crate) fn reach(&self) -> Option<u64> {
        self.declared.is_none().then_some(self.next)
    }

    /// Reads the headers that are still to come, or only those before a file's fragments.
    pub(crate) fn walk(
        &mut self,
        input: &mut (impl Read + Seek),
        up_to_fragments: bool,
    ) -> io::Result<()> {
        self.carry.clear();
        while self.declared.is_none() && !(up_to_fragments && self.has_fragments) {
            let header = read_at(input, self.next)?;
            self.take(header);
        }
        Ok(())
    }

    /// Looks at a part of the file, which begins at `start`.
    pub(crate) fn look(&mut self, start: u64, part: &[u8]) {
        while self.declared.is_none() {
            let seen = self.next + self.carry.len() as u64;
            let unseen = seen
                .checked_sub(start)
                .and_then(|from| part.get(usize::try_from(from).ok()?..))
                .unwrap_or_default();
            let left = usize::try_from(self.length - seen).unwrap_or(usize::MAX);
            let missing = (HEADER_BYTES - self.carry.len()).min(left);
            self.carry
                .extend_from_slice(unseen.get(..missing).unwrap_or(unseen));
            if unseen.len() < missing {
                return;
            }
            let mut header = [0; HEADER_BYTES];
            header[..self.carry.len()].copy_from_slice(&self.carry);
            self.carry.clear();
            self.take(header);
        }
    }

    /// Passes over the next box, which begins with these bytes: zeros where the file ends before.
    fn take(&mut self, header: [u8; HEADER_BYTES]) {
        let [s0, s1, s2, s3, a, b, c, d, large @ ..] = header;
        let kind = [a, b, c, d];
        let left = self.length - self.next;
        let size = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => left,
            // Cut in the middle of its size.
            1 if left < HEADER_BYTES as u64 => HEADER_BYTES as u64,
            1 => u64::from_be_bytes(large),
            size => u64::from(size),
        };
        self.count += 1;
        if !is_known(kind) || size < LEAST_BYTES || self.count == MAX_PARTS {
            // Something was appended, or is damaged: the boxes say no more.
            self.declared = Some(None);
            return;
        }
        self.has_fragments |= &kind == b"moof" && self.has_moov;
        self.has_moov |= &kind == b"moov";
        self.next = self.next.saturating_add(size);
        self.end_if_over();
    }

    fn end_if_over(&mut self) {
        if self.next > self.length {
            self.declared = Some(Some(self.next));
        } else if self.length - self.next < LEAST_BYTES {
            // The index comes last in what a camera writes: without it the end is missing, however well the rest fits.
            let missing = self.length.saturating_add(LEAST_BYTES);
            self.declared = Some((!self.has_moov).then_some(missing));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn atom(kind: &[u8; 4], bytes: usize) -> Vec<u8> {
        let mut atom = (bytes as u32 + 8).to_be_bytes().to_vec();
        atom.extend(kind);
        atom.resize(bytes + 8, 7);
        atom
    }

    /// A file, and where its boxes end.
    fn in_fragments() -> (Vec<u8>, Vec<usize>) {
        let mut file = atom(b"ftyp", 12);
        file.extend(atom(b"moov", 50));
        let mut ends = vec![file.len()];
        for fragment in 0..20 {
            file.extend(atom(b"moof", 40 + fragment % 5));
            ends.push(file.len());
            if fragment == 7 {
                file.extend([0, 0, 0, 1]);
                file.extend(b"mdat");
                file.extend(116_u64.to_be_bytes());
                file.resize(file.len() + 100, 7);
            } else {
                file.extend(atom(b"mdat", 200));
            }
            ends.push(file.len());
        }
        (file, ends)
    }

    /// How far the boxes are known before the file is read, and after it was read in parts of this size.
    fn read(file: &[u8], part: usize) -> (Boxes, Boxes) {
        let mut boxes = Boxes::new(file.len() as u64);
        let walked = boxes.walk(&mut Cursor::new(file), true);
        walked.expect("a cursor can't fail");
        let before = boxes.clone();
        for (number, bytes) in file.chunks(part).enumerate() {
            boxes.look((number * part) as u64, bytes);
        }
        (before, boxes)
    }

    #[test]
    fn the_end_of_fragments_is_known_once_they_were_read_however_they_were_cut() {
        let (file, ends) = in_fragments();
        for part in 1..300 {
            let (before, after) = read(&file, part);
            assert_eq!(before.declared(), None);
            assert_eq!(after.declared(), Some(None), "parts of {part}");
        }
        for cut in ends[1]..file.len() {
            let (_, after) = read(&file[..cut], 51);
            let declared = after.declared().expect("all of it was read");
            // The start of a header isn't worth a word.
            let is_between = ends.iter().any(|end| (*end..end + 8).contains(&cut));
            assert_eq!(declared.is_none(), is_between, "cut at {cut}");
            assert!(declared.is_none_or(|declared| declared > cut as u64));
        }
    }

    #[test]
    fn what_was_not_read_for_its_sound_is_looked_at_in_the_end() {
        let (file, _) = in_fragments();
        let cut = &file[..file.len() - 1];
        let mut boxes = Boxes::new(cut.len() as u64);
        boxes.look(0, &cut[..300]);
        boxes.look(1000, &cut[1000..1500]);
        assert_eq!(boxes.declared(), None);
        let walked = boxes.walk(&mut Cursor::new(cut), false);
        walked.expect("a cursor can't fail");
        assert_eq!(boxes.declared(), Some(Some(file.len() as u64)));
    }
}
