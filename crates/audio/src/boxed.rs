//! Sound from the box: what [`decode::Sound`](crate::decode::Sound) makes in the child, as the parent gets it.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use crate::decoder::Decoder;
use crate::extent::Extent;
use crate::input::Input;
use crate::pcm::{Pcm, Spec, Wish};
use crate::process::Process;
use crate::protocol::{Said, take_pcm};
use crate::{Error, Probe};

/// The sound of one video, decoded by a child that is given nothing but the bytes it asks for, and isn't believed.
pub(crate) struct Sound<I> {
    process: Process,
    input: Input<I>,
    answer: Vec<u8>,
    /// Where the bytes end that the child was given last.
    served: u64,
    /// What shows only when all was read.
    extent: Extent,
    /// A pipe has ended.
    is_over: bool,
    contents: Option<Box<Probe>>,
    may_copy: bool,
    found: Option<Spec>,
    duration: Option<Duration>,
    /// As much has to come.
    least: Duration,
    samples: u64,
    most: Duration,
}

impl<I: Read + Seek> Sound<I> {
    /// Starts the decoder and sees that its box holds. `extent` is what isn't checked yet.
    pub(crate) fn open(
        input: Input<I>,
        decoder: &Decoder,
        wish: Wish,
        extent: Extent,
    ) -> Result<Self, Error> {
        let in_fragments = matches!(extent, Extent::InBoxes(_)) && !input.is_pipe();
        let mut process = Process::start(decoder, input.length(), in_fragments, wish)?;
        match process.hear()? {
            Said::Confined(_) => {}
            Said::Unconfined(reason) => return Err(Error::Unconfined(reason)),
            _ => return Err(process.lied("spoke before it was confined")),
        }
        Ok(Self {
            process,
            input,
            answer: Vec::new(),
            served: 0,
            extent,
            is_over: false,
            contents: None,
            may_copy: wish.copy,
            found: None,
            duration: None,
            least: Duration::ZERO,
            samples: 0,
            most: decoder.limits.sound,
        })
    }

    /// The same sound from its start, in another way.
    pub(crate) fn again(mut self, decoder: &Decoder, wish: Wish) -> Result<Self, Error> {
        drop(self.process);
        self.input.rewind().map_err(Error::Input)?;
        Self::open(self.input, decoder, wish, self.extent)
    }

    /// How much there is to be heard in all, now that so much was. That is what the container says, damaged ones anything;
    /// where it says nothing, a guess by how much of the file was read.
    pub(crate) fn duration(&self, heard: Duration) -> Option<Duration> {
        self.duration.or_else(|| {
            let part = self.served as f64 / self.input.length() as f64;
            let all = Duration::try_from_secs_f64(heard.as_secs_f64() / part);
            all.ok().filter(|_| !self.input.is_pipe())
        })
    }

    /// As much sound as has come.
    pub(crate) fn heard(&self) -> Duration {
        let of = |spec: Spec| spec.duration(self.samples);
        self.found.map_or(Duration::ZERO, of)
    }

    /// Whether the packets of an MP3 track follow, and no sound. To be asked first.
    ///
    /// # Errors
    /// As of [`next`](Self::next).
    pub(crate) fn is_copy(&mut self) -> Result<bool, Error> {
        match self.hear()? {
            Said::Found {
                spec,
                duration,
                least,
            } => {
                self.found = Some(spec);
                (self.duration, self.least) = (duration, least);
                Ok(false)
            }
            Said::Copying { duration, least } if self.may_copy => {
                (self.duration, self.least) = (duration, least);
                Ok(true)
            }
            _ => Err(self.process.lied("spoke out of turn")),
        }
    }

    /// What the container says of itself. Known from the first sound on, and given once.
    pub(crate) fn take_contents(&mut self) -> Option<Box<Probe>> {
        self.contents.take()
    }

    /// What the container says of itself, without its sound.
    pub(crate) fn look(mut self) -> Result<Probe, Error> {
        loop {
            match self.process.hear()? {
                Said::Read { offset, length } => self.serve(offset, length)?,
                Said::Contents(contents) => return Ok(*contents),
                Said::Failed(error) => return Err(error),
                _ => return Err(self.process.lied("spoke out of turn")),
            }
        }
    }

    /// The next bit of sound, at most a third of a second of it, into `pcm`. `None` after the last.
    ///
    /// # Errors
    /// The input's, those that the child met, and those that end it.
    pub(crate) fn next(&mut self, pcm: &mut Pcm) -> Result<Option<Spec>, Error> {
        match (self.hear()?, self.found) {
            (Said::Pcm, Some(spec)) => {
                let taken = take_pcm(self.process.payload(), spec.channels, pcm);
                if taken.is_none() {
                    return Err(self.process.lied("sent samples that are none"));
                }
                self.samples += pcm.left.len() as u64;
                if self.samples > u64::from(spec.rate_hz).saturating_mul(self.most.as_secs()) {
                    return Err(Error::TooMuchSound(self.most));
                }
                Ok(Some(spec))
            }
            (Said::End, Some(_)) => {
                self.check_whole()?;
                let heard = self.heard();
                self.check_least(heard)?;
                self.duration.get_or_insert(heard);
                pcm.left.clear();
                pcm.right.clear();
                Ok(None)
            }
            _ => Err(self.process.lied("spoke out of turn")),
        }
    }

