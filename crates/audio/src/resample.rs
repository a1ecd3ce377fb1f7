//! From what a decoder gives to what an MP3 can hold: planes of floats, mono or stereo, at one of MPEG's rates.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type::Planar;
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, Dictionary, frame};

use crate::Error;
use crate::native::swr;
use crate::pcm::{Pcm, Spec, Wish};

/// The sample rates that are taken, in Hz. Below any recorder's, down to those of heartbeats and whales, a rate is a
/// mistake or an attack: each byte would become seconds of MP3. Above are no converters that record sound.
const RATES_HZ: RangeInclusive<u32> = 1_000..=768_000;

/// The most samples that go into the engine or come out of it at once, whatever the size of a frame.
const SLICE_SAMPLES: usize = 32 * 1024;

/// Decoders may give more than full scale, and broken ones anything. LAME must not see infinities.
pub(crate) const MAX_LEVEL: f32 = 2.0;

const OUTPUT_FORMAT: Sample = Sample::F32(Planar);

/// What a decoder gives, which may change from one frame to the next.
#[derive(Clone, Copy, PartialEq)]
struct Shape {
    format: Sample,
    layout: ChannelLayout,
    rate_hz: u32,
}

impl Shape {
    fn of(frame: &frame::Audio) -> Result<Self, Unfit> {
        let channels = i32::from(frame.channels());
        let mut layout = frame.channel_layout();
        if layout.channels() != channels {
            // Plain WAV and AVI only count their channels: take the places that every player gives them.
            layout = ChannelLayout::default(channels);
        }
        if channels == 0 || layout.channels() != channels {
            return Err(Unfit::Channels(frame.channels()));
        }
        if !RATES_HZ.contains(&frame.rate()) {
            return Err(Unfit::Rate(frame.rate()));
        }
        Ok(Self {
            format: frame.format(),
            layout,
            rate_hz: frame.rate(),
        })
    }

    /// How many samples of this shape make a slice.
    fn slice(&self, to: &Spec) -> usize {
        let samples = SLICE_SAMPLES as u64 * u64::from(self.rate_hz) / u64::from(to.rate_hz);
        samples.clamp(1, SLICE_SAMPLES as u64) as usize
    }
}

/// Why a frame is no sound for an MP3.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unfit {
    /// So many, in places that nobody knows.
    Channels(u16),
    /// Outside of [`RATES_HZ`].
    Rate(u32),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channels(channels) => write!(f, "{channels} channels"),
            Self::Rate(rate_hz) => write!(f, "{rate_hz} Hz"),
        }
    }
}

/// Turns frames of any shape into [`Pcm`] of one [`Spec`], which the first frame settles.
///
/// Give it a frame, pull until it isn't busy, give it the next.
pub(crate) struct Resampler {
    wish: Wish,
    spec: Option<Spec>,
    engine: Option<(Shape, resampling::Context)>,
    frame: Option<Pending>,
    /// Nothing follows what the engine holds.
    is_ending: bool,
}

/// A frame of which the first samples are resampled already.
struct Pending {
    shape: Shape,
    frame: frame::Audio,
    done: usize,
}

impl Resampler {
    pub(crate) fn new(wish: Wish) -> Self {
        Self {
            wish,
            spec: None,
            engine: None,
            frame: None,
            is_ending: false,
        }
    }

    /// `None` until the first frame.
    pub(crate) fn spec(&self) -> Option<Spec> {
        self.spec
    }

    /// Whether there is more to pull.
    pub(crate) fn is_busy(&self) -> bool {
        self.frame.is_some() || self.is_ending
    }

    /// Takes the next frame.
    pub(crate) fn push(&mut self, frame: frame::Audio) -> Result<(), Unfit> {
        let shape = Shape::of(&frame)?;
        self.spec.get_or_insert_with(|| {
            Spec::nearest(shape.rate_hz, shape.layout.channels(), self.wish)
        });
        self.frame = Some(Pending {
            shape,
            frame,
            done: 0,
        });
        Ok(())
    }

