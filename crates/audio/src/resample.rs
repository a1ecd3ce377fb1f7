//! From what a decoder gives to what an MP3 can hold: planes of floats, mono or stereo, at one of MPEG's rates.

use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type::Planar;
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, Dictionary, frame};

use crate::Error;
use crate::native::demuxer::name_channels;

/// The sample rates of MPEG-1, 2 and 2.5, in Hz.
const MP3_RATES_HZ: [u32; 9] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];

/// Decoders may give more than full scale, and broken ones anything. LAME must not see infinities.
const MAX_LEVEL: f32 = 2.0;

const OUTPUT_FORMAT: Sample = Sample::F32(Planar);

/// What stays the same from the first sample of an MP3 to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u8,
}

impl Spec {
    /// The nearest that an MP3 can hold: the source's own rate or the next higher one, and at most two channels.
    fn nearest(source: &Shape) -> Self {
        let rate_hz = MP3_RATES_HZ
            .into_iter()
            .find(|&rate| rate >= source.rate_hz)
            .unwrap_or(48_000);
        Self {
            rate_hz,
            channels: if source.layout.channels() == 1 { 1 } else { 2 },
        }
    }

    fn layout(&self) -> ChannelLayout {
        if self.channels == 1 {
            ChannelLayout::MONO
        } else {
            ChannelLayout::STEREO
        }
    }
}

/// What a decoder gives, which may change from one frame to the next.
#[derive(Clone, Copy, PartialEq)]
struct Shape {
    format: Sample,
    layout: ChannelLayout,
    rate_hz: u32,
}

impl Shape {
    fn of(frame: &mut frame::Audio) -> Option<Self> {
        name_channels(frame);
        let channels = i32::from(frame.channels());
        let mut layout = frame.channel_layout();
        if layout.channels() != channels {
            layout = ChannelLayout::default(channels);
        }
        let shape = Self {
            format: frame.format(),
            layout,
            rate_hz: frame.rate(),
        };
        let rate_is_real = (1..=1_000_000).contains(&shape.rate_hz);
        (rate_is_real && channels > 0 && layout.channels() == channels).then_some(shape)
    }
}

/// Samples of full scale ±1, one after the other.
#[derive(Default)]
pub(crate) struct Pcm {
    /// The only channel in mono.
    pub(crate) left: Vec<f32>,
    /// Empty in mono.
    pub(crate) right: Vec<f32>,
}

/// Turns frames of any shape into [`Pcm`] of one [`Spec`], which the first frame settles.
#[derive(Default)]
pub(crate) struct Resampler {
    spec: Option<Spec>,
    engine: Option<(Shape, resampling::Context)>,
}

impl Resampler {
    /// `None` until the first frame.
    pub(crate) fn spec(&self) -> Option<Spec> {
        self.spec
    }

    /// Appends what `frame` becomes to `pcm`. Says `false` for a frame whose channels have no known places.
    pub(crate) fn push(&mut self, frame: &mut frame::Audio, pcm: &mut Pcm) -> Result<bool, Error> {
        let Some(shape) = Shape::of(frame) else {
            return Ok(false);
        };
        let spec = *self.spec.get_or_insert_with(|| Spec::nearest(&shape));
        if self
            .engine
            .as_ref()
            .is_none_or(|(current, _)| *current != shape)
        {
            self.finish(pcm)?; // the tail of what came before the change
            self.engine = Some((shape, engine(&shape, &spec)?));
        }
        let Some((_, engine)) = &mut self.engine else {
            return Ok(false);
        };

        // Room for everything, so that nothing piles up inside the engine.
        let held_back = engine
            .delay()
            .map_or(0, |delay| u64::try_from(delay.output).unwrap_or(0));
        let coming =
            (frame.samples() as u64 * u64::from(spec.rate_hz)).div_ceil(u64::from(shape.rate_hz));
        let room = i32::try_from(held_back.saturating_add(coming).saturating_add(32))
            .map_err(Error::engine)?;
        let mut output = frame::Audio::new(OUTPUT_FORMAT, room as usize, spec.layout());
        engine.run(frame, &mut output).map_err(Error::engine)?;
        append(&output, &spec, pcm);
        Ok(true)
    }

    /// Appends the engine's tail.
    pub(crate) fn finish(&mut self, pcm: &mut Pcm) -> Result<(), Error> {
        const ROOM: usize = 4096;

        let (Some(spec), Some((_, mut engine))) = (self.spec, self.engine.take()) else {
            return Ok(());
        };
        if engine.delay().is_none() {
            return Ok(());
        }
        loop {
            let mut output = frame::Audio::new(OUTPUT_FORMAT, ROOM, spec.layout());
            engine.flush(&mut output).map_err(Error::engine)?;
            append(&output, &spec, pcm);
            if output.samples() < ROOM {
                return Ok(());
            }
        }
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
    .map_err(Error::engine)
}

fn append(output: &frame::Audio, spec: &Spec, pcm: &mut Pcm) {
    if output.samples() == 0 || output.planes() < usize::from(spec.channels) {
        return;
    }
    pcm.left.extend(output.plane::<f32>(0).iter().map(bounded));
    if spec.channels == 2 {
        pcm.right.extend(output.plane::<f32>(1).iter().map(bounded));
    }
}

fn bounded(&sample: &f32) -> f32 {
    if sample.is_nan() {
        0.0
    } else {
        sample.clamp(-MAX_LEVEL, MAX_LEVEL)
    }
}
