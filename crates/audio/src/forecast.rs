//! How loud a sound would be at each of many gains, were it limited: told while it is heard once.
//!
//! The limiter settles a gain per block of 2.5 ms, and that changes the weighted energy of the block by its square. So the blocks'
//! peaks and energies are all that is needed to know what comes out, and nothing has to be limited, decoded or kept for it.

use std::array;
use std::collections::VecDeque;

use crate::gated::Gated;
use crate::limiter::{Envelope, Ramps};
use crate::pcm::{Pcm, Spec};
use crate::true_peak::{Peaks, block_samples};
use crate::weighting::Weighting;

/// The gains that are tried, a dB apart. At the least of them the loudest that a decoder may give is below every ceiling.
const LEAST_DB: f64 = -23.0;
const GAINS: usize = 64;

/// Nothing is made louder by more than that. What has to be is hardly a sound: a whisper at -56 LUFS is at -16 then, and below it
/// is what the recorder itself adds.
pub(crate) const MOST_DB: f64 = LEAST_DB + (GAINS - 1) as f64;

/// What a dB of gain has to bring, in LU. Where everything is at the ceiling already, it only spoils the sound.
const LEAST_WORTH: f64 = 0.25;

/// Hears a sound, and knows how loud it is and would be.
pub(crate) struct Forecast {
    block_samples: usize,
    /// What makes a tenth of a second.
    blocks_per_step: usize,
    weightings: [Weighting; 2],
    /// Of the block that isn't over, and of those whose ramps aren't known.
    energy: f64,
    filled: usize,
    mean_squares: VecDeque<f32>,
    peaks: Peaks,
    peak: f32,
    envelope: Envelope<GAINS>,
    /// Of the step that isn't over, at each gain.
    sums: [f32; GAINS],
    /// As it is.
    sum: f32,
    blocks: usize,
    plain: Gated,
    limited: Vec<Gated>,
}

impl Forecast {
    /// For a limiter that lets nothing beyond `ceiling`.
    pub(crate) fn new(spec: Spec, ceiling: f32) -> Self {
        let block_samples = block_samples(spec);
        let gains = array::from_fn(|number| of_db(LEAST_DB + number as f64) as f32);
        Self {
            block_samples,
            blocks_per_step: (spec.rate_hz as usize / 10 + block_samples / 2) / block_samples,
            weightings: array::from_fn(|_| Weighting::new(spec.rate_hz)),
            energy: 0.0,
            filled: 0,
            mean_squares: VecDeque::new(),
            peaks: Peaks::new(spec),
            peak: 0.0,
            envelope: Envelope::new(gains, ceiling),
            sums: [0.0; GAINS],
            sum: 0.0,
            blocks: 0,
            plain: Gated::new(),
            limited: (0..GAINS).map(|_| Gated::new()).collect(),
        }
    }

    /// Hears the next bit.
    pub(crate) fn add(&mut self, pcm: &Pcm) {
        let (mut left, mut right) = (pcm.left.as_slice(), pcm.right.as_slice());
        while !left.is_empty() {
            let samples = left.len().min(self.block_samples - self.filled);
            for (channel, weighting) in [&mut left, &mut right]
                .into_iter()
                .zip(&mut self.weightings)
            {
                let (now, later) = channel.split_at(samples.min(channel.len()));
                self.energy += weighting.energy(now);
                *channel = later;
            }
            self.filled += samples;
            if self.filled == self.block_samples {
                self.end_block();
            }
        }
        self.peaks.push(pcm);
        self.take_peaks();
    }

    /// There is no more sound.
    pub(crate) fn end(&mut self) {
        if self.filled > 0 {
            self.end_block();
        }
        self.peaks.end();
        self.take_peaks();
        for _ in 0..Envelope::<GAINS>::DELAY {
            self.take_peak(0.0);
        }
    }

    /// In LUFS, as it is. `None` for silence, and for what is shorter than 0.4 s.
    pub(crate) fn loudness(&self) -> Option<f64> {
        self.plain.loudness()
    }

    /// Its true peak, as it is, of full scale 1.
    pub(crate) fn peak(&self) -> f32 {
        self.peak
    }

    /// The gain that makes it so loud, limited, or comes as near as is worth it: in dB.
    pub(crate) fn gain(&self, target_lufs: f64) -> f64 {
        let lufs = |number: usize| {
            let lufs = self.limited[number].loudness();
            lufs.unwrap_or(f64::NEG_INFINITY)
        };
        let worth = |&number: &usize| lufs(number) - LEAST_WORTH * number as f64;
        let all = 0..GAINS;
        let best = all.clone().max_by(|a, b| worth(a).total_cmp(&worth(b)));
        let best = best.unwrap_or_default();
        let reached = all
            .clone()
            .skip(1)
            .find(|&number| lufs(number) >= target_lufs);
        let number = reached
            .filter(|&reached| reached <= best)
            .map_or(best as f64, |reached| {
                let (before, after) = (lufs(reached - 1), lufs(reached));
                let part = (target_lufs - before) / (after - before);
                (reached - 1) as f64 + part.clamp(0.0, 1.0)
            });
        LEAST_DB + number
    }

    fn end_block(&mut self) {
        let mean_square = self.energy / self.block_samples as f64;
        self.mean_squares.push_back(mean_square as f32);
        (self.energy, self.filled) = (0.0, 0);
    }

    fn take_peaks(&mut self) {
        while let Some(peak) = self.peaks.next() {
            self.take_peak(peak);
        }
    }

