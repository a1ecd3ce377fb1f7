//! The true peaks of a sound: how far it goes between its samples too.
//!
//! At four times the rate, as ITU-R BS.1770-4 asks for in its annex 2, by the filter that libebur128 takes: a sinc under a
//! Hann window, twelve samples long. It reads low by up to 0.7 dB what is near half the rate, as the annex says of its own.

use std::array;
use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::pcm::{Pcm, Spec};

/// A value between two samples depends on so many at each side.
const REACH: usize = 6;
const TAPS: usize = 2 * REACH;

/// Of a block's first sample, so many that come before are needed too.
const BEFORE: usize = REACH - 1;

/// So many values are made at once.
const LANES: usize = 8;

/// What the samples around weigh in the three values between two samples.
static FILTERS: LazyLock<[[f32; TAPS]; 3]> = LazyLock::new(|| {
    array::from_fn(|quarter| {
        let position = BEFORE as f64 + (quarter + 1) as f64 / 4.0;
        array::from_fn(|tap| weight(tap as f64 - position) as f32)
    })
});

/// Of a sample that is so many samples away, and not none.
fn weight(distance: f64) -> f64 {
    let sinc = (PI * distance).sin() / (PI * distance);
    sinc * (1.0 + (PI * distance / REACH as f64).cos()) / 2.0
}

/// The samples that are looked at together: about 2.5 ms of them.
pub(crate) fn block_samples(spec: Spec) -> usize {
    (spec.rate_hz as usize / 400).next_multiple_of(LANES)
}

/// The greatest true peak of all channels in each [block](block_samples) of a sound.
///
/// Give it some sound, take what is known of it, give it the next.
pub(crate) struct Peaks {
    block_samples: usize,
    left: Vec<f32>,
    right: Vec<f32>,
    /// Where the next block begins in these, with what is needed before it.
    at: usize,
}

impl Peaks {
    pub(crate) fn new(spec: Spec) -> Self {
        let silence = |channels| vec![0.0; if spec.channels < channels { 0 } else { BEFORE }];
        Self {
            block_samples: block_samples(spec),
            left: silence(1),
            right: silence(2),
            at: 0,
        }
    }

    /// Takes the next bit of the sound.
    pub(crate) fn push(&mut self, pcm: &Pcm) {
        for (channel, more) in [(&mut self.left, &pcm.left), (&mut self.right, &pcm.right)] {
            channel.drain(..self.at.min(channel.len()));
            channel.extend_from_slice(more);
        }
        self.at = 0;
    }

    /// There is no more sound: silence follows, and the last block may be short.
    pub(crate) fn end(&mut self) {
        let rest = self.left.len() - self.at - BEFORE;
        let blocks = rest.next_multiple_of(self.block_samples);
        let length = self.at + BEFORE + blocks + REACH;
        for channel in [&mut self.left, &mut self.right] {
            if !channel.is_empty() {
                channel.resize(length, 0.0);
            }
        }
    }

    /// The peak of the next block. `None` where more has to be known first, and after the last.
    pub(crate) fn next(&mut self) -> Option<f32> {
        let end = self.at + BEFORE + self.block_samples + REACH;
        let left = self.left.get(self.at..end)?;
        let right = self.right.get(self.at..end).unwrap_or_default();
        self.at += self.block_samples;
        Some(greatest(left).max(greatest(right)))
    }
}

/// Of the samples and what is between them, without [`BEFORE`] at the start and [`REACH`] at the end.
fn greatest(sound: &[f32]) -> f32 {
    let mut greatest = [0.0_f32; LANES];
    for window in sound.windows(LANES + TAPS - 1).step_by(LANES) {
        keep_greater(&mut greatest, window[BEFORE..].iter().copied());
        for filter in &*FILTERS {
            let mut values = [0.0; LANES];
            for (weight, samples) in filter.iter().zip(window.windows(LANES)) {
                for (value, sample) in values.iter_mut().zip(samples) {
                    *value += weight * sample;
                }
            }
            keep_greater(&mut greatest, values.into_iter());
        }
    }
    greatest.into_iter().fold(0.0, f32::max)
}

fn keep_greater(greatest: &mut [f32; LANES], values: impl Iterator<Item = f32>) {
    for (greatest, value) in greatest.iter_mut().zip(values) {
        let level = value.abs();
        *greatest = if level > *greatest { level } else { *greatest };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        rate_hz: 48_000,
        channels: 1,
    };

    /// The peaks of a sound that comes in pieces of so many samples.
    fn peaks(samples: &[f32], piece: usize) -> Vec<f32> {
        let mut peaks = Peaks::new(SPEC);
        let mut all = Vec::new();
        for piece in samples.chunks(piece) {
            peaks.push(&Pcm {
                left: piece.to_vec(),
                right: vec![],
            });
            all.extend(std::iter::from_fn(|| peaks.next()));
        }
        peaks.end();
        all.extend(std::iter::from_fn(|| peaks.next()));
        all
    }

    /// A wave of full scale, so many samples long, that begins half a sample too late.
    fn wave(samples: usize, per_wave: f64) -> Vec<f32> {
        let wave = |n: usize| (2.0 * PI * (n as f64 + 0.5) / per_wave).sin() as f32;
        (0..samples).map(wave).collect()
    }

    #[test]
    fn the_top_of_a_wave_is_found_between_its_samples() {
        for per_wave in [4.0, 5.0, 48.0] {
            let wave = wave(1_200, per_wave);
            let sampled = wave.iter().copied().fold(0.0, f32::max);
            for peak in &peaks(&wave, 1_200)[1..9] {
                assert!((peak - 1.0).abs() < 0.02, "{per_wave}: {peak}, {sampled}");
            }
        }
    }

    #[test]
    fn every_sample_belongs_to_its_block_however_they_come() {
        let mut sound = vec![0.0; 487];
        (sound[119], sound[486]) = (-0.5, 0.25);
        for piece in [1, 7, 119, 120, 121, 487] {
            let peaks = peaks(&sound, piece);
            assert_eq!(peaks.len(), 5, "pieces of {piece}");
            assert_eq!((peaks[0], peaks[4]), (0.5, 0.25));
            assert!(peaks[1] < 0.5 && peaks[2] == 0.0);
        }
        assert!(peaks(&[], 1).is_empty());
    }

    #[test]
    fn the_louder_channel_counts() {
        let mut peaks = Peaks::new(Spec {
            channels: 2,
            ..SPEC
        });
        peaks.push(&Pcm {
            left: vec![0.1; 60],
            right: vec![-0.75; 60],
        });
        peaks.end();
        assert!(peaks.next().is_some_and(|peak| peak >= 0.75));
        assert_eq!(peaks.next(), None);
    }
}
