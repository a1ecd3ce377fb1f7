//! Where a sound is cut. It makes no difference to the MP3, only to time and memory.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::blocks::{BLOCK_FRAMES, PRE_ROLL_BLOCKS};
use crate::pcm::Spec;

/// PCM that all encoders have together, in blocks of up to 452 KB: 27 MB, unless there are more than four of them.
const MOST_BLOCKS: usize = 60;
const BLOCK_BYTES: u64 = 452_000;

/// The shortest segment that is worth its pre-roll, a quarter of its length: 15 s.
const FEWEST_BLOCKS: usize = 12;

/// How many blocks each segment has.
pub(crate) struct Cuts {
    given: Vec<usize>,
    encoders: usize,
    /// How many whole segments each encoder would get. None is known if the duration isn't.
    rounds: usize,
    whole: usize,
    taken: usize,
}

impl Cuts {
    /// Encoders that finish together at the end, as far as `duration` is right, and nowhere else: one after the other they
    /// get their next segment, which is decoded while the others encode.
    ///
    /// So the first segments are unequal: with two encoders half a segment and a whole one. The last ones make up for it.
    /// Memory that is `held` elsewhere makes all of them shorter.
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
        let mut cuts = Self {
            given: Vec::new(),
            encoders: encoders.get(),
            rounds: 0,
            whole: most,
            taken: 0,
        };
        if let Some(duration) = duration {
            let block_samples = BLOCK_FRAMES * spec.frame_samples();
            let blocks = duration.as_secs_f64() * f64::from(spec.rate_hz) / block_samples as f64;
            let blocks = (blocks as usize).saturating_add(2); // a part of a block, and a container's rounding
            cuts.rounds = blocks.div_ceil(most).div_ceil(encoders.get());
            let segments = cuts.rounds.saturating_mul(encoders.get());
            cuts.whole = blocks.div_ceil(segments).clamp(FEWEST_BLOCKS, most);
        }
        cuts
    }

    /// Segments of these lengths, and one of all the rest.
    #[cfg(feature = "test-media")]
    pub(crate) fn at(blocks: &[usize]) -> Self {
        Self {
            given: blocks.iter().rev().copied().collect(),
            encoders: 1,
            rounds: 0,
            whole: usize::MAX,
            taken: 0,
        }
    }

    /// The blocks of the next segment.
    pub(crate) fn next(&mut self) -> usize {
        if let Some(given) = self.given.pop() {
            return given;
        }
        let number = self.taken;
        self.taken = number.saturating_add(1);
        if self.rounds < 2 {
            return self.whole; // too few to be worth more pre-roll
        }
        if number < self.encoders {
            return self.part(number + 1);
        }
        match number.checked_sub(self.encoders.saturating_mul(self.rounds)) {
            Some(last) if last + 1 < self.encoders => self.part(self.encoders - 1 - last),
            _ => self.whole,
        }
    }

    /// So many of `encoders` parts of a segment.
    fn part(&self, parts: usize) -> usize {
        let blocks = (self.whole * parts).div_ceil(self.encoders);
        blocks.max(FEWEST_BLOCKS / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        rate_hz: 44_100,
        channels: 2,
    };

    /// When each of the encoders is done, if all take what comes next as soon as they are.
    fn ends(encoders: usize, seconds: u64) -> (Vec<usize>, usize) {
        let duration = Duration::from_secs(seconds);
        let count = NonZeroUsize::new(encoders).expect("not zero");
        let mut cuts = Cuts::for_encoders(count, SPEC, Some(duration), 0);
        let mut left = (seconds as usize * 44_100).div_ceil(BLOCK_FRAMES * 1152);
        let (mut ends, mut met) = (vec![0; encoders], 0);
        while left > 0 {
            let next = cuts.next().min(left);
            left -= next;
            let first = ends.iter_mut().min().expect("an encoder");
            *first += next;
            let end = *first;
            met += usize::from(left > 0 && ends.iter().filter(|other| **other == end).count() > 1);
        }
        (ends, met)
    }

    #[test]
    fn encoders_finish_together_at_the_end_and_hardly_ever_before() {
        for encoders in [2, 3, 4, 6, 8] {
            for seconds in [200, 596, 600, 3_607, 7_200] {
                let (ends, met) = ends(encoders, seconds);
                let (first, last) = (ends.iter().min(), ends.iter().max());
                let apart = last.expect("one") - first.expect("one");
                assert!(apart <= FEWEST_BLOCKS, "{encoders}, {seconds} s: {ends:?}");
                // Of many encoders, some have segments so short that they share their moments.
                let is_bound = encoders <= 3;
                assert!(
                    met <= encoders || !is_bound,
                    "{encoders}, {seconds} s: {met} times"
                );
            }
        }
    }

    #[test]
    fn a_duration_that_nobody_lives_to_hear_makes_segments_like_any_other() {
        let two = NonZeroUsize::new(2).expect("not zero");
        let mut cuts = Cuts::for_encoders(two, SPEC, Some(Duration::MAX), 0);
        assert!((0..1000).all(|_| (1..=MOST_BLOCKS).contains(&cuts.next())));
    }
}
