//! What a sound looks like from far away.

use std::ops::Range;

use crate::pcm::Pcm;

/// The most values that there are in the end.
const POINTS: u64 = 1000;

/// Buckets that are kept meanwhile: enough that the borders of a thousand parts are off by a thirtieth of a part at
/// most, in 64 KiB.
const MOST_BUCKETS: usize = 64 * 1024;

/// The greatest levels of a sound whose length isn't known yet, in constant memory.
pub(crate) struct Waveform {
    /// Whole ones, of `bucket_samples` each.
    buckets: Vec<u8>,
    bucket_samples: usize,
    /// The greatest level in the one being filled.
    level: f32,
    filled: usize,
    samples: u64,
}

impl Default for Waveform {
    fn default() -> Self {
        Self {
            buckets: Vec::new(),
            bucket_samples: 1,
            level: 0.0,
            filled: 0,
            samples: 0,
        }
    }
}

impl Waveform {
    /// Looks at the next bit of sound.
    pub(crate) fn add(&mut self, pcm: &Pcm) {
        let (mut left, mut right) = (pcm.left.as_slice(), pcm.right.as_slice());
        self.samples += left.len() as u64;
        while !left.is_empty() {
            let samples = left.len().min(self.bucket_samples - self.filled);
            for channel in [&mut left, &mut right] {
                let (now, later) = channel.split_at(samples.min(channel.len()));
                self.level = self.level.max(greatest_level(now));
                *channel = later;
            }
            self.fill(samples);
        }
    }

    /// So many samples follow that nobody has seen, the greatest of which is about this.
    pub(crate) fn add_level(&mut self, level: f32, mut samples: usize) {
        self.samples += samples as u64;
        while samples > 0 {
            let now = samples.min(self.bucket_samples - self.filled);
            self.level = self.level.max(level);
            self.fill(now);
            samples -= now;
        }
    }

    /// Up to a thousand equal parts of what there was: 0 is silence, 255 full scale.
    pub(crate) fn points(&self) -> Vec<u8> {
        self.points_within(0..self.samples)
    }

    /// The same of what is within these samples.
    pub(crate) fn points_within(&self, part: Range<u64>) -> Vec<u8> {
        let samples = part.end.min(self.samples).saturating_sub(part.start);
        let points = POINTS.min(samples);
        let bucket_samples = self.bucket_samples as u64;
        // The first sample of a point, and of the next one.
        let border = |point: u64| {
            let sample = u128::from(samples) * u128::from(point) / u128::from(points);
            part.start + sample as u64
        };
        (0..points)
            .map(|point| {
                let from = border(point) / bucket_samples;
                let to = border(point + 1).div_ceil(bucket_samples);
                let whole = self.buckets.iter().copied();
                let last = (self.filled > 0).then(|| value(self.level));
                let levels = whole.chain(last).skip(from as usize);
                levels.take((to - from) as usize).max().unwrap_or(0)
            })
            .collect()
    }

    fn fill(&mut self, samples: usize) {
        self.filled += samples;
        if self.filled == self.bucket_samples {
            self.buckets.push(value(self.level));
            (self.level, self.filled) = (0.0, 0);
            if self.buckets.len() == MOST_BUCKETS {
                self.halve();
            }
        }
    }

    /// Every two buckets become one.
    fn halve(&mut self) {
        let (pairs, _) = self.buckets.as_chunks::<2>();
        self.buckets = pairs.iter().map(|[a, b]| *a.max(b)).collect();
        self.bucket_samples *= 2;
    }
}

/// Numbers without a sign are in the order of their bits, and those are compared many at a time.
fn greatest_level(samples: &[f32]) -> f32 {
    let bits = samples.iter().map(|sample| sample.abs().to_bits());
    f32::from_bits(bits.fold(0, u32::max))
}

fn value(level: f32) -> u8 {
    (level.min(1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples that rise from 0 to nearly 1, in pieces of so many.
    fn rising(samples: usize, piece: usize) -> Vec<u8> {
        let all: Vec<f32> = (0..samples).map(|n| n as f32 / samples as f32).collect();
        let mut waveform = Waveform::default();
        for piece in all.chunks(piece) {
            waveform.add(&Pcm {
                left: piece.to_vec(),
                right: vec![],
            });
        }
        assert!(waveform.buckets.len() < MOST_BUCKETS);
        waveform.points()
    }

    #[test]
    fn a_thousand_parts_whatever_the_length() {
        for samples in [1_000, 1_001, 65_535, 65_536, 65_537, 131_072, 3_000_017] {
            let points = rising(samples, 16_384);
            assert_eq!(points.len(), 1000, "{samples}");
            for (n, &point) in points.iter().enumerate() {
                let expected = (n + 1) as f64 * 0.255;
                assert!(
                    (f64::from(point) - expected).abs() < 1.0,
                    "{samples}: {n}, {point}"
                );
            }
        }
    }

    #[test]
    fn short_sounds_have_fewer_and_none_has_none() {
        assert_eq!(rising(4, 3), [0, 64, 128, 191]);
        assert!(Waveform::default().points().is_empty());
    }

    #[test]
    fn pieces_make_no_difference() {
        let at_once = rising(300_001, 300_001);
        for piece in [1, 577, 65_536] {
            assert_eq!(rising(300_001, piece), at_once);
        }
    }

    #[test]
    fn what_nobody_has_seen_is_drawn_by_its_level_and_what_was_left_out_is_not() {
        let mut waveform = Waveform::default();
        for (level, samples) in [(1.0, 700), (0.2, 100_000), (0.4, 100_000), (1.0, 1_000)] {
            waveform.add_level(level, samples);
        }
        let points = waveform.points_within(704..200_700);
        assert_eq!(points.len(), 1000);
        assert!(points[..499].iter().all(|&point| point == 51));
        assert!(points[501..].iter().all(|&point| point == 102));
        assert!(waveform.points_within(300_000..400_000).is_empty());
    }

    #[test]
    fn the_louder_channel_counts_and_more_than_full_scale_is_full_scale() {
        let mut waveform = Waveform::default();
        waveform.add(&Pcm {
            left: vec![0.0, -0.2, 0.1],
            right: vec![-1.5, 0.1, 0.0],
        });
        assert_eq!(waveform.points(), [255, 51, 26]);
    }
}
