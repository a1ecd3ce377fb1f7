//! The whole way from a video to an MP3.

use std::io::{self, Read, Seek};
use std::time::Duration;

use crate::boxed::{Bounded, Sound};
use crate::decoder::Decoder;
use crate::input::Input;
use crate::native::lame::Encoder;
use crate::resample::{Pcm, Spec};
use crate::{Error, extent, tag};

/// How the MP3 should be.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How good it should sound.
    pub quality: Quality,
    /// Goes into the ID3 tag.
    pub title: Option<String>,
}

/// LAME's quality levels of variable bitrate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quality {
    /// About 245 kbit/s.
    V0,
    /// About 190 kbit/s: hardly anybody hears a difference from the source.
    #[default]
    V2,
    /// About 165 kbit/s.
    V4,
}

impl Quality {
    /// From 0, the best, to 9.
    pub(crate) fn level(self) -> i32 {
        match self {
            Self::V0 => 0,
            Self::V2 => 2,
            Self::V4 => 4,
        }
    }
}

/// How far a conversion has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The sound that is converted. Never goes back.
    pub position: Duration,
    /// The sound that there is, as the container says: a guess, and unknown for some.
    pub duration: Option<Duration>,
}

/// A finished MP3, of which all but the head has been written.
#[derive(Debug, Clone)]
pub struct Mp3 {
    /// The ID3v2.3 tag and the LAME/Xing frame: replaces as many bytes at the start of what was written.
    pub head: Vec<u8>,
    /// Exactly the sound, without what the encoder adds at both ends.
    pub duration: Duration,
    /// The whole MP3, head included.
    pub size_bytes: u64,
    /// One of MPEG's nine, 8000 to 48000.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u8,
}

/// Converts a video or sound file to an MP3. `decoder` makes the sound of it, in a process and a box of its own.
///
/// Writes the MP3 to `output` in order as it is made. Its first `head.len()` bytes are placeholders that the caller
/// replaces by [`Mp3::head`], which is known only at the end and far below 255 KiB. `progress` is called about once
/// per second of sound and at the end.
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
    let mut output = Bounded::new(output, limit_bytes);
    let made = encode(input, decoder, options, &mut output, progress);
    match made {
        Err(Error::Output(_)) if output.is_exceeded() => Err(Error::Mp3TooLarge(limit_bytes)),
        made => made,
    }
}

fn encode<I: Read + Seek>(
    input: I,
    decoder: &Decoder,
    options: &Options,
    output: &mut dyn io::Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Mp3, Error> {
    let mut input = Input::new(input).map_err(Error::Input)?;
    check_extent(&mut input)?;
    let mut sound = Sound::open(input, decoder)?;

    let mut pcm = Pcm::default();
    let Some(spec) = sound.next(&mut pcm)? else {
        return Err(Error::NoAudio);
    };
    let mut mp3 = Mp3Writer::new(spec, options, output)?;
    let mut reported = Duration::ZERO;
    loop {
        mp3.write(&pcm)?;
        if mp3.position() >= reported + Duration::from_secs(1) {
            reported = mp3.position();
            progress(Progress {
                position: reported,
                duration: sound.duration(),
            });
        }
        if sound.next(&mut pcm)?.is_none() {
            break;
        }
    }
    let mp3 = mp3.finish()?;
    progress(Progress {
        position: mp3.duration,
        duration: sound.duration(),
    });
    Ok(mp3)
}

fn check_extent<I: Read + Seek>(input: &mut Input<I>) -> Result<(), Error> {
    let actual_bytes = input.length();
    let declared = extent::declared_bytes(input, actual_bytes);
    input.rewind().map_err(Error::Input)?;
    match declared {
        Ok(Some(declared_bytes)) if declared_bytes > actual_bytes => Err(Error::Truncated {
            declared_bytes,
            actual_bytes,
        }),
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Input(input.fault().take().unwrap_or(error))),
    }
}

/// Encodes, collects what LAME gives in drops, and counts.
struct Mp3Writer<'a> {
    spec: Spec,
    tag: Vec<u8>,
    encoder: Encoder,
    output: &'a mut dyn io::Write,
    unwritten: Vec<u8>,
    written_bytes: u64,
    samples: u64,
}

impl<'a> Mp3Writer<'a> {
    const WRITE_BYTES: usize = 64 * 1024;

    fn new(spec: Spec, options: &Options, output: &'a mut dyn io::Write) -> Result<Self, Error> {
        let tag = tag::encode(options.title.as_deref())?;
        let encoder = Encoder::new(spec.rate_hz, spec.channels, options.quality)?;
        Ok(Self {
            spec,
            unwritten: tag.clone(),
            tag,
            encoder,
            output,
            written_bytes: 0,
            samples: 0,
        })
    }

    /// The sound written so far.
    fn position(&self) -> Duration {
        let rate = u64::from(self.spec.rate_hz);
        Duration::new(
            self.samples / rate,
            (self.samples % rate * 1_000_000_000 / rate) as u32,
        )
    }

    fn write(&mut self, pcm: &Pcm) -> Result<(), Error> {
        self.encoder
            .encode(&pcm.left, &pcm.right, &mut self.unwritten)?;
        self.samples += pcm.left.len() as u64;
        if self.unwritten.len() >= Self::WRITE_BYTES {
            self.write_out()
        } else {
            Ok(())
        }
    }

    fn finish(mut self) -> Result<Mp3, Error> {
        self.encoder.finish(&mut self.unwritten)?;
        self.write_out()?;
        self.output.flush().map_err(Error::Output)?;
        let duration = self.position();
        let mut head = self.tag;
        head.extend(self.encoder.tag_frame());
        Ok(Mp3 {
            head,
            duration,
            size_bytes: self.written_bytes,
            sample_rate_hz: self.spec.rate_hz,
            channels: self.spec.channels,
        })
    }

    fn write_out(&mut self) -> Result<(), Error> {
        self.output
            .write_all(&self.unwritten)
            .map_err(Error::Output)?;
        self.written_bytes += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }
}
