//! How strong a sound is to the ear: the K-weighting of ITU-R BS.1770.

use std::f64::consts::PI;

/// What is weaker than that is nothing. Numbers that get ever smaller in silence would be slow to reckon with.
const NOTHING: f64 = 1e-30;

/// One channel on its way through the two filters: one for the head, which makes high tones stronger, and one that leaves out
/// what is too low to be loud.
pub(crate) struct Weighting {
    head: Biquad,
    low: Biquad,
}

impl Weighting {
    /// BS.1770 gives the coefficients for 48 kHz; for other rates they are derived as libebur128 does it.
    pub(crate) fn new(rate_hz: u32) -> Self {
        let rate_hz = f64::from(rate_hz);
        Self {
            head: Biquad::shelf(rate_hz),
            low: Biquad::high_pass(rate_hz),
        }
    }

    /// The sum of the squares of the next samples.
    pub(crate) fn energy(&mut self, samples: &[f32]) -> f64 {
        let mut energy = 0.0;
        for &sample in samples {
            let weighted = self.low.next(self.head.next(sample.into()));
            energy += weighted * weighted;
        }
        self.head.forget_nothing();
        self.low.forget_nothing();
        energy
    }
}

/// A filter of second order, in the transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn shelf(rate_hz: f64) -> Self {
        let (hz, db, q) = (
            1_681.974_450_955_533,
            3.999_843_853_973_347,
            0.707_175_236_955_419_6,
        );
        let k = (PI * hz / rate_hz).tan();
        let high = 10.0_f64.powf(db / 20.0);
        let middle = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        Self::new(
            [
                (high + middle * k / q + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - middle * k / q + k * k) / a0,
            ],
            k,
            q,
        )
    }

    fn high_pass(rate_hz: f64) -> Self {
        let (hz, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
        Self::new([1.0, -2.0, 1.0], (PI * hz / rate_hz).tan(), q)
    }

    fn new(b: [f64; 3], k: f64, q: f64) -> Self {
        let a0 = 1.0 + k / q + k * k;
        Self {
            b,
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
            state: [0.0; 2],
        }
    }

    fn next(&mut self, sample: f64) -> f64 {
        let [b0, b1, b2] = self.b;
        let [a1, a2] = self.a;
        let [near, far] = self.state;
        let filtered = b0 * sample + near;
        self.state = [
            b1 * sample - a1 * filtered + far,
            b2 * sample - a2 * filtered,
        ];
        filtered
    }

    fn forget_nothing(&mut self) {
        for state in &mut self.state {
            if state.abs() < NOTHING {
                *state = 0.0;
            }
        }
    }
}
