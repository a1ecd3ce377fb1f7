//! Turns a sound down where it would be too loud for what it is played on, and only there.
//!
//! A look-ahead limiter of true peaks, built as Geraint Luff describes it ("Designing a straightforward limiter", Signalsmith
//! Audio, 2022): what the gain may be at each moment, the least of that over some time, a slow return from it, and an average that
//! makes a slope of each step. No sample gets beyond the ceiling, and both channels are turned down together.
//!
//! | | | |
//! | --- | --- | --- |
//! | attack | 5 ms | before a peak the gain begins to fall, in a straight line |
//! | hold | 10 ms | after it the gain stays: half a wave of 50 Hz, so that it doesn't follow the wave itself |
//! | release | 100 ms | the time constant of its return, that of the limiter in FFmpeg's `loudnorm` |
//!
//! The gain is settled once per block of 2.5 ms, which makes it cheap, and so small a thing that what sixty gains would come to can
//! be told in one pass (`forecast.rs`).

use crate::pcm::{Pcm, Spec};
use crate::true_peak::{Peaks, block_samples};

/// In blocks.
const ATTACK: usize = 2;
const HOLD: usize = 4;

/// What a block's gain depends on: those before it, itself, and those after it.
const WINDOW: usize = HOLD + 1 + ATTACK;

/// The part of the way back that the gain goes in a block: 1 - e^(-2.5 / 100).
const RELEASE: f32 = 0.024_690;

/// A sound on its way through the limiter, of which two blocks and a piece are held back.
pub(crate) struct Limiter {
    block_samples: usize,
    peaks: Peaks,
    envelope: Envelope<1>,
    held: Pcm,
    /// So many of the held samples are as they are to be.
    done: usize,
}

impl Limiter {
    /// Multiplies by `gain`, and then lets nothing beyond `ceiling`.
    pub(crate) fn new(spec: Spec, gain: f32, ceiling: f32) -> Self {
        Self {
            block_samples: block_samples(spec),
            peaks: Peaks::new(spec),
            envelope: Envelope::new([gain], ceiling),
            held: Pcm::default(),
            done: 0,
        }
    }

    /// Takes the next bit of the sound, and gives what is finished.
    pub(crate) fn push(&mut self, mut pcm: Pcm) -> Option<Pcm> {
        self.peaks.push(&pcm);
        self.held.append(&mut pcm);
        while let Some(peak) = self.peaks.next() {
            self.take(peak);
        }
        self.finished()
    }

    /// There is no more sound: gives the rest.
    pub(crate) fn end(mut self) -> Option<Pcm> {
        self.peaks.end();
        while let Some(peak) = self.peaks.next() {
            self.take(peak);
        }
        for silence in [0.0; ATTACK] {
            self.take(silence);
        }
        self.finished()
    }

    fn take(&mut self, peak: f32) {
        let Some(Ramps {
            from: [from],
            to: [to],
        }) = self.envelope.push(peak)
        else {
            return;
        };
        let step = (to - from) / self.block_samples as f32;
        let end = (self.done + self.block_samples).min(self.held.left.len());
        for channel in [&mut self.held.left, &mut self.held.right] {
            let block = channel.get_mut(self.done..end).unwrap_or_default();
            for (n, sample) in block.iter_mut().enumerate() {
                *sample *= from + step * n as f32;
            }
        }
        self.done = end;
    }

    fn finished(&mut self) -> Option<Pcm> {
        let done = std::mem::take(&mut self.done);
        (done > 0).then(|| self.held.take_front(done))
    }
}

/// What a sound is multiplied by, block by block, for each of `N` gains that it might get.
pub(crate) struct Envelope<const N: usize> {
    gains: [f32; N],
    ceiling: f32,
    blocks: usize,
    /// What each of the last blocks allows, on top of the gains.
    allowed: [[f32; N]; WINDOW],
    /// The least of that, and the way back from it.
    least: [[f32; N]; ATTACK],
    to: [f32; N],
}

/// What a block's first sample is multiplied by, and what the one after its last, in a straight line.
pub(crate) struct Ramps<const N: usize> {
    pub(crate) from: [f32; N],
    pub(crate) to: [f32; N],
}

impl<const N: usize> Envelope<N> {
    /// So many blocks after its own peak a block's ramps are known.
    pub(crate) const DELAY: usize = ATTACK;

    pub(crate) fn new(gains: [f32; N], ceiling: f32) -> Self {
        Self {
            gains,
            ceiling,
            blocks: 0,
            allowed: [[1.0; N]; WINDOW],
            least: [[1.0; N]; ATTACK],
            to: gains,
        }
    }