    /// The next packets of a track that is copied, of which nothing is known.
    pub(crate) fn next_packets(&mut self) -> Result<Packets<'_>, Error> {
        match self.hear()? {
            Said::Packets => Ok(Packets::Some(self.process.payload())),
            Said::Trim { start, end } => {
                self.check_whole()?;
                Ok(Packets::End { start, end })
            }
            Said::NoCopy => Ok(Packets::NoCopy),
            _ => Err(self.process.lied("spoke out of turn")),
        }
    }

    /// What the child says, but for the bytes that it wants and what it failed with.
    fn hear(&mut self) -> Result<Said, Error> {
        loop {
            match self.process.hear()? {
                Said::Read { offset, length } => self.serve(offset, length)?,
                Said::Contents(contents) if self.contents.is_none() => {
                    self.contents = Some(contents);
                }
                Said::Failed(error) => {
                    if error.is_hopeless() {
                        self.check_whole()?; // that may be why
                    }
                    return Err(error);
                }
                said => return Ok(said),
            }
        }
    }

    /// Whether the file is all there, as far as its end has to tell. Of a pipe nobody knows before it ends.
    fn check_whole(&mut self) -> Result<(), Error> {
        let is_pipe = self.input.is_pipe();
        if is_pipe && !self.is_over {
            return Ok(());
        }
        let declared = match &mut self.extent {
            Extent::Bytes(declared) => *declared,
            Extent::InBoxes(boxes) if is_pipe => boxes.reach(),
            Extent::InBoxes(boxes) => {
                if let Err(error) = boxes.walk(&mut self.input, false) {
                    let fault = self.input.fault();
                    return Err(Error::Input(fault.take().unwrap_or(error)));
                }
                boxes.declared().flatten()
            }
        };
        let actual_bytes = if is_pipe {
            self.served
        } else {
            self.input.length()
        };
        match declared {
            Some(declared_bytes) if declared_bytes > actual_bytes => Err(Error::Truncated {
                declared_bytes,
                actual_bytes,
            }),
            _ => Ok(()),
        }
    }

    /// Whether there was as much sound as there had to be.
    ///
    /// # Errors
    /// [`Error::TooLittleSound`].
    pub(crate) fn check_least(&self, heard: Duration) -> Result<(), Error> {
        match self.duration {
            Some(stated) if heard < self.least => Err(Error::TooLittleSound { heard, stated }),
            _ => Ok(()),
        }
    }

    /// Gives the child the bytes that it asks for. It can't be told that they can't be had: it ends then.
    fn serve(&mut self, offset: u64, length: usize) -> Result<(), Error> {
        let is_within = offset
            .checked_add(length as u64)
            .is_some_and(|end| end <= self.input.length());
        if !is_within {
            return Err(self.process.lied("asked for bytes that don't exist"));
        }
        if self.input.is_pipe() {
            return self.serve_from_pipe(offset, length);
        }
        self.answer.resize(length, 0);
        self.input
            .seek(SeekFrom::Start(offset))
            .map_err(Error::Input)?;
        if let Err(error) = self.input.read_exact(&mut self.answer) {
            let fault = self.input.fault();
            return Err(Error::Input(fault.take().unwrap_or(error)));
        }
        self.served = offset + length as u64;
        if let Extent::InBoxes(boxes) = &mut self.extent {
            boxes.look(offset, &self.answer);
        }
        self.process.tell(&self.answer)
    }

    /// The next bytes of a pipe, and how many they are.
    fn serve_from_pipe(&mut self, offset: u64, length: usize) -> Result<(), Error> {
        if offset != self.served {
            return Err(self
                .process
                .lied("asked a pipe for other bytes than the next"));
        }
        self.answer.clear();
        self.answer.extend([0; 4]);
        let fault = self.input.fault();
        let mut next = self.input.by_ref().take(length as u64);
        let read = next
            .read_to_end(&mut self.answer)
            .map_err(|error| Error::Input(fault.take().unwrap_or(error)))?;
        self.served += read as u64;
        self.is_over = read < length;
        if let Extent::InBoxes(boxes) = &mut self.extent {
            boxes.look(offset, &self.answer[4..]);
        }
        self.answer[..4].copy_from_slice(&(read as u32).to_le_bytes());
        self.process.tell(&self.answer)
    }
}

/// What comes of a track that is copied.
pub(crate) enum Packets<'a> {
    /// Bytes, one packet after the other.
    Some(&'a [u8]),
    /// There are no more. So many samples at both ends aren't the sound's.
    End { start: u32, end: u32 },
    /// They don't make the sound alone: it has to be decoded.
    NoCopy,
}

/// A writer that takes no more than a conversion may give.
pub(crate) struct Bounded<'a> {
    output: &'a mut dyn io::Write,
    left_bytes: u64,
    is_exceeded: bool,
}

impl<'a> Bounded<'a> {
    pub(crate) fn new(output: &'a mut dyn io::Write, most_bytes: u64) -> Self {
        Self {
            output,
            left_bytes: most_bytes,
            is_exceeded: false,
        }
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left_bytes {
            self.is_exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.output.write(bytes)?;
        self.left_bytes = self.left_bytes.saturating_sub(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
