//! The header of an MPEG layer III frame (ISO 11172-3, 2.4.2.3; ISO 13818-3), as far as it says how long the frame is and what
//! follows it.

use crate::pcm::Spec;

/// kbit/s by index, of MPEG-1 and of MPEG-2 and 2.5. Index 0 is "free", 15 is forbidden.
const KBPS: [[u32; 15]; 2] = [
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Hz by index, of MPEG-1. MPEG-2 has half, MPEG-2.5 a quarter.
const RATES_HZ: [u32; 3] = [44_100, 48_000, 32_000];

/// What the four bytes at the start of a frame say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The whole frame, header included.
    pub(crate) bytes: usize,
    pub(crate) kbps: u32,
    /// Bytes of header and side information, before the sound. A checksum between the two isn't counted.
    pub(crate) side_bytes: usize,
    rate_hz: u32,
    channels: u8,
    /// The channels are the sum of both and their difference.
    pub(crate) is_mid_side: bool,
    /// A checksum of two bytes follows the header.
    pub(crate) has_checksum: bool,
}

impl Header {
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        let &[0xFF, version, rates, mode, ..] = frame else {
            return None;
        };
        let (is_mpeg1, rate_divisor) = match version & 0b1111_1110 {
            0b1111_1010 => (true, 1),
            0b1111_0010 => (false, 2),
            0b1110_0010 => (false, 4),
            _ => return None,
        };
        let has_checksum = version & 1 == 0;
        let kbps = *KBPS[usize::from(!is_mpeg1)].get(usize::from(rates >> 4))?;
        let rate_hz = RATES_HZ.get(usize::from(rates >> 2 & 3))? / rate_divisor;
        let padding = u32::from(rates >> 1 & 1);
        let is_mono = mode >> 6 == 3;
        let (bytes_per_kbps, side_bytes) = match (is_mpeg1, is_mono) {
            (true, false) => (144_000, 36),
            (true, true) => (144_000, 21),
            (false, false) => (72_000, 21),
            (false, true) => (72_000, 13),
        };
        (kbps > 0).then(|| Self {
            bytes: (bytes_per_kbps * kbps / rate_hz + padding) as usize,
            kbps,
            side_bytes,
            rate_hz,
            channels: if is_mono { 1 } else { 2 },
            is_mid_side: mode >> 6 == 1 && mode & 0b10_0000 != 0,
            has_checksum,
        })
    }

    /// What all frames of an MP3 have in common: the rate says the version too.
    pub(crate) fn spec(&self) -> Spec {
        Spec {
            rate_hz: self.rate_hz,
            channels: self.channels,
        }
    }

    /// How many bytes before this frame its sound begins, in the room that the frames before it left (the reservoir).
    pub(crate) fn leans_on(&self, frame: &[u8]) -> usize {
        match self.side_info(frame) {
            [high, low, ..] if self.is_mpeg1() => {
                usize::from(u16::from_be_bytes([*high, *low]) >> 7)
            }
            [all, ..] => usize::from(*all),
            [] => 0,
        }
    }

    /// What is between the header and the sound, and what follows.
    pub(crate) fn side_info<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = 4 + if self.has_checksum { 2 } else { 0 };
        frame.get(start..).unwrap_or_default()
    }

    /// The other two have half as many samples in a frame.
    pub(crate) fn is_mpeg1(&self) -> bool {
        self.rate_hz >= 32_000
    }
}

/// The frames of a stream, one after the other. Ends early where what follows is none.
pub(crate) struct Frames<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Frames<'a> {
    type Item = (Header, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let header = Header::read(self.0)?;
        let (frame, rest) = self.0.split_at_checked(header.bytes)?;
        self.0 = rest;
        Some((header, frame))
    }
}
