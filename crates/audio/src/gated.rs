//! The integrated loudness of EBU R128 (ITU-R BS.1770-4): of 0.4 s at a time, without silence, and without what is much quieter
//! than the rest.

/// What is quieter is silence.
const SILENCE_LUFS: f64 = -70.0;

/// So much quieter than the mean of all, it doesn't count.
const RELATIVE_LU: f64 = -10.0;

/// Each of them a tenth of a LU, up to +30 LUFS: that takes the same memory for any length, and is off by less than 0.05 LU.
const BINS: usize = 1000;
const BINS_PER_LU: f64 = 10.0;

/// A sound that is heard in steps of 0.1 s.
pub(crate) struct Gated {
    /// Mean squares of the last ones.
    steps: [f64; 4],
    heard: usize,
    /// How often each loudness was heard.
    bins: Vec<u32>,
}

impl Gated {
    pub(crate) fn new() -> Self {
        Self {
            steps: [0.0; 4],
            heard: 0,
            bins: vec![0; BINS],
        }
    }

    /// Hears the next step: the mean square of its samples, weighted, of all channels together.
    pub(crate) fn add(&mut self, mean_square: f64) {
        self.steps[self.heard % self.steps.len()] = mean_square;
        self.heard += 1;
        if self.heard < self.steps.len() {
            return;
        }
        let lufs = lufs(self.steps.iter().sum::<f64>() / self.steps.len() as f64);
        if lufs < SILENCE_LUFS {
            return;
        }
        let bin = ((lufs - SILENCE_LUFS) * BINS_PER_LU) as usize;
        self.bins[bin.min(BINS - 1)] += 1;
    }

    /// In LUFS. `None` for silence, and for what is shorter than 0.4 s.
    pub(crate) fn loudness(&self) -> Option<f64> {
        let relative = self.loudness_from(0)? + RELATIVE_LU;
        let bin = ((relative - SILENCE_LUFS) * BINS_PER_LU).ceil();
        self.loudness_from(bin.max(0.0) as usize)
    }

    fn loudness_from(&self, first: usize) -> Option<f64> {
        let heard = || self.bins.iter().enumerate().skip(first);
        let count: u64 = heard().map(|(_, &count)| u64::from(count)).sum();
        let energy: f64 = heard()
            .map(|(bin, &count)| energy(bin) * f64::from(count))
            .sum();
        (count > 0).then(|| lufs(energy / count as f64))
    }
}

/// The mean square in the middle of a bin.
fn energy(bin: usize) -> f64 {
    let lufs = SILENCE_LUFS + (bin as f64 + 0.5) / BINS_PER_LU;
    10.0_f64.powf((lufs + OFFSET_DB) / 10.0)
}

/// What BS.1770 takes off, so that a tone at 997 Hz is as loud as it is strong.
const OFFSET_DB: f64 = 0.691;

fn lufs(mean_square: f64) -> f64 {
    10.0 * mean_square.log10() - OFFSET_DB
}