    /// Takes the peak of the next block, and gives the ramps of the one that was [`DELAY`](Self::DELAY) before it, if there was
    /// one.
    pub(crate) fn push(&mut self, peak: f32) -> Option<Ramps<N>> {
        let number = self.blocks;
        self.blocks += 1;
        let allowed = &mut self.allowed[number % WINDOW];
        for (allowed, gain) in allowed.iter_mut().zip(&self.gains) {
            *allowed = lesser(self.ceiling / (gain * peak), 1.0);
        }
        // From where it was a block ago.
        let mut least = self.least[(number + ATTACK - 1) % ATTACK];
        for least in &mut least {
            *least += (1.0 - *least) * RELEASE;
        }
        for allowed in &self.allowed {
            for (least, allowed) in least.iter_mut().zip(allowed) {
                *least = lesser(*least, *allowed);
            }
        }
        self.least[number % ATTACK] = least;
        let mut to = [0.0; N];
        for least in &self.least {
            for (to, least) in to.iter_mut().zip(least) {
                *to += least / ATTACK as f32;
            }
        }
        for (to, gain) in to.iter_mut().zip(&self.gains) {
            *to *= gain;
        }
        let from = std::mem::replace(&mut self.to, to);
        (number >= Self::DELAY).then_some(Ramps { from, to })
    }
}

/// `f32::min` without a thought for what is no number, so that many are compared at a time.
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPEC: Spec = Spec {
        rate_hz: 48_000,
        channels: 1,
    };

    /// What becomes of a sound that comes in pieces of these lengths.
    fn limited(sound: &[f32], lengths: &[usize], gain: f32) -> Vec<f32> {
        let mut limiter = Limiter::new(SPEC, gain, 0.5);
        let (mut rest, mut all) = (sound, Vec::new());
        for &length in lengths.iter().chain([&usize::MAX]) {
            let (piece, more) = rest.split_at(length.min(rest.len()));
            rest = more;
            let pcm = Pcm {
                left: piece.to_vec(),
                right: vec![],
            };
            all.extend(limiter.push(pcm).unwrap_or_default().left);
            assert!(limiter.held.left.len() < 4 * 120, "{length}");
        }
        all.extend(limiter.end().unwrap_or_default().left);
        assert_eq!(all.len(), sound.len());
        all
    }

    /// A second of a tone at 480 Hz, with a blow in its middle.
    fn with_a_blow() -> Vec<f32> {
        let tone = |n: usize| (n as f32 * std::f32::consts::TAU / 100.0).sin();
        let level = |n: usize| {
            if (24_000..24_100).contains(&n) {
                0.9
            } else {
                0.1
            }
        };
        (0..48_000).map(|n| tone(n) * level(n)).collect()
    }

    #[test]
    fn what_stays_below_the_ceiling_is_only_multiplied() {
        let sound: Vec<f32> = with_a_blow().iter().map(|sample| sample / 2.0).collect();
        let expected: Vec<f32> = sound.iter().map(|sample| sample * 1.1).collect();
        assert_eq!(limited(&sound, &[], 1.1), expected);
    }

    #[test]
    fn a_blow_is_turned_down_in_time_and_what_is_far_from_it_is_not() {
        let sound = with_a_blow();
        let limited = limited(&sound, &[], 2.0);
        let highest = limited.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!((0.45..=0.5001).contains(&highest), "{highest}");
        // In dB below twice the sound, where that isn't near zero.
        let less = |n: usize| 20.0 * (2.0 * sound[n] / limited[n]).log10();
        assert_eq!(less(24_000 - 480 + 25), 0.0, "10 ms before");
        assert!(less(24_025) > 11.0, "{}", less(24_025));
        assert!(less(24_000 + 480 + 25) > 10.0, "held for 10 ms");
        assert!(less(24_000 + 2_400 + 25) > 3.0, "50 ms after");
        assert!(less(48_000 - 75) < 0.1, "half a second after");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn no_sample_gets_beyond_the_ceiling_however_they_come(
            levels in prop::collection::vec(0.0_f32..2.0, 1..60),
            lengths in prop::collection::vec(0_usize..400, 0..20),
            gain in 0.5_f32..100.0,
        ) {
            let level = |n: usize| levels[n / 97 % levels.len()];
            let sound: Vec<f32> = (0..5_000).map(|n| (n as f32 * 0.7).sin() * level(n)).collect();
            let at_once = limited(&sound, &[], gain);
            prop_assert!(at_once.iter().all(|sample| sample.abs() <= 0.500_001));
            prop_assert!(limited(&sound, &lengths, gain) == at_once);
        }
    }
}
