//! From a container to sound.

use std::ffi::CString;
use std::io::{Read, Seek};
use std::sync::Once;
use std::time::Duration;

use ffmpeg_next::error::{EAGAIN, ENOMEM};
use ffmpeg_next::format::context::{Input as Container, StreamIo};
use ffmpeg_next::{
    Error as Ffmpeg, Packet, Rational, Stream, codec, decoder, frame, log, threading,
};

use crate::Error;
use crate::frame::Header;
use crate::input::{Fault, Input};
use crate::native::{allowed, demuxer, limits};
use crate::pcm::{Pcm, Spec, Wish};
use crate::resample::{Resampler, Unfit};
use crate::track::{self, Choice};

/// A demuxer that finds nothing but broken packets this many times in a row has lost its way.
const MAX_BROKEN_PACKETS: u32 = 4096;

/// The sound of one video: opened, decoded and resampled as it is asked for.
pub(crate) struct Sound {
    container: Container,
    stream: usize,
    /// As many streams may the container have.
    streams: u32,
    codec: codec::Id,
    decoder: decoder::Audio,
    resampler: Resampler,
    fault: Fault,
    duration: Option<Duration>,
    least: Duration,
    seen: Seen,
    /// A packet that was looked at and is still to be taken.
    first: Option<Packet>,
    is_draining: bool,
}

/// Less than a quarter of what a track says it has isn't that track.
const LEAST_OF_TRACK: u32 = 4;

/// What has been met so far, to explain a track that gives nothing.
#[derive(Default)]
struct Seen {
    packets: u64,
    unfit: Option<Unfit>,
    failure: Option<Ffmpeg>,
}