    fn take_peak(&mut self, peak: f32) {
        self.peak = self.peak.max(peak);
        let Some(Ramps { from, to }) = self.envelope.push(peak) else {
            return;
        };
        let mean_square = self.mean_squares.pop_front().unwrap_or_default();
        self.sum += mean_square;
        for ((sum, from), to) in self.sums.iter_mut().zip(&from).zip(&to) {
            // The mean of the square of a straight line.
            *sum += mean_square * (from * from + from * to + to * to) / 3.0;
        }
        self.blocks += 1;
        if self.blocks == self.blocks_per_step {
            self.end_step();
        }
    }

    fn end_step(&mut self) {
        let blocks = self.blocks as f64;
        self.plain.add(f64::from(self.sum) / blocks);
        for (limited, sum) in self.limited.iter_mut().zip(&mut self.sums) {
            limited.add(f64::from(*sum) / blocks);
            *sum = 0.0;
        }
        (self.sum, self.blocks) = (0.0, 0);
    }
}

/// What a number of dB multiplies by.
pub(crate) fn of_db(db: f64) -> f64 {
    10.0_f64.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use ebur128::{EbuR128, Mode};

    use super::*;
    use crate::limiter::Limiter;

    const CEILING: f32 = 0.8;

    /// Twenty seconds of something that swells, falls silent and cracks, at each channel another.
    fn sound(spec: Spec) -> Pcm {
        let mut noise = 1_u32;
        let mut channel = |hz: f64| {
            let sample = |n: u32| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let seconds = f64::from(n) / f64::from(spec.rate_hz);
                let swell = ((seconds * 0.7).sin() * (seconds * 3.1).cos()).powi(4);
                let tone = (seconds * hz * std::f64::consts::TAU).sin();
                let crack = if n % 30_011 < 300 { 0.8 } else { 0.1 };
                let noise = f64::from(noise >> 8) / f64::from(1 << 23) - 1.0;
                (swell * (0.2 * tone + crack * noise)) as f32
            };
            (0..20 * spec.rate_hz).map(sample).collect()
        };
        Pcm {
            left: channel(440.0),
            right: if spec.channels == 2 {
                channel(97.0)
            } else {
                vec![]
            },
        }
    }

    /// By another meter.
    fn measured(pcm: &Pcm, spec: Spec) -> (f64, f64) {
        let mode = Mode::I | Mode::TRUE_PEAK;
        let mut meter = EbuR128::new(spec.channels.into(), spec.rate_hz, mode).expect("a meter");
        let planes = [pcm.left.as_slice(), pcm.right.as_slice()];
        let heard = meter.add_frames_planar_f32(&planes[..spec.channels.into()]);
        heard.expect("it is heard");
        let peaks = (0..spec.channels.into()).map(|channel| meter.true_peak(channel).expect("one"));
        let lufs = meter.loudness_global().expect("a loudness");
        (lufs, peaks.fold(0.0, f64::max))
    }

    fn forecast(pcm: &Pcm, spec: Spec) -> Forecast {
        let mut forecast = Forecast::new(spec, CEILING);
        for (left, right) in pcm.left.chunks(777).zip(0..) {
            let right = pcm.right.chunks(777).nth(right).unwrap_or_default();
            forecast.add(&Pcm {
                left: left.to_vec(),
                right: right.to_vec(),
            });
        }
        forecast.end();
        forecast
    }

    #[test]
    fn it_measures_like_another_meter_and_a_limited_sound_is_as_loud_as_was_foretold() {
        for (rate_hz, channels) in [(48_000, 2), (44_100, 2), (22_050, 1), (8_000, 1)] {
            let spec = Spec { rate_hz, channels };
            let sound = sound(spec);
            let forecast = forecast(&sound, spec);
            let (lufs, peak) = measured(&sound, spec);
            let own = forecast.loudness().expect("it is no silence");
            assert!((own - lufs).abs() < 0.1, "{spec:?}: {own} for {lufs} LUFS");
            let db = 20.0 * (f64::from(forecast.peak()) / peak).log10();
            assert!(db.abs() < 0.1, "{spec:?}: off by {db} dB");

            for target in [-30.0, -18.0, -14.0] {
                let gain = of_db(forecast.gain(target)) as f32;
                let mut limiter = Limiter::new(spec, gain, CEILING);
                let [left, right] = [&sound.left, &sound.right].map(Vec::clone);
                let mut limited = limiter.push(Pcm { left, right }).expect("nearly all");
                limited.append(&mut limiter.end().expect("the rest"));
                let (lufs, peak) = measured(&limited, spec);
                assert!(
                    (lufs - target).abs() < 0.2,
                    "{spec:?}: {lufs} for {target} LUFS"
                );
                assert!(peak < 0.82, "{spec:?}, {target} LUFS: {peak}");
            }
        }
    }

    #[test]
    fn silence_and_blinks_have_no_loudness() {
        let spec = Spec {
            rate_hz: 44_100,
            channels: 1,
        };
        for left in [vec![], vec![0.0; 88_200], vec![0.5; 4_000]] {
            let pcm = Pcm {
                left,
                right: vec![],
            };
            assert_eq!(forecast(&pcm, spec).loudness(), None);
        }
    }

    #[test]
    fn gain_that_brings_no_loudness_is_not_taken() {
        let spec = Spec {
            rate_hz: 48_000,
            channels: 1,
        };
        let tone = (0..96_000).map(|n| (n as f32 / 7.0).sin()).collect();
        let pcm = Pcm {
            left: tone,
            right: vec![],
        };
        let forecast = forecast(&pcm, spec);
        let gain = forecast.gain(3.0);
        assert!((-3.0..=0.0).contains(&gain), "{gain} dB");
    }
}
