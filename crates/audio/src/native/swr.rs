//! FFmpeg's resampler, slice by slice: `ffmpeg-next` has a safe call for whole frames only.

use std::ops::Range;
use std::ptr;

use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type::Planar;
use ffmpeg_next::software::resampling::Context;
use ffmpeg_next::{Error, ffi, frame};

/// `SWR_CH_MAX`, and as many as a channel mask has bits.
const MAX_CHANNELS: usize = 64;

const INVALID: Error = Error::Other { errno: ffi::EINVAL };

/// Turns `samples` of `frame`, or with `None` what the engine still holds, into `left` and `right`, of which the
/// second stays empty in mono. `most` bounds how many come out at once; the rest waits inside the engine.
///
/// # Errors
/// FFmpeg's, and EINVAL for a frame or an output of another kind than the engine's.
pub(crate) fn resample(
    engine: &mut Context,
    input: Option<(&frame::Audio, Range<usize>)>,
    most: usize,
    left: &mut Vec<f32>,
    right: &mut Vec<f32>,
) -> Result<(), Error> {
    let to = *engine.output();
    let outputs = to.channel_layout.channels();
    if to.format != Sample::F32(Planar) || !(1..=2).contains(&outputs) {
        return Err(INVALID);
    }

    let mut planes = [ptr::null::<u8>(); MAX_CHANNELS];
    let samples = match &input {
        Some((frame, samples)) => {
            point_at(frame, samples, engine, &mut planes)?;
            i32::try_from(samples.len()).map_err(|_| INVALID)?
        }
        None => 0,
    };
    // SAFETY: the engine is initialised; this only computes.
    let coming = unsafe { ffi::swr_get_out_samples(engine.as_mut_ptr(), samples) };
    if coming < 0 {
        return Err(Error::from(coming));
    }
    let room = most.min(coming as usize);
    left.resize(room, 0.0);
    right.resize(if outputs == 2 { room } else { 0 }, 0.0);

    let mut written_to = [left.as_mut_ptr().cast(), right.as_mut_ptr().cast()];
    let read_from = match input {
        Some(_) => planes.as_mut_ptr(),
        None => ptr::null_mut(),
    };
    // SAFETY: the engine is initialised. It writes at most `room` floats to each of its one or two output planes, which
    // hold as many. `point_at` has seen that the input is of the engine's kind and holds `samples` from there; null
    // with none asks for what is held back.
    let written = unsafe {
        ffi::swr_convert(
            engine.as_mut_ptr(),
            written_to.as_mut_ptr(),
            room as i32,
            read_from,
            samples,
        )
    };
    let kept = usize::try_from(written).unwrap_or(0);
    left.truncate(kept);
    right.truncate(kept);
    if written < 0 {
        return Err(Error::from(written));
    }
    Ok(())
}

/// Points `planes` at the first of `samples` in each of the frame's planes.
fn point_at(
    frame: &frame::Audio,
    samples: &Range<usize>,
    engine: &Context,
    planes: &mut [*const u8; MAX_CHANNELS],
) -> Result<(), Error> {
    let from = engine.input();
    let channels = usize::from(frame.channels());
    let is_same = frame.format() == from.format
        && frame.rate() == from.rate
        && i32::from(frame.channels()) == from.channel_layout.channels();
    let is_within = samples.start <= samples.end && samples.end <= frame.samples();
    if !is_same || !is_within || !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(INVALID);
    }
    let (used, bytes) = if frame.is_planar() {
        (channels, frame.format().bytes())
    } else {
        (1, frame.format().bytes() * channels)
    };
    for (index, plane) in planes.iter_mut().take(used).enumerate() {
        // SAFETY: `extended_data` of a decoded frame has one pointer per plane, each to the bytes of `samples()`.
        *plane = unsafe {
            let start = *(*frame.as_ptr()).extended_data.add(index);
            if start.is_null() {
                return Err(INVALID);
            }
            start.add(samples.start * bytes)
        };
    }
    Ok(())
}