impl Sound {
    /// Opens the container and the decoder of the track that is wished for. `look` gets to see the container, and the index
    /// of the stream, if there is one.
    pub(crate) fn open<I: Read + Seek + Send + 'static>(
        input: Input<I>,
        wish: Wish,
        in_fragments: bool,
        streams: u32,
        look: &mut dyn FnMut(&Container, Option<usize>),
    ) -> Result<Self, Error> {
        static READY: Once = Once::new();
        READY.call_once(|| {
            let _always_ok = ffmpeg_next::init(); // the words for its error numbers
            log::set_level(log::Level::Quiet);
            limits::limit_allocations();
        });

        let mut input = input;
        let fault = input.fault();
        // FFmpeg knows how to do without seeking, where it is told that it can't. Of Ogg it would look for the last
        // timestamps, and for the first ones of all streams, and then begin anew.
        let in_order = input.is_pipe() || wish.once && is_ogg(&mut input);
        let io = if in_order {
            StreamIo::from_read(input)
        } else {
            StreamIo::from_read_seek(input)
        };
        let io = io.map_err(Error::engine)?;
        let mut opened = demuxer::open(io, wish.once, in_fragments);
        // What comes after that is FFmpeg's guess.
        let mut stated = Vec::new();
        if let Ok(container) = &mut opened {
            check_streams(container, streams)?;
            stated = container.streams().map(|track| duration(&track)).collect();
            opened = demuxer::probe(container).and(opened);
        }
        if let Some(error) = fault.take() {
            return Err(Error::Input(error));
        }
        let mut container = opened.map_err(Error::of_file)?;
        check_streams(&container, streams)?; // some show up only while probing
        let chosen = choose_stream(&container, wish.track);
        look(&container, chosen.as_ref().ok().map(|stream| stream.index));
        let stream = chosen?;
        demuxer::listen_to(&mut container, Some(stream.index));

        let codecs = CString::new(allowed::codecs()).map_err(Error::engine)?;
        let mut context =
            codec::Context::from_parameters(stream.parameters).map_err(Error::engine)?;
        limits::limit_frames(&mut context);
        allowed::allow(&mut context, &codecs);
        context.set_threading(threading::Config::count(1));
        let mut context = context.decoder();
        context.set_packet_time_base(stream.time_base); // it skips encoder delays by time
        let decoder = context.audio().map_err(Error::of_file)?;
        Ok(Self {
            container,
            stream: stream.index,
            streams,
            codec: stream.codec,
            decoder,
            resampler: Resampler::new(wish),
            fault,
            duration: stream.duration,
            least: least(stated.get(stream.index).copied().flatten()),
            seen: Seen::default(),
            first: None,
            is_draining: false,
        })
    }

    /// What the container says. Damaged ones say anything.
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Less sound than that is none, by what the container says.
    pub(crate) fn least(&self) -> Duration {
        self.least
    }

    /// Whether the track's packets are what the wished-for MP3 is made of, by the first of them. To be asked first.
    pub(crate) fn is_mp3(&mut self, wish: Wish) -> Result<bool, Error> {
        if self.codec != codec::Id::MP3 {
            return Ok(false);
        }
        // MPEG-TS doesn't tell the layers apart.
        self.first = self.read_packet()?;
        let frame = self.first.as_ref().and_then(|packet| packet.data());
        let header = frame.and_then(Header::read);
        Ok(header.is_some_and(|header| header.spec().is_as_wished(wish)))
    }

    /// The next bit of sound, usually some milliseconds of it, into `pcm`. `None` after the last.
    ///
    /// # Errors
    /// The input's, the engine's, and [`Error::NoAudio`] or [`Error::Unreadable`] where there was nothing at all.
    pub(crate) fn next(&mut self, pcm: &mut Pcm) -> Result<Option<Spec>, Error> {
        pcm.left.clear();
        pcm.right.clear();
        loop {
            self.resampler.pull(pcm)?;
            if !pcm.left.is_empty() {
                return Ok(self.resampler.spec());
            }
            if self.resampler.is_busy() {
                continue;
            }
            let mut decoded = frame::Audio::empty();
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => {
                    if let Err(unfit) = self.resampler.push(decoded) {
                        self.seen.unfit = Some(unfit);
                    }
                }
                Err(Ffmpeg::Eof) => {
                    if !self.resampler.finish() {
                        return self.end();
                    }
                }
                Err(Ffmpeg::Other { errno: EAGAIN }) => self.feed()?,
                Err(lack @ Ffmpeg::Other { errno: ENOMEM }) => return Err(Error::of_file(lack)),
                Err(broken) if self.is_draining => {
                    self.seen.failure = Some(broken);
                    return self.end();
                }
                Err(broken) => {
                    self.seen.failure = Some(broken);
                    self.feed()?;
                }
            }
        }
    }

    /// Gives the decoder one packet, or the end.
    fn feed(&mut self) -> Result<(), Error> {
        let sent = match self.read_packet()? {
            Some(packet) => {
                self.seen.packets += 1;
                self.decoder.send_packet(&packet)
            }
            None => {
                self.is_draining = true;
                self.decoder.send_eof()
            }
        };
        match sent {
            Err(lack @ Ffmpeg::Other { errno: ENOMEM }) => Err(Error::of_file(lack)),
            Err(broken) if broken != Ffmpeg::Eof => {
                self.seen.failure = Some(broken);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The next packet of our stream, over whatever is broken in between. `None` at the end of the file.
    pub(crate) fn read_packet(&mut self) -> Result<Option<Packet>, Error> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let mut broken_packets = 0;
        loop {
            let mut packet = Packet::empty();
            let read = packet.read(&mut self.container);
            if let Some(error) = self.fault.take() {
                return Err(Error::Input(error));
            }
            match read {
                Ok(()) if packet.stream() == self.stream => return Ok(Some(packet)),
                // Of a stream that showed up only now: skip its further packets unread.
                Ok(()) => {
                    check_streams(&self.container, self.streams)?;
                    demuxer::listen_to(&mut self.container, Some(self.stream));
                }
                Err(Ffmpeg::Eof) => return Ok(None),
                Err(lack @ Ffmpeg::Other { errno: ENOMEM }) => return Err(Error::of_file(lack)),
                Err(broken) => {
                    self.seen.failure = Some(broken);
                    broken_packets += 1;
                    if broken_packets > MAX_BROKEN_PACKETS {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The end of a track that gave something, or why it gave nothing.
    fn end(&self) -> Result<Option<Spec>, Error> {
        match (self.resampler.spec(), &self.seen) {
            (Some(_), _) => Ok(None),
            (
                None,
                Seen {
                    unfit: Some(unfit), ..
                },
            ) => Err(Error::UnsupportedCodec {
                codec: format!("{}, {unfit}", self.codec.name()),
            }),
            (
                None,
                Seen {
                    packets: 0,
                    failure: None,
                    ..
                },
            ) => Err(Error::NoAudio),
            (
                None,
                Seen {
                    failure: Some(failure),
                    ..
                },
            ) => Err(Error::unreadable(failure)),
            (None, _) => Err(Error::unreadable("nothing could be decoded")),
        }
    }
}

/// By its first bytes. What can't be read now will be told when it is read next.
fn is_ogg(input: &mut (impl Read + Seek)) -> bool {
    let mut start = [0; 4];
    let read = input.read_exact(&mut start);
    let is_back = input.rewind();
    read.and(is_back).is_ok() && &start == b"OggS"
}

fn check_streams(container: &Container, limit: u32) -> Result<(), Error> {
    if container.nb_streams() > limit {
        return Err(Error::TooManyStreams { limit });
    }
    Ok(())
}

/// By what a track says of itself. What a container says is of its longest track: a short sound may go with long pictures.
fn least(stated: Option<Duration>) -> Duration {
    stated.map_or(Duration::ZERO, |stated| stated / LEAST_OF_TRACK)
}

struct Chosen {
    index: usize,
    codec: codec::Id,
    parameters: codec::Parameters,
    time_base: Rational,
    duration: Option<Duration>,
}

/// The first of the tracks that are meant which can be decoded.
fn choose_stream(container: &Container, choice: Option<Choice>) -> Result<Chosen, Error> {
    let mut unsupported = None;
    for stream in track::meant(container, choice)? {
        let parameters = stream.parameters();
        let codec = parameters.id();
        if decoder::find(codec).is_none() {
            unsupported.get_or_insert(codec);
            continue;
        }
        let duration = duration(&stream).or_else(|| whole_duration(container));
        return Ok(Chosen {
            index: stream.index(),
            codec,
            time_base: stream.time_base(),
            duration,
            parameters,
        });
    }
    Err(match unsupported {
        None => Error::NoAudio,
        Some(codec::Id::None) => Error::UnsupportedCodec {
            codec: "unknown".into(),
        },
        Some(codec) => Error::UnsupportedCodec {
            codec: codec.name().into(),
        },
    })
}

/// FFmpeg's for all of it.
fn whole_duration(container: &Container) -> Option<Duration> {
    let micros = u64::try_from(container.duration()).ok()?;
    Some(Duration::from_micros(micros)).filter(|duration| !duration.is_zero())
}

fn duration(stream: &Stream<'_>) -> Option<Duration> {
    let seconds = stream.duration() as f64 * f64::from(stream.time_base());
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
}
