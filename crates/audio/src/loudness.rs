//! How loud a sound is, and how loud it is to be.
//!
//! By EBU R128 (ITU-R BS.1770): integrated loudness with its gates (`gated.rs`, `weighting.rs`), and the true peak of the sound at
//! four times its rate (`true_peak.rs`). One gain for the whole sound, so that nothing of its dynamics is lost: only where that
//! would bring a peak beyond the ceiling, the limiter turns it down (`limiter.rs`), and the gain is as much greater as that makes the
//! whole quieter (`forecast.rs`).

use std::io::{Read, Seek};
use std::time::Duration;

use crate::forecast::{Forecast, MOST_DB, of_db};
use crate::native::lame::{Encoder, Reservoir};
use crate::options::Bitrate;
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
    pub(crate) level: Level,
    /// What is kept of the input.
    pub(crate) kept_bytes: u64,
}

/// What brings a sound to the loudness that is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub(crate) gain: f32,
    /// What it has to be limited to, if the gain brings it beyond.
    pub(crate) ceiling: Option<f32>,
}

/// Hears all of a sound.
pub(crate) fn measure<I: Read + Seek>(
    mut sound: Shaped<I>,
    wanted: Loudness,
    quality: Quality,
    progress: &mut dyn FnMut(Progress),
) -> Result<Measured, Error> {
    let spec = sound.spec();
    // LAME makes all a little quieter at low bitrates.
    let scale = f64::from(Encoder::new(spec, quality, Reservoir::Off)?.scale());
    let ceiling = of_db(wanted.true_peak_dbtp - overshoot_db(quality)) / scale;
    let mut forecast = Forecast::new(spec, ceiling as f32);
    let mut samples = 0;
    let mut seconds = 0;
    while let Some(pcm) = sound.next()? {
        forecast.add(&pcm);
        samples += pcm.left.len() as u64;
        if samples / u64::from(spec.rate_hz) > seconds {
            seconds = samples / u64::from(spec.rate_hz);
            progress(while_measured(spec.duration(samples), sound.duration()));
        }
    }
    forecast.end();
    Ok(Measured {
        samples,
        duration: spec.duration(samples),
        level: level(
            &forecast,
            wanted.target_lufs - 20.0 * scale.log10(),
            ceiling,
        ),
        kept_bytes: 0,
    })
}

/// What LAME leaves out of a sound may have held a peak down. So much room is left above what the limiter lets through: more than
/// was measured of the film at -16 LUFS, 0.8 dB at V2 and 2.3 at 128 kbit/s. It is no bound: noise can do worse.
fn overshoot_db(quality: Quality) -> f64 {
    match quality.bitrate() {
        Bitrate::Variable(..=2) | Bitrate::Constant(224..) => 1.2,
        Bitrate::Variable(..=4) | Bitrate::Constant(160..) => 2.0,
        Bitrate::Variable(_) | Bitrate::Constant(_) => 3.0,
    }
}

/// As it is for silence, and for what is shorter than the 0.4 s that are measured at a time.
fn level(forecast: &Forecast, target_lufs: f64, ceiling: f64) -> Level {
    let Some(lufs) = forecast.loudness() else {
        return Level::AS_IT_IS;
    };
    let gain = of_db((target_lufs - lufs).min(MOST_DB));
    if gain * f64::from(forecast.peak()) <= ceiling {
        return Level {
            gain: gain as f32,
            ceiling: None,
        };
    }
    Level {
        gain: of_db(forecast.gain(target_lufs)) as f32,
        ceiling: Some(ceiling as f32),
    }
}

impl Level {
    pub(crate) const AS_IT_IS: Self = Self {
        gain: 1.0,
        ceiling: None,
    };
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
                level: Level::AS_IT_IS,
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
