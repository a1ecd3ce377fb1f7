//! How loud the sound of an MP3 frame may be, by its side information (ISO 11172-3, 2.4.1.7; ISO 13818-3, 2.4.1.7) and without
//! decoding it: an estimate, good enough to be drawn.
//!
//! A spectral line is `|n|^(4/3) · 2^((global_gain - 210) / 4)`, where `n` is a whole number, coded by tables each of which has a
//! greatest one. So the tables that a granule uses tell about how strong its strongest line is. Scale factors, which make some lines
//! weaker, are with the sound and passed over: so the powers below aren't those of the formula but what fits the film's sound best,
//! at V2, 128 and 320 kbit/s, and what is off in one granule is evened out over four.

use std::array;

use crate::frame::Header;

/// A frame of MPEG-1 has two of them, of the others one.
pub(crate) const GRANULE_SAMPLES: usize = 576;

/// From gain and greatest number, in powers of two, to the level of the samples.
const BASE: f32 = 0.5;
const OF_GAIN: f32 = 0.8;
const OF_NUMBER: f32 = 1.0;

/// The level of silence, in powers of two: none that can be drawn.
const SILENCE: f32 = -17.0;

/// The greatest number of each table without further bits (ISO 11172-3, table B.7). There is none for 4 and 14.
const GREATEST: [u8; 16] = [0, 1, 2, 2, 2, 3, 3, 5, 5, 5, 7, 7, 7, 15, 15, 15];

/// Those bits, of tables 16 to 31, which add to 15.
const MORE_BITS: [u8; 16] = [1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13];

/// What the frames of a track say, one after the other.
pub(crate) struct Estimate {
    /// The levels of the last granules, in powers of two.
    last: [f32; 4],
    granules: usize,
}

impl Default for Estimate {
    fn default() -> Self {
        Self {
            last: [SILENCE; 4],
            granules: 0,
        }
    }
}

impl Estimate {
    /// About the greatest level in each of the next frame's granules, of full scale 1.
    pub(crate) fn levels(&mut self, header: &Header, frame: &[u8]) -> impl Iterator<Item = f32> {
        let mut bits = Bits {
            bytes: header.side_info(frame),
            at: 0,
        };
        let channels = header.spec().channels;
        let is_mpeg1 = header.is_mpeg1();
        // Half of what both channels have together, as far as it is the same.
        let shared = if header.is_mid_side {
            0.5 * OF_GAIN
        } else {
            0.0
        };
        // Where the sound begins, private bits, and what the granules share.
        bits.skip(match (is_mpeg1, channels) {
            (true, 1) => 9 + 5 + 4,
            (true, _) => 9 + 3 + 8,
            (false, 1) => 8 + 1,
            (false, _) => 8 + 2,
        });
        (0..if is_mpeg1 { 2 } else { 1 }).map(move |_| {
            let channels = (0..channels).map(|_| level(&mut bits, is_mpeg1));
            let louder = channels.fold(SILENCE, f32::max) - shared;
            self.last[self.granules % self.last.len()] = louder;
            self.granules += 1;
            let mean = self.last.iter().sum::<f32>() / self.last.len() as f32;
            mean.exp2().min(1.0)
        })
    }
}

/// Of one channel in one granule, in powers of two.
fn level(bits: &mut Bits<'_>, is_mpeg1: bool) -> f32 {
    let length = bits.take(12);
    let big_values = bits.take(9);
    let gain = bits.take(8);
    bits.skip(if is_mpeg1 { 4 } else { 9 }); // scalefac_compress
    let is_switched = bits.take(1) == 1;
    let (tables, quieter) = if is_switched {
        bits.skip(2 + 1); // block_type, mixed_block_flag
        let tables = [bits.take(5), bits.take(5), 0];
        let windows: [u32; 3] = array::from_fn(|_| bits.take(3));
        (tables, windows.into_iter().min().unwrap_or_default())
    } else {
        let tables = array::from_fn(|_| bits.take(5));
        bits.skip(4 + 3); // region0_count, region1_count
        (tables, 0)
    };
    bits.skip(if is_mpeg1 { 3 } else { 2 }); // preflag, scalefac_scale, count1table_select
    let greatest = match big_values {
        0 => 1.0, // nothing but ones, four at a time
        _ => tables.map(usual).into_iter().fold(0.0, f32::max),
    };
    if length == 0 || greatest == 0.0 {
        return SILENCE;
    }
    let exponent = (gain as f32 - 210.0) / 4.0 - 2.0 * quieter as f32;
    BASE + OF_GAIN * exponent + OF_NUMBER * greatest.log2()
}

/// A number between the greatest that a table has and the greatest of the next smaller one, which wouldn't have done.
fn usual(table: u32) -> f32 {
    let table = table as usize;
    match (GREATEST.get(table), MORE_BITS.get(table.wrapping_sub(16))) {
        (Some(&greatest), _) => f32::from(greatest) * 0.8,
        (_, Some(&bits)) => 15.0 + 0.7 * ((1_u32 << bits) - 1) as f32,
        _ => 0.0,
    }
}

/// Bits from the highest to the lowest. Zeros after the end.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> u32 {
        let mut number = 0;
        for at in self.at..self.at + count {
            let byte = self.bytes.get(at / 8).copied().unwrap_or_default();
            number = number << 1 | u32::from(byte >> (7 - at % 8) & 1);
        }
        self.at += count;
        number
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
    }
}
