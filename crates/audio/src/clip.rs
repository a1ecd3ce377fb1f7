//! The part of a sound that is wanted.

use std::time::Duration;

use crate::Options;
use crate::pcm::{Pcm, Spec};

/// From one sample to another, of a sound that passes by.
pub(crate) struct Clip {
    /// In samples from the first one of the sound.
    start: u64,
    end: Option<u64>,
    /// Samples that have passed.
    position: u64,
}

impl Clip {
    pub(crate) fn new(options: &Options, spec: Spec) -> Self {
        Self {
            start: spec.samples(options.start),
            end: options.end.map(|end| spec.samples(end)),
            position: 0,
        }
    }

    /// Leaves of the next bit of sound what is wanted of it.
    pub(crate) fn cut(&mut self, pcm: &mut Pcm) {
        let samples = pcm.left.len() as u64;
        let [from, to] = [self.start, self.end.unwrap_or(u64::MAX)]
            .map(|at| at.saturating_sub(self.position).min(samples) as usize);
        for channel in [&mut pcm.left, &mut pcm.right] {
            channel.truncate(to);
            channel.drain(..from.min(channel.len()));
        }
        self.position = self.position.saturating_add(samples);
    }

    /// Whether nothing is wanted of what is still to come.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| self.position >= end)
    }

    /// Whether nothing of what has passed was wanted. Says how much that is.
    pub(crate) fn nothing_left(&self) -> Option<u64> {
        (self.position <= self.start).then_some(self.position)
    }

    /// How much is left of a sound that lasts so long.
    pub(crate) fn duration(&self, whole: Duration, spec: Spec) -> Duration {
        let end = self.end.map_or(Duration::MAX, |end| spec.duration(end));
        whole.min(end).saturating_sub(spec.duration(self.start))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_cut_in_pieces_is_what_is_cut_at_once(
            lengths in prop::collection::vec(0_usize..50, 0..20),
            start in 0_u64..400,
            length in prop::option::of(1_u64..400),
        ) {
            let end = length.map(|length| start + length);
            let mut clip = Clip { start, end, position: 0 };
            let total: usize = lengths.iter().sum();
            let samples: Vec<f32> = (0..total).map(|n| n as f32).collect();
            let mut rest = samples.as_slice();
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for length in lengths {
                prop_assert_eq!(clip.is_over(), end.is_some_and(|end| (total - rest.len()) as u64 >= end));
                let (piece, more) = rest.split_at(length);
                rest = more;
                let mut pcm = Pcm { left: piece.to_vec(), right: piece.to_vec() };
                clip.cut(&mut pcm);
                left.append(&mut pcm.left);
                right.append(&mut pcm.right);
            }
            let from = total.min(start as usize);
            let to = end.map_or(total, |end| total.min(end as usize));
            prop_assert_eq!(&left, &samples[from..to]);
            prop_assert_eq!(&right, &left);
            prop_assert_eq!(clip.nothing_left(), left.is_empty().then_some(total as u64));
        }
    }
}
