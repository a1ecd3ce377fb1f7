//! What a copied MP3 track says about itself, and the tag frame that says it anew.
//!
//! The first frame of a track may hold no sound but a tag: Xing's, which LAME and libavformat extend, or Fraunhofer's VBRI.

use crate::fields::Fields;
use crate::frame::Header;
use crate::tag_frame::ALL_FLAGS;

/// What every decoder adds at the start, and an encoder's delay in a tag doesn't count.
const DECODER_DELAY: u32 = 529;

/// Delay and padding have twelve bits each.
const MOST: u32 = 0xFFF;

const EXTENSION_BYTES: usize = 36;

/// Where a Xing tag with all of its parts has LAME's extension, from the end of the side information.
const EXTENSION: usize = 120;

/// What players need to leave out what the encoder added, and what they may like to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceTag {
    quality: [u8; 4],
    /// LAME's extension. All zeros where nothing is known of the encoder.
    extension: Vec<u8>,
}

impl SourceTag {
    /// The most samples that a tag can tell players to leave out.
    pub(crate) const MOST_TRIMMED: u64 = 2 * MOST as u64;

    /// The tag in a track's first frame. `None` if that one holds sound.
    pub(crate) fn read(header: &Header, frame: &[u8]) -> Option<Self> {
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Self::default());
        }
        let tag = frame.get(header.side_bytes..)?;
        let (b"Xing" | b"Info", rest) = tag.split_at_checked(4)? else {
            return None;
        };
        let mut fields = Fields(rest);
        let flags = fields.bytes(4).and_then(|flags| flags.last().copied());
        let flags = flags.unwrap_or_default();
        for (bit, bytes) in [(1, 4), (2, 4), (4, 100)] {
            if flags & bit != 0 {
                fields.bytes(bytes);
            }
        }
        let mut read = Self::default();
        if let Some(quality) = (flags & 8 != 0).then(|| fields.bytes(4)).flatten() {
            read.quality.copy_from_slice(quality);
        }
        if let Some(extension) = fields.bytes(EXTENSION_BYTES)
            && matches!(&extension[..4], b"LAME" | b"Lavf" | b"Lavc")
        {
            read.extension = extension.to_vec();
        }
        Some(read)
    }

    /// The tag of a track of which the container knows how many samples at both ends aren't the sound's. `None` where
    /// that can't be said in a tag.
    ///
    /// A tag can't say that a decoder's own delay is to be heard. It is silence, and Matroska often counts it in.
    pub(crate) fn of_trim(start: u32, end: u32) -> Option<Self> {
        if (start, end) == (0, 0) {
            return Some(Self::default());
        }
        let delay = Some(start.saturating_sub(DECODER_DELAY)).filter(|&delay| delay <= MOST)?;
        let padding = end
            .checked_add(DECODER_DELAY)
            .filter(|&padding| padding <= MOST)?;
        let mut extension = vec![0; EXTENSION_BYTES];
        // Those who don't know an encoder's name don't believe its delay. It says no version.
        extension[..4].copy_from_slice(b"LAME");
        let [_, both @ ..] = (delay << 12 | padding).to_be_bytes();
        extension[21..24].copy_from_slice(&both);
        Some(Self {
            quality: [0; 4],
            extension,
        })
    }

    /// Whether it says anything about the ends of the sound.
    pub(crate) fn knows_ends(&self) -> bool {
        !self.extension.is_empty()
    }

    /// So many samples that are decoded aren't the sound's: at its start and at its end.
    pub(crate) fn ends(&self) -> (u64, u64) {
        let Some(&[high, middle, low]) = self.extension.get(21..24) else {
            return (0, 0);
        };
        let both = u32::from_be_bytes([0, high, middle, low]);
        let (delay, padding) = (both >> 12, both & MOST);
        (
            u64::from(delay + DECODER_DELAY),
            u64::from(padding.saturating_sub(DECODER_DELAY)),
        )
    }

    /// Those at both ends together.
    pub(crate) fn trimmed(&self) -> u64 {
        let (start, end) = self.ends();
        start + end
    }

    /// A tag frame for the place before a track's frames, the first of which begins with `header`. What is counted
    /// is to be [filled in](crate::tag_frame::Summary::complete). `kbps` is of all frames, if they have that in common.
    pub(crate) fn frame(&self, header: [u8; 4], kbps: Option<u32>) -> Option<Vec<u8>> {
        let [sync, version, rates, mode] = header;
        let read = (1..15_u8).filter_map(|bitrate| {
            let header = [sync, version | 1, bitrate << 4 | rates & 0b1100, mode];
            Header::read(&header).map(|read| (header, read))
        });
        // The smallest that has room, or that of all other frames if it has.
        let mut roomy =
            read.filter(|(_, read)| read.bytes >= read.side_bytes + EXTENSION + EXTENSION_BYTES);
        let smallest = roomy.next()?;
        let same = roomy.find(|(_, read)| Some(read.kbps) == kbps);
        let (header, read) = same.unwrap_or(smallest);

        let mut frame = vec![0; read.bytes];
        frame[..4].copy_from_slice(&header);
        let tag = &mut frame[read.side_bytes..];
        tag[..4].copy_from_slice(if kbps.is_some() { b"Info" } else { b"Xing" });
        tag[4..8].copy_from_slice(&ALL_FLAGS);
        tag[EXTENSION - 4..EXTENSION].copy_from_slice(&self.quality);
        if self.knows_ends() {
            tag[EXTENSION..EXTENSION + EXTENSION_BYTES].copy_from_slice(&self.extension);
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: [u8; 4] = [0xFF, 0xFB, 0x90, 0x44];

    #[test]
    fn a_tag_frame_says_again_what_was_read() {
        for (start, end, trimmed) in [(1105, 0, 1105), (0, 1, 530), (4624, 3566, 8190)] {
            let tag = SourceTag::of_trim(start, end).expect("it can be said");
            assert_eq!(tag.trimmed(), trimmed);
            assert!(trimmed <= SourceTag::MOST_TRIMMED);
            for kbps in [None, Some(128), Some(32)] {
                let frame = tag.frame(STEREO, kbps).expect("a frame");
                let header = Header::read(&frame).expect("a header");
                assert_eq!(frame.len(), header.bytes);
                assert_eq!(SourceTag::read(&header, &frame).as_ref(), Some(&tag));
            }
        }
    }

    #[test]
    fn every_rate_and_layout_has_a_frame_with_room_for_a_tag() {
        for version in [0xFB, 0xF3, 0xE3] {
            for rate in 0..3 {
                for mode in [0x00, 0xC0] {
                    let header = [0xFF, version, 0x10 | rate << 2, mode];
                    let frame = SourceTag::default().frame(header, None).expect("a frame");
                    let read = Header::read(&frame).expect("a header");
                    let first = Header::read(&header).expect("a header");
                    assert_eq!(read.spec(), first.spec());
                    assert_eq!(SourceTag::read(&read, &frame), Some(SourceTag::default()));
                }
            }
        }
    }

    #[test]
    fn what_twelve_bits_cannot_say_is_not_said() {
        for (start, end) in [(4625, 0), (1105, 3567)] {
            assert_eq!(SourceTag::of_trim(start, end), None, "{start}, {end}");
        }
        let nothing = SourceTag::of_trim(0, 0).expect("nothing to say");
        assert_eq!((nothing.trimmed(), nothing.knows_ends()), (0, false));
    }

    #[test]
    fn a_frame_of_sound_is_no_tag_and_a_cut_tag_says_nothing() {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&STEREO);
        let header = Header::read(&frame).expect("a header");
        assert_eq!(SourceTag::read(&header, &frame), None);
        frame[36..40].copy_from_slice(b"Xing");
        let nothing = Some(SourceTag::default());
        assert_eq!(SourceTag::read(&header, &frame), nothing);
        assert_eq!(SourceTag::read(&header, &frame[..45]), nothing);
        frame[36..40].copy_from_slice(b"VBRI");
        assert_eq!(SourceTag::read(&header, &frame), nothing);
    }
}
