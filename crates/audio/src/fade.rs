//! Sound that comes from silence and goes there.

use std::collections::VecDeque;

use crate::pcm::{Pcm, Spec};

/// Shorter pieces are held together with the next, so that they take little more memory than their samples.
const LEAST_SAMPLES: usize = 1024;

/// Makes the start of a sound rise from silence and its end fall there, both in straight lines.
///
/// Where it isn't known how much sound there is, as much is held back as the fade is long: it may be the end.
/// Before anything is given, twice as much: a sound that is shorter than two fades gets shorter ones.
pub(crate) struct Fade {
    /// In samples, as are all the others.
    wanted: u64,
    held: VecDeque<Pcm>,
    /// What has come in.
    seen: u64,
    /// What has gone out.
    given: u64,
    /// All that there is, once it is known.
    total: Option<u64>,
}

impl Fade {
    pub(crate) fn new(wanted: u64, total: Option<u64>) -> Self {
        Self {
            wanted,
            held: VecDeque::new(),
            seen: 0,
            given: 0,
            total,
        }
    }

    /// What is held back until the end, in bytes.
    pub(crate) fn held_bytes(&self, spec: Spec) -> u64 {
        match self.total {
            Some(_) => 0,
            None => self.wanted * u64::from(spec.channels) * size_of::<f32>() as u64,
        }
    }

    /// Takes the next bit of the sound.
    pub(crate) fn push(&mut self, mut pcm: Pcm) {
        self.seen += pcm.left.len() as u64;
        match self.held.back_mut() {
            Some(last) if last.left.len() < LEAST_SAMPLES => {
                last.left.append(&mut pcm.left);
                last.right.append(&mut pcm.right);
            }
            _ => self.held.push_back(pcm),
        }
    }

    /// There is no more sound.
    pub(crate) fn end(&mut self) {
        self.total = Some(self.seen);
    }

    /// The next bit, faded. `None` where more has to be known first, and after the last.
    pub(crate) fn next(&mut self) -> Option<Pcm> {
        let samples = self.held.front()?.left.len() as u64;
        let left_behind = self.seen - self.given - samples;
        let may_go = match self.total {
            Some(_) => true,
            None => self.seen >= 2 * self.wanted && left_behind >= self.wanted,
        };
        let mut pcm = may_go.then(|| self.held.pop_front())??;
        self.apply(&mut pcm);
        self.given += samples;
        Some(pcm)
    }

    fn apply(&self, pcm: &mut Pcm) {
        let total = self.total.unwrap_or(u64::MAX);
        let length = self.wanted.min(total / 2);
        let end = self.given + pcm.left.len() as u64;
        if self.given >= length && end <= total.saturating_sub(length) {
            return;
        }
        for channel in [&mut pcm.left, &mut pcm.right] {
            for (sample, position) in channel.iter_mut().zip(self.given..) {
                let from_border = position.min(total.saturating_sub(position + 1));
                if from_border < length {
                    *sample *= (from_border as f64 / length as f64) as f32;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A sound of ones in pieces of these lengths, faded.
    fn faded(lengths: &[usize], wanted: u64, total: Option<u64>) -> Vec<f32> {
        let mut fade = Fade::new(wanted, total);
        let mut faded = Vec::new();
        let mut most_held = 0;
        for &length in lengths {
            fade.push(Pcm {
                left: vec![1.0; length],
                right: vec![],
            });
            while let Some(mut pcm) = fade.next() {
                faded.append(&mut pcm.left);
            }
            most_held = most_held.max(fade.seen - fade.given);
        }
        let longest = lengths.iter().max().map_or(0, |&length| length as u64);
        let longest = longest + LEAST_SAMPLES as u64;
        assert!(most_held < 2 * wanted + longest + 1, "{most_held}");
        fade.end();
        while let Some(mut pcm) = fade.next() {
            faded.append(&mut pcm.left);
        }
        faded
    }

    #[test]
    fn both_ends_are_straight_lines() {
        let faded = faded(&[3, 3, 3, 3], 4, None);
        let line = [0.0, 0.25, 0.5, 0.75];
        assert_eq!(faded[..4], line);
        assert_eq!(faded[4..8], [1.0; 4]);
        assert_eq!(faded[8..].iter().rev().copied().collect::<Vec<_>>(), line);
    }

    #[test]
    fn a_sound_shorter_than_two_fades_gets_shorter_ones() {
        assert_eq!(faded(&[5], 100, None), [0.0, 0.5, 1.0, 0.5, 0.0]);
        assert_eq!(faded(&[1], 100, None), [1.0]);
        assert_eq!(faded(&[], 100, None), []);
    }

    #[test]
    fn without_a_fade_nothing_is_held_back() {
        let mut fade = Fade::new(0, None);
        fade.push(Pcm {
            left: vec![1.0],
            right: vec![],
        });
        assert_eq!(fade.next().expect("at once").left, [1.0]);
    }

    proptest! {
        #[test]
        fn pieces_and_what_is_known_make_no_difference(
            lengths in prop::collection::vec(0_usize..40, 0..20),
            wanted in 0_u64..200,
        ) {
            let total = lengths.iter().sum::<usize>();
            let at_once = faded(&[total], wanted, None);
            prop_assert_eq!(at_once.len(), total);
            let mirrored: Vec<_> = at_once.iter().rev().copied().collect();
            prop_assert_eq!(&mirrored, &at_once);
            prop_assert_eq!(&faded(&lengths, wanted, None), &at_once);
            prop_assert_eq!(&faded(&lengths, wanted, Some(total as u64)), &at_once);
        }
    }
}
