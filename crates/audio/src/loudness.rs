//! How loud a sound is, and how loud it is to be.
//!
//! By EBU R128 (ITU-R BS.1770): integrated loudness with its gates, and the true peak of the sound at four times its
//! rate. One gain for the whole sound, so that nothing of its dynamics is lost.

use std::io::{Read, Seek};
use std::time::Duration;

use ebur128::{EbuR128, Mode};

use crate::native::lame::{Encoder, Reservoir};
use crate::shaped::Shaped;
use crate::{Error, Loudness, Progress, Quality};

/// What the input's bytes may take in memory between measuring and encoding. What is more is read again.
pub(crate) const KEPT_BYTES: usize = 16_000_000;

/// Measuring is one part in so many of the work.
const MEASURING: u32 = 4;

/// What is known of a sound that was heard once.
pub(crate) struct Measured {
    pub(crate) samples: u64,
    pub(crate) duration: Duration,
    /// What brings it to the loudness that is wanted.
    pub(crate) gain: f32,
    /// What is kept of the input.
    pub(crate) kept_bytes: u64,
}

/// Hears all of a sound.
pub(crate) fn measure<I: Read + Seek>(
    mut sound: Shaped<I>,
    wanted: Loudness,
    quality: Quality,
    progress: &mut dyn FnMut(Progress),
) -> Result<Measured, Error> {
    let spec = sound.spec();
    // With a histogram it takes the same memory for any length, and is off by less than 0.05 LU.
    let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
    let mut meter =
        EbuR128::new(spec.channels.into(), spec.rate_hz, mode).map_err(Error::engine)?;
    let mut samples = 0;
    let mut seconds = 0;
    while let Some(pcm) = sound.next()? {
        let planes = [pcm.left.as_slice(), pcm.right.as_slice()];
        let planes = planes.get(..spec.channels.into()).unwrap_or_default();
        meter.add_frames_planar_f32(planes).map_err(Error::engine)?;
        samples += pcm.left.len() as u64;
        if samples / u64::from(spec.rate_hz) > seconds {
            seconds = samples / u64::from(spec.rate_hz);
            progress(while_measured(spec.duration(samples), sound.duration()));
        }
    }
    Ok(Measured {
        samples,
        duration: spec.duration(samples),
        gain: match gain(&meter, wanted)? {
            Some(gain) => gain / Encoder::new(spec, quality, Reservoir::Off)?.scale(),
            None => 1.0,
        },
        kept_bytes: 0,
    })
}

impl Measured {
    /// How far the conversion has come when encoding has come so far.
    pub(crate) fn while_encoded(&self, encoding: Progress) -> Progress {
        let left = encoding.position - encoding.position / MEASURING;
        Progress {
            position: self.duration / MEASURING + left,
            duration: Some(self.duration),
        }
    }
}

/// A container that promises too little must not make progress go back when measuring is over.
fn while_measured(position: Duration, duration: Option<Duration>) -> Progress {
    Progress {
        position: position / MEASURING,
        duration: duration.map(|duration| duration.max(position)),
    }
}

/// None for silence, and for what is shorter than the 0.4 s that are measured at a time.
fn gain(meter: &EbuR128, wanted: Loudness) -> Result<Option<f32>, Error> {
    let lufs = meter.loudness_global().map_err(Error::engine)?;
    let mut peak = 0.0_f64;
    for channel in 0..meter.channels() {
        peak = peak.max(meter.true_peak(channel).map_err(Error::engine)?);
    }
    if !lufs.is_finite() || peak <= 0.0 {
        return Ok(None);
    }
    let peak_db = 20.0 * peak.log10();
    let gain_db = (wanted.target_lufs - lufs).min(wanted.true_peak_dbtp - peak_db);
    Ok(Some(10.0_f64.powf(gain_db / 20.0) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn progress_covers_both_passes_and_never_goes_back() {
        for promised in [None, Some(5), Some(10), Some(20)] {
            let measured = Measured {
                samples: 441_000,
                duration: 10 * SECOND,
                gain: 1.0,
                kept_bytes: 0,
            };
            let promised = promised.map(|seconds| seconds * SECOND);
            let measuring = (0..=10).map(|n| while_measured(n * SECOND, promised));
            let encoding = (0..=10).map(|n| {
                measured.while_encoded(Progress {
                    position: n * SECOND,
                    duration: Some(measured.duration),
                })
            });
            let all: Vec<_> = measuring.chain(encoding).collect();
            assert!(all.is_sorted_by_key(|now| now.position));
            let parts = all.iter().filter_map(|now| {
                let whole = now.duration?;
                Some(now.position.as_secs_f64() / whole.as_secs_f64())
            });
            let parts: Vec<_> = parts.collect();
            assert!(parts.is_sorted(), "{parts:?}");
            assert_eq!(parts.last(), Some(&1.0));
        }
    }
}
