//! The whole way from a video to an MP3.

use std::io::{self, Read, Seek};
use std::num::NonZeroUsize;
use std::thread;

use crate::blocks::Blocks;
use crate::boxed::{Bounded, Sound};
use crate::copy::{self, Copied};
use crate::cuts::Cuts;
use crate::decoder::Decoder;
use crate::extent::{self, Extent};
use crate::input::{Counted, Input};
use crate::kept::Kept;
use crate::loudness::{self, Measured};
use crate::mp3::{Mp3, Writer};
use crate::native::lame::{Encoder, Reservoir};
use crate::parallel::{self, Stream};
use crate::pcm::Wish;
use crate::progress::{Progress, Steady};
use crate::segment::{Encoded, Segment};
use crate::shaped::Shaped;
use crate::tag_frame::Summary;
use crate::{Error, NotAnOption, Options, Quality};

/// Shorter sounds are encoded by one encoder, with its bit reservoir.
const SHORT_SECONDS: u64 = 30;

/// Converts a video or sound file to an MP3. `decoder` makes the sound of it, in a process and a box of its own.
///
/// A track that is MP3 already is copied as it is unless `options` ask for a change: for a quality, for a part of it, or for
/// what it isn't.
///
/// Writes the MP3 to `output` in order as it is made. Its first `head.len()` bytes are placeholders that the caller
/// replaces by [`Mp3::head`], which is known only at the end and below 255 KiB. `progress` is called every few
/// seconds of sound or tenths of a second, and at the end. Reads, writes and calls happen on the caller's thread.
///
/// # Errors
/// [`Error::Input`] and [`Error::Output`] carry what `input` and `output` returned, so a caller cancels by failing
/// there (though not with [`io::ErrorKind::Interrupted`], which means "again"), or by [`Decoder::stop`], which also ends
/// a wait for the decoder. For the others see [`Error::is_hopeless`].
///
/// The decoder's process ends with the thread that calls this, and before this returns.
pub fn convert<I: Read + Seek>(
    input: I,
    decoder: &Decoder,
    options: &Options,
    output: &mut dyn io::Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Mp3, Error> {
    let limit_bytes = decoder.limits.mp3_bytes;
    let mut input = Counted::new(input);
    let mut output = Bounded::new(output, limit_bytes);
    match make(&mut input, decoder, options, &mut output, progress) {
        Err(Error::Output(_)) if output.is_exceeded() => Err(Error::Mp3TooLarge(limit_bytes)),
        Ok(mp3) => Ok(Mp3 {
            read_bytes: input.bytes,
            ..mp3
        }),
        failed => failed,
    }
}

/// Copies the track if it is MP3 and that is enough, encodes it otherwise.
fn make<I: Read + Seek>(
    input: I,
    decoder: &Decoder,
    options: &Options,
    output: &mut dyn io::Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Mp3, Error> {
    let mut steady = Steady::default();
    let progress: &mut dyn FnMut(Progress) = &mut |now| progress(steady.after(now));
    let (mut sound, measured) = open(input, decoder, options, options.into(), progress)?;
    if sound.is_copy()? {
        match copy::copy(sound, decoder, options, output, progress)? {
            Copied::Mp3(mp3) => return Ok(mp3),
            Copied::Not(decoded) => sound = *decoded,
        }
    }
    let sound = Shaped::new(sound, options, measured.as_ref())?;
    let progress: &mut dyn FnMut(Progress) = &mut |now| match &measured {
        Some(measured) => progress(measured.while_encoded(now)),
        None => progress(now),
    };
    encode(sound, options, output, progress)
}

fn encode<I: Read + Seek>(
    sound: Shaped<I>,
    options: &Options,
    output: &mut dyn io::Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Mp3, Error> {
    let writer = Writer::new(options, sound.contents(), output)?;
    let mut blocks = Blocks::new(sound);
    let short = SHORT_SECONDS * u64::from(blocks.spec().rate_hz);
    let encoders = options
        .encoders
        .or_else(|| thread::available_parallelism().ok());
    let quality = options.quality.unwrap_or_default();
    if blocks.are_shorter_than(short)? {
        return in_one(blocks, quality, Reservoir::On, writer, progress);
    }
    match encoders {
        None | Some(NonZeroUsize::MIN) => in_one(blocks, quality, Reservoir::Off, writer, progress),
        Some(encoders) => {
            let sound = blocks.sound();
            let cuts =
                Cuts::for_encoders(encoders, sound.spec(), sound.duration(), sound.held_bytes());
            in_segments(blocks, cuts, encoders, quality, writer, progress)
        }
    }
}

/// Converts with cuts after so many blocks of 49 frames each, and without the bit reservoir, however short the sound.
#[cfg(feature = "test-media")]
pub fn convert_cut<I: Read + Seek>(
    input: I,
    decoder: &Decoder,
    options: &Options,
    cuts: &[usize],
    output: &mut dyn io::Write,
) -> Result<Mp3, Error> {
    let wish = Wish {
        copy: false,
        ..options.into()
    };
    let (mut sound, measured) = open(input, decoder, options, wish, &mut |_| {})?;
    sound.is_copy()?;
    let blocks = Blocks::new(Shaped::new(sound, options, measured.as_ref())?);
    let encoders = options.encoders.unwrap_or(NonZeroUsize::MIN);
    let writer = Writer::new(options, blocks.sound().contents(), output)?;
    let cuts = Cuts::at(cuts);
    let quality = options.quality.unwrap_or_default();
    in_segments(blocks, cuts, encoders, quality, writer, &mut |_| {})
}

/// Where a loudness is asked for, the sound is decoded twice: measured first.
fn open<I: Read + Seek>(
    mut input: I,
    decoder: &Decoder,
    options: &Options,
    mut wish: Wish,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Sound<Kept<I>>, Option<Measured>), Error> {
    options.check().map_err(Error::NotAnOption)?;
    let mut whole = Input::new(&mut input).map_err(Error::Input)?;
    if whole.is_pipe() {
        wish.copy = false; // what turns out not to be copied is read again
        if options.loudness.is_some() {
            return Err(Error::NotAnOption(NotAnOption(
                "a loudness needs two passes, and a pipe has one: give a file",
            )));
        }
    }
    let extent = check_extent(&mut whole)?;
    let room_bytes = options.loudness.map_or(0, |_| loudness::KEPT_BYTES);
    let mut input = Kept::new(input, room_bytes);
    let mut measured = None;
    if let Some(wanted) = options.loudness {
        let again = Input::new(&mut input).map_err(Error::Input)?;
        let mut sound = Sound::open(again, decoder, wish, extent.clone())?;
        sound.is_copy()?;
        let sound = Shaped::new(sound, options, None)?;
        let quality = options.quality.unwrap_or_default();
        let heard = loudness::measure(sound, wanted, quality, progress)?;
        measured = Some(Measured {
            kept_bytes: input.close(),
            ..heard
        });
    }
    let input = Input::new(input).map_err(Error::Input)?;
    Ok((Sound::open(input, decoder, wish, extent)?, measured))
}

/// Whether a file is all there, and whether a pipe can be read in order. Gives what of that is known only when all was read.
pub(crate) fn check_extent<I: Read + Seek>(input: &mut Input<I>) -> Result<Extent, Error> {
    let actual_bytes = input.length();
    let extent = if input.is_pipe() {
        match extent::is_ordered(input) {
            Ok(false) => return Err(Error::NotInOrder),
            Ok(true) => extent::of_pipe(input),
            Err(error) => Err(error),
        }
    } else {
        extent::of(input, actual_bytes)
    };
    let extent = extent.map_err(|error| Error::Input(input.fault().take().unwrap_or(error)))?;
    input.rewind().map_err(Error::Input)?;
    match extent {
        Extent::Bytes(Some(declared_bytes)) if declared_bytes > actual_bytes => {
            Err(Error::Truncated {
                declared_bytes,
                actual_bytes,
            })
        }
        extent => Ok(extent),
    }
}

/// One encoder from the start to the end, on this thread.
fn in_one<I: Read + Seek>(
    mut blocks: Blocks<I>,
    quality: Quality,
    reservoir: Reservoir,
    mut writer: Writer<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Mp3, Error> {
    let spec = blocks.spec();
    let mut encoder = Encoder::new(spec, quality, reservoir)?;
    let mut samples = 0;
    while let Some(pcm) = blocks.next()? {
        encoder.encode(&pcm.left, &pcm.right, writer.buffer())?;
        writer.send()?;
        samples += pcm.left.len() as u64;
        progress(Progress {
            position: spec.duration(samples),
            duration: blocks.sound().duration(),
        });
    }
    encoder.finish(writer.buffer())?;
    let mp3 = writer.finish(spec, samples, encoder.tag_frame())?;
    Ok(with_waveform(mp3, &blocks))
}

/// Many encoders, which take turns. The frames are the same as those of one without the bit reservoir.
fn in_segments<'a, I: Read + Seek>(
    blocks: Blocks<I>,
    cuts: Cuts,
    encoders: NonZeroUsize,
    quality: Quality,
    writer: Writer<'a>,
    progress: &'a mut dyn FnMut(Progress),
) -> Result<Mp3, Error> {
    let mut joint = Joint {
        blocks,
        cuts,
        quality,
        writer,
        summary: Summary::default(),
        tag_frame: None,
        progress,
    };
    parallel::encode(&mut joint, encoders)?;
    let Joint { blocks, writer, .. } = joint;
    let samples = blocks.samples();
    (joint.progress)(Progress {
        position: blocks.spec().duration(samples),
        duration: blocks.sound().duration(),
    });
    let last = joint.tag_frame.unwrap_or_default();
    let mp3 = writer.finish(blocks.spec(), samples, joint.summary.complete(last)?)?;
    Ok(with_waveform(mp3, &blocks))
}

fn with_waveform<I: Read + Seek>(mp3: Mp3, blocks: &Blocks<I>) -> Mp3 {
    Mp3 {
        waveform: blocks.sound().waveform(),
        ..mp3
    }
}

/// Cuts the sound into segments and joins what becomes of them.
struct Joint<'a, I> {
    blocks: Blocks<I>,
    cuts: Cuts,
    quality: Quality,
    writer: Writer<'a>,
    summary: Summary,
    /// Of the segment that was taken last.
    tag_frame: Option<Vec<u8>>,
    progress: &'a mut dyn FnMut(Progress),
}

impl<I: Read + Seek> Stream for Joint<'_, I> {
    fn next(&mut self) -> Result<Option<Segment>, Error> {
        self.blocks.next_segment(self.cuts.next(), self.quality)
    }

    fn take(&mut self, encoded: Encoded) -> Result<(), Error> {
        if self.tag_frame.is_none() {
            self.writer.buffer().extend_from_slice(&encoded.tag_frame); // a placeholder of the right length
        }
        self.tag_frame = Some(encoded.tag_frame);
        self.summary.add(&encoded.frames);
        self.writer.buffer().extend_from_slice(&encoded.frames);
        self.writer.send()
    }

    fn progress(&mut self, samples: u64) {
        (self.progress)(Progress {
            position: self.blocks.spec().duration(samples),
            duration: self.blocks.sound().duration(),
        });
    }
}