    /// After the last frame: the engine's tail is to be pulled. Says `false` when there is none.
    pub(crate) fn finish(&mut self) -> bool {
        self.is_ending = self.engine.is_some();
        self.is_ending
    }

    /// Fills `pcm` with the next slice, which may be empty: the engine holds back a little.
    pub(crate) fn pull(&mut self, pcm: &mut Pcm) -> Result<(), Error> {
        pcm.left.clear();
        pcm.right.clear();
        let Some(spec) = self.spec else {
            return Ok(());
        };
        let Some(pending) = &mut self.frame else {
            return if self.is_ending {
                self.pull_tail(pcm)
            } else {
                Ok(())
            };
        };
        let engine = match &mut self.engine {
            Some((shape, engine)) if *shape == pending.shape => engine,
            Some(_) => return self.pull_tail(pcm), // of what came before the change
            none => {
                let engine = engine(&pending.shape, &spec)?;
                &mut none.insert((pending.shape, engine)).1
            }
        };
        let end = pending
            .frame
            .samples()
            .min(pending.done + pending.shape.slice(&spec));
        let slice = Some((&pending.frame, pending.done..end));
        pcm.fill(engine, slice)?;
        pending.done = end;
        if end == pending.frame.samples() {
            self.frame = None;
        }
        Ok(())
    }

    fn pull_tail(&mut self, pcm: &mut Pcm) -> Result<(), Error> {
        if let Some((_, engine)) = &mut self.engine {
            pcm.fill(engine, None)?;
        }
        if pcm.left.is_empty() {
            self.engine = None;
            self.is_ending = false;
        }
        Ok(())
    }
}

impl Pcm {
    fn fill(
        &mut self,
        engine: &mut resampling::Context,
        slice: Option<(&frame::Audio, Range<usize>)>,
    ) -> Result<(), Error> {
        // Twice a slice is more than one and what the engine held back, so nothing piles up inside.
        let most = 2 * SLICE_SAMPLES;
        swr::resample(engine, slice, most, &mut self.left, &mut self.right)
            .map_err(Error::of_file)?;
        self.left.iter_mut().for_each(bound);
        self.right.iter_mut().for_each(bound);
        Ok(())
    }
}

fn engine(from: &Shape, to: &Spec) -> Result<resampling::Context, Error> {
    // Without it FFmpeg mixes many channels of floats down to sums beyond full scale.
    let options: Dictionary<'_> = [("rematrix_maxval", "1.0")].iter().collect();
    resampling::Context::get_with(
        from.format,
        from.layout,
        from.rate_hz,
        OUTPUT_FORMAT,
        to.layout(),
        to.rate_hz,
        options,
    )
    .map_err(Error::of_file)
}

fn bound(sample: &mut f32) {
    *sample = if sample.is_nan() {
        0.0
    } else {
        sample.clamp(-MAX_LEVEL, MAX_LEVEL)
    };
}

#[cfg(all(test, feature = "test-media"))]
mod tests {
    use std::f64::consts::FRAC_1_SQRT_2 as MINUS_3_DB;
    use std::io::Cursor;

    use super::*;
    use crate::decode::Sound;
    use crate::input::Input;
    use crate::media;

    /// What of each channel goes to the left ear, by ITU-R BS.775: the front whole, the centre and whatever is behind at
    /// -3 dB, low frequencies not at all. 7.1, which is younger, follows it.
    const LAYOUTS: [(&str, &[f64]); 4] = [
        ("5.1", &[1.0, 0.0, MINUS_3_DB, 0.0, MINUS_3_DB, 0.0]),
        ("5.1(side)", &[1.0, 0.0, MINUS_3_DB, 0.0, MINUS_3_DB, 0.0]),
        (
            "7.1",
            &[1.0, 0.0, MINUS_3_DB, 0.0, MINUS_3_DB, 0.0, MINUS_3_DB, 0.0],
        ),
        ("5.0", &[1.0, 0.0, MINUS_3_DB, MINUS_3_DB, 0.0]),
    ];

