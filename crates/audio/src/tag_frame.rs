//! The first frame of an MP3: silence to a decoder, and to a player a table of what follows.
//!
//! Its layout is Xing's with LAME's extension, as `libmp3lame/VbrTag.c` of LAME 3.100 writes it.

use std::ops::Range;

use crate::Error;
use crate::frame::{Frames, Header};

// Places of what is counted, from the end of the side information.
const MAGIC: Range<usize> = 0..4;
const FLAGS: Range<usize> = 4..8;
const FRAME_COUNT: Range<usize> = 8..12;
const BYTE_COUNT: Range<usize> = 12..16;
const SEEK_TABLE: Range<usize> = 16..116;
const MUSIC_BYTES: Range<usize> = 148..152;
const MUSIC_CRC: Range<usize> = 152..154;
const TAG_CRC: Range<usize> = 154..156;

/// Frame count, byte count, seek table and quality are there.
pub(crate) const ALL_FLAGS: [u8; 4] = [0, 0, 0, 0b1111];

/// What the tag frame has to know about the frames that follow it.
#[derive(Default)]
pub(crate) struct Summary {
    frames: u32,
    bytes: u64,
    crc: Crc16,
    seek: SeekPoints,
}

impl Summary {
    /// Takes the next frames of the stream into account.
    pub(crate) fn add(&mut self, frames: &[u8]) {
        for (header, _) in Frames(frames) {
            self.frames = self.frames.saturating_add(1);
            self.seek.add(header.kbps);
        }
        self.bytes += frames.len() as u64;
        self.crc.add(frames);
    }

    /// Whether both have seen the same frames, as far as a checksum can tell.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.frames, self.bytes, self.crc.0) == (other.frames, other.bytes, other.crc.0)
    }

    /// Makes the tag frame of a stream's last segment that of the whole stream.
    ///
    /// The last encoder knows what all have in common (version, settings, delay) and how much it padded the end; what
    /// it counted is replaced.
    pub(crate) fn complete(&self, mut frame: Vec<u8>) -> Result<Vec<u8>, Error> {
        let unknown = || Error::engine("LAME made an unknown tag frame");
        let frame_bytes = frame.len() as u64;
        let start = Header::read(&frame).ok_or_else(unknown)?.side_bytes;
        let (before, tag) = frame.split_at_mut_checked(start).ok_or_else(unknown)?;
        let is_known = tag.len() >= TAG_CRC.end
            && matches!(&tag[MAGIC], b"Xing" | b"Info")
            && tag[FLAGS] == ALL_FLAGS;
        if !is_known {
            return Err(unknown());
        }
        // There is no room for more than 4 GiB. Players then go by what they read.
        let bytes = u32::try_from(self.bytes + frame_bytes).unwrap_or(u32::MAX);
        tag[FRAME_COUNT].copy_from_slice(&self.frames.to_be_bytes());
        tag[BYTE_COUNT].copy_from_slice(&bytes.to_be_bytes());
        tag[SEEK_TABLE].copy_from_slice(&self.seek.table());
        tag[MUSIC_BYTES].copy_from_slice(&bytes.to_be_bytes());
        tag[MUSIC_CRC].copy_from_slice(&self.crc.0.to_be_bytes());
        let mut crc = Crc16::default();
        crc.add(before);
        crc.add(&tag[..TAG_CRC.start]);
        tag[TAG_CRC].copy_from_slice(&crc.0.to_be_bytes());
        Ok(frame)
    }
}

/// Where in the stream each hundredth of the time begins, in constant memory.
///
/// As LAME does it, a stream's place is the sum of the bitrates of its frames. It is noted at every frame until there
/// are 400 notes; then every second note is dropped and from now on every second frame noted, and so on.
struct SeekPoints {
    sum: u32,
    notes: Vec<u32>,
    frames_per_note: u32,
    frames_since: u32,
}

impl Default for SeekPoints {
    fn default() -> Self {
        Self {
            sum: 0,
            notes: Vec::with_capacity(Self::MOST_NOTES),
            frames_per_note: 1,
            frames_since: 0,
        }
    }
}

impl SeekPoints {
    const MOST_NOTES: usize = 400;

    fn add(&mut self, kbps: u32) {
        self.sum = self.sum.saturating_add(kbps);
        self.frames_since += 1;
        if self.frames_since < self.frames_per_note {
            return;
        }
        self.frames_since = 0;
        self.notes.push(self.sum);
        if self.notes.len() == Self::MOST_NOTES {
            let mut number = 0;
            self.notes.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            self.frames_per_note *= 2;
        }
    }

    /// For each hundredth of the time, how many 256ths of the bytes come before it.
    ///
    /// The precision is LAME's and so is the order, as GCC takes it with `-ffast-math`: thus the table is LAME's to the
    /// last bit.
    fn table(&self) -> [u8; 100] {
        let mut table = [0; 100];
        let notes_per_hundredth = self.notes.len() as f32 * 0.01;
        let all = f64::from(self.sum as f32);
        for (hundredth, entry) in table.iter_mut().enumerate().skip(1) {
            let note = (notes_per_hundredth * hundredth as f32) as usize;
            if let Some(&before) = self.notes.get(note).or(self.notes.last()) {
                *entry = (256.0 * f64::from(before as f32) / all).min(255.0) as u8;
            }
        }
        table
    }
}

/// x¹⁶ + x¹⁵ + x² + 1, lowest bit first.
#[derive(Default)]
struct Crc16(u16);

impl Crc16 {
    const TABLE: [u16; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut crc = byte as u16;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0xA001
                } else {
                    crc >> 1
                };
                bit += 1;
            }
            table[byte] = crc;
            byte += 1;
        }
        table
    };

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 >> 8 ^ Self::TABLE[usize::from(self.0 as u8 ^ byte)];
        }
    }
}
