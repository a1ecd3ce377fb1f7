//! Where a sound is cut. It makes no difference to the MP3, only to time and memory.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::blocks::{BLOCK_FRAMES, PRE_ROLL_BLOCKS};
use crate::pcm::Spec;

/// PCM that all encoders have together, in blocks of up to 452 KB: 36 MB, unless there are more than five of them.
const MOST_BLOCKS: usize = 80;
const BLOCK_BYTES: u64 = 452_000;

/// The shortest segment that is worth its pre-roll, a quarter of its length: 15 s.
const FEWEST_BLOCKS: usize = 12;

/// How many blocks each segment has.
pub(crate) struct Cuts {
    given: Vec<usize>,
    /// The length of all further ones.
    then: usize,
}

impl Cuts {
    /// Segments of equal length, so many of them that the encoders finish together, as far as `duration` is right.
    /// Memory that is `held` elsewhere makes them shorter.
    pub(crate) fn for_encoders(
        encoders: NonZeroUsize,
        spec: Spec,
        duration: Option<Duration>,
        held_bytes: u64,
    ) -> Self {
        let held_blocks = usize::try_from(held_bytes.div_ceil(BLOCK_BYTES)).unwrap_or(MOST_BLOCKS);
        let most = (MOST_BLOCKS.saturating_sub(held_blocks) / encoders)
            .saturating_sub(PRE_ROLL_BLOCKS)
            .max(FEWEST_BLOCKS);
        let then = duration.map_or(most, |duration| {
            let block_samples = BLOCK_FRAMES * spec.frame_samples();
            let blocks = duration.as_secs_f64() * f64::from(spec.rate_hz) / block_samples as f64;
            let blocks = (blocks as usize).saturating_add(2); // a part of a block, and a container's rounding
            let rounds = blocks.div_ceil(most).div_ceil(encoders.get());
            let segments = rounds.saturating_mul(encoders.get());
            blocks.div_ceil(segments).clamp(FEWEST_BLOCKS, most)
        });
        Self {
            given: Vec::new(),
            then,
        }
    }

    /// Segments of these lengths, and one of all the rest.
    #[cfg(feature = "test-media")]
    pub(crate) fn at(blocks: &[usize]) -> Self {
        Self {
            given: blocks.iter().rev().copied().collect(),
            then: usize::MAX,
        }
    }

    /// The blocks of the next segment.
    pub(crate) fn next(&mut self) -> usize {
        self.given.pop().unwrap_or(self.then)
    }
}