    /// A second in which each channel follows its own expression.
    fn channels(layout: &str, expressions: &[String]) -> Vec<u8> {
        let source = format!(
            "aevalsrc=s=48000:d=1:c={layout}:exprs={}",
            expressions.join("|")
        );
        media::ffmpeg("wav", &["-f", "lavfi", "-i", &source, "-c:a", "pcm_f32le"])
    }

    fn mixed(file: Vec<u8>, wish: Wish) -> Pcm {
        let input = Input::new(Cursor::new(file)).expect("a file");
        let mut sound = Sound::open(input, wish, false, 100, &mut |_, _| {}).expect("it opens");
        let (mut all, mut pcm) = (Pcm::default(), Pcm::default());
        while sound.next(&mut pcm).expect("it decodes").is_some() {
            all.append(&mut pcm);
        }
        assert!(all.left.len() > 40_000);
        all
    }

    /// Every channel silent but one, which is at full scale throughout.
    fn only(loud: usize, channels: usize) -> Vec<String> {
        let level = |channel| if channel == loud { "1" } else { "0" };
        (0..channels)
            .map(|channel| level(channel).to_owned())
            .collect()
    }

    fn assert_level(channel: &[f32], expected: f64, what: &str) {
        for &sample in channel {
            assert!(
                (f64::from(sample) - expected).abs() < 1e-6,
                "{what}: {sample}, not {expected}"
            );
        }
    }

    #[test]
    fn each_channel_comes_in_at_its_level_and_no_quieter_than_it_must() {
        for (layout, to_left) in LAYOUTS {
            let sum: f64 = to_left.iter().sum();
            for (channel, level) in to_left.iter().enumerate() {
                let file = channels(layout, &only(channel, to_left.len()));
                let pcm = mixed(file, Wish::default());
                assert_level(&pcm.left, level / sum, &format!("{layout}, {channel}"));
            }
        }
    }

    #[test]
    fn the_right_ear_hears_the_mirror_of_the_left() {
        for (layout, mirrored) in [
            ("5.1", &[1, 0, 2, 3, 5, 4][..]),
            ("7.1", &[1, 0, 2, 3, 5, 4, 7, 6]),
        ] {
            for (channel, &mirror) in mirrored.iter().enumerate() {
                let count = mirrored.len();
                let pcm = mixed(channels(layout, &only(channel, count)), Wish::default());
                let other = mixed(channels(layout, &only(mirror, count)), Wish::default());
                assert_eq!(
                    (pcm.left, pcm.right),
                    (other.right, other.left),
                    "{layout}, {channel}"
                );
            }
        }
    }

    #[test]
    fn mono_is_the_centre_the_front_at_3_and_the_rest_at_6_decibels_less() {
        let to_mono = [MINUS_3_DB, MINUS_3_DB, 1.0, 0.0, 0.5, 0.5];
        let wish = Wish {
            mono: true,
            ..Wish::default()
        };
        for (channel, level) in to_mono.iter().enumerate() {
            let pcm = mixed(channels("5.1", &only(channel, 6)), wish);
            assert!(pcm.right.is_empty());
            let sum: f64 = to_mono.iter().sum();
            assert_level(&pcm.left, level / sum, &format!("{channel}"));
        }
    }

    #[test]
    fn all_channels_at_full_scale_stay_within_it() {
        for (layout, to_left) in LAYOUTS {
            for (expression, is_whole) in [
                ("1", true),
                ("-1", true),
                ("sin(997*2*PI*t)", true),
                ("if(lt(sin(CH*t)\\,0)\\,-1\\,1)", false), // squares, each at its own pitch
            ] {
                let expressions: Vec<_> = (0..to_left.len())
                    .map(|channel| expression.replace("CH", &(2_000 + 77 * channel).to_string()))
                    .collect();
                let pcm = mixed(channels(layout, &expressions), Wish::default());
                let loudest = pcm.left.iter().chain(&pcm.right);
                let loudest = loudest.fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
                assert!(loudest <= 1.0 + 1e-6, "{layout}, {expression}: {loudest}");
                assert!(
                    !is_whole || loudest > 0.999,
                    "{layout}, {expression}: {loudest}"
                );
            }
        }
    }
}
