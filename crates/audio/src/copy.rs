//! An MP3 track as it is: its frames under a fresh tag, as fast as they are read.
//!
//! The child hands over packets of which nothing is believed. Here they are taken apart into frames, and unless all of them
//! are of one version, rate and channel layout, the track is encoded like any other. That is known only at the end, so
//! frames are held back until then; of a track too large for that all frames are checked first, and fetched again to be copied.

use std::io::{self, Read, Seek};
use std::time::Duration;

use crate::boxed::{Packets, Sound};
use crate::decoder::Decoder;
use crate::frame::Header;
use crate::mp3::{Mp3, Writer};
use crate::pcm::{Spec, Wish};
use crate::side_info::{Estimate, GRANULE_SAMPLES};
use crate::source_tag::SourceTag;
use crate::tag_frame::Summary;
use crate::waveform::Waveform;
use crate::{Error, Options, Probe, Progress};

/// Frames that are held back: 20 minutes at 160 kbit/s.
const MOST_HELD_BYTES: usize = 24 << 20;

/// No frame is longer: 320 kbit/s at 32 kHz, and a byte of padding.
const MOST_FRAME_BYTES: usize = 1441;

/// A frame leans on no more than this of those before it: what nine bits can say.
const MOST_RESERVOIR_BYTES: usize = 511;

const WRITE_BYTES: usize = 64 * 1024;

/// Whether nothing is asked for that only an encoder can do. Whoever names a quality, be it the default, wants it made.
pub(crate) fn is_wanted(options: &Options) -> bool {
    options.quality.is_none()
        && options.start.is_zero()
        && options.end.is_none()
        && options.fade.is_zero()
        && options.loudness.is_none()
}

/// What became of a track that could perhaps be copied.
pub(crate) enum Copied<I> {
    Mp3(Mp3),
    /// It can't be. Its sound from the start.
    Not(Box<Sound<I>>),
}

/// Copies the track, `sound` being [one](Sound::is_copy) that can be.
///
/// # Errors
/// [`Error::TooMuchSound`], the output's, and those of [`Sound::next`].
pub(crate) fn copy<I: Read + Seek>(
    mut sound: Sound<I>,
    decoder: &Decoder,
    options: &Options,
    output: &mut dyn io::Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Copied<I>, Error> {
    let Some(track) = Track::read(&mut sound, options, decoder.limits.sound, progress)? else {
        let wish = Wish {
            copy: false,
            ..options.into()
        };
        let mut decoded = sound.again(decoder, wish)?;
        decoded.is_copy()?;
        return Ok(Copied::Not(Box::new(decoded)));
    };
    let again = if track.held.is_none() {
        let mut again = sound.again(decoder, options.into())?;
        again.is_copy()?.then_some(again)
    } else {
        None
    };
    track
        .write(again, options, output, progress)
        .map(Copied::Mp3)
}

/// A track all of whose frames are good.
struct Track {
    frames: Checker,
    /// `None` if there were too many.
    held: Option<Vec<u8>>,
    tag: SourceTag,
    spec: Spec,
    contents: Option<Box<Probe>>,
    duration: Option<Duration>,
}

impl Track {
    /// Looks at all frames. `None` if there is anything odd about them: then the track is to be encoded.
    ///
    /// # Errors
    /// [`Error::TooMuchSound`] if it is longer than `most`, and those of [`Sound::next`].
    fn read<I: Read + Seek>(
        sound: &mut Sound<I>,
        options: &Options,
        most: Duration,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<Self>, Error> {
        let mut frames = Checker::default();
        let mut held = Some(Vec::new());
        let mut good = Vec::new();
        let (start, end) = loop {
            match sound.next_packets()? {
                Packets::Some(bytes) => {
                    let Some(spec) = frames.take(bytes, &mut good) else {
                        return Ok(None);
                    };
                    let Some(spec) = spec else { continue };
                    if !spec.is_as_wished(options.into()) {
                        return Ok(None);
                    }
                    let position = spec.duration(frames.samples());
                    if position > most {
                        return Err(Error::TooMuchSound(most));
                    }
                    held = held.filter(|held| held.len() + good.len() <= MOST_HELD_BYTES);
                    if let Some(held) = &mut held {
                        held.append(&mut good);
                        let position = spec.duration(frames.heard());
                        let duration = sound.duration(position);
                        progress(Progress { position, duration });
                    }
                    good.clear();
                }
                Packets::End { start, end } => break (start, end),
                Packets::NoCopy => return Ok(None),
            }
        };
        let Some(mut track) = Self::of(frames, held, start, end) else {
            return Ok(None);
        };
        sound.check_least(track.spec.duration(track.frames.samples()))?;
        track.contents = sound.take_contents();
        track.duration = sound.duration(track.spec.duration(track.samples()));
        Ok(Some(track))
    }

    /// Of all these frames. So many samples at both ends aren't the sound's.
    fn of(frames: Checker, held: Option<Vec<u8>>, start: u32, end: u32) -> Option<Self> {
        let (spec, tag) = (frames.spec?, frames.tag(start, end)?);
        // Half a frame at the end is no loss, unless the end is known to the sample.
        let is_whole = frames.rest.is_empty() || !tag.knows_ends();
        let has_sound = frames.samples() > tag.trimmed();
        (is_whole && has_sound).then_some(Self {
            frames,
            held,
            tag,
            spec,
            contents: None,
            duration: None,
        })
    }

    /// Those of the sound: [`of`](Self::of) has seen that there are any.
    fn samples(&self) -> u64 {
        self.frames.samples() - self.tag.trimmed()
    }

    /// Writes the MP3. `again` is the same track once more, where its frames weren't held.
    fn write<I: Read + Seek>(
        self,
        again: Option<Sound<I>>,
        options: &Options,
        output: &mut dyn io::Write,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mp3, Error> {
        let unknown = || Error::engine("no tag frame for such frames");
        let tag_frame = self
            .tag
            .frame(self.frames.first, self.frames.kbps())
            .ok_or_else(unknown)?;
        let mut writer = Writer::new(options, self.contents.as_deref(), output)?;
        writer.buffer().extend_from_slice(&tag_frame); // a placeholder
        for piece in self.held.as_deref().unwrap_or_default().chunks(WRITE_BYTES) {
            writer.buffer().extend_from_slice(piece);
            writer.send()?;
        }
        match again {
            Some(sound) => self.write_again(sound, &mut writer, progress)?,
            None if self.held.is_none() => return Err(others()),
            None => {}
        }
        let samples = self.samples();
        progress(Progress {
            position: self.spec.duration(samples),
            duration: self.duration,
        });
        let (start, end) = self.tag.ends();
        let waveform = &self.frames.waveform;
        let waveform = waveform.points_within(start..self.frames.samples() - end);
        let tag_frame = self.frames.summary.complete(tag_frame)?;
        Ok(Mp3 {
            waveform,
            ..writer.finish(self.spec, samples, tag_frame)?
        })
    }

    fn write_again<I: Read + Seek>(
        &self,
        mut sound: Sound<I>,
        writer: &mut Writer<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let mut frames = Checker::default();
        while let Packets::Some(bytes) = sound.next_packets()? {
            if frames.take(bytes, writer.buffer()).is_none() {
                return Err(others());
            }
            writer.send()?;
            progress(Progress {
                position: self.spec.duration(frames.heard()),
                duration: self.duration,
            });
        }
        if frames.spec == self.frames.spec && frames.summary.is_same(&self.frames.summary) {
            Ok(())
        } else {
            Err(others())
        }
    }
}

/// What becomes of a child's packets, without a child: the MP3, if they are a track that can be copied.
#[cfg(feature = "fuzzing")]
pub(crate) fn of_packets(
    packets: &[Vec<u8>],
    (start, end): (u32, u32),
    contents: Option<Box<Probe>>,
) -> Result<Option<Vec<u8>>, Error> {
    let mut frames = Checker::default();
    let mut held = Vec::new();
    for bytes in packets {
        if frames.take(bytes, &mut held).is_none() {
            return Ok(None);
        }
    }
    let Some(mut track) = Track::of(frames, Some(held), start, end) else {
        return Ok(None);
    };
    track.contents = contents;
    let mut file = Vec::new();
    let again = None::<Sound<io::Cursor<Vec<u8>>>>;
    let mp3 = track.write(again, &Options::default(), &mut file, &mut |_| {})?;
    file[..mp3.head.len()].copy_from_slice(&mp3.head);
    Ok(Some(file))
}

fn others() -> Error {
    Error::Crashed("the decoder found something else when it was asked again".into())
}

/// Frames out of a stream of bytes, as long as they fit together.
#[derive(Default)]
struct Checker {
    /// The start of a frame that isn't all there yet.
    rest: Vec<u8>,
    /// What all have in common.
    spec: Option<Spec>,
    first: [u8; 4],
    /// The bitrates from and to.
    kbps: Option<(u32, u32)>,
    source: Option<SourceTag>,
    reservoir_bytes: usize,
    count: u64,
    summary: Summary,
    estimate: Estimate,
    /// What the frames may look like.
    waveform: Waveform,
}

impl Checker {
    /// Appends the frames that are whole to `good`, and says what they have in common once there is one. `None` if
    /// something else comes, or one that doesn't fit.
    fn take(&mut self, bytes: &[u8], good: &mut Vec<u8>) -> Option<Option<Spec>> {
        self.rest.extend_from_slice(bytes);
        let mut rest = std::mem::take(&mut self.rest);
        let before = good.len();
        let mut at = 0;
        while let Some(start) = rest.get_mut(at..).filter(|start| start.len() >= 4) {
            let header = Header::read(start)?;
            let Some(frame) = start.get_mut(..header.bytes) else {
                break;
            };
            self.add(&header, frame, good)?;
            at += header.bytes;
        }
        rest.drain(..at);
        self.rest = rest;
        self.summary.add(&good[before..]);
        (self.rest.len() < MOST_FRAME_BYTES).then_some(self.spec)
    }

    fn add(&mut self, header: &Header, frame: &mut [u8], good: &mut Vec<u8>) -> Option<()> {
        let spec = header.spec();
        if *self.spec.get_or_insert(spec) != spec {
            return None;
        }
        if self.count == 0 && self.source.is_none() {
            self.first.copy_from_slice(&frame[..4]);
            self.source = SourceTag::read(header, frame);
            if self.source.is_some() {
                return Some(());
            }
        }
        // A recording that begins in the middle of a stream: what its first frames lean on was never there. Every decoder
        // makes silence of such a frame, and not all without complaint.
        if header.leans_on(frame) > self.reservoir_bytes {
            let side = frame
                .get_mut(4..header.side_bytes)
                .filter(|_| !header.has_checksum)?;
            side.fill(0);
        }
        let room = header.bytes - header.side_bytes.min(header.bytes);
        self.reservoir_bytes = (self.reservoir_bytes + room).min(MOST_RESERVOIR_BYTES);
        let (least, most) = self.kbps.unwrap_or((header.kbps, header.kbps));
        self.kbps = Some((least.min(header.kbps), most.max(header.kbps)));
        for level in self.estimate.levels(header, frame) {
            self.waveform.add_level(level, GRANULE_SAMPLES);
        }
        self.count += 1;
        good.extend_from_slice(frame);
        Some(())
    }

    /// The bitrate that all have.
    fn kbps(&self) -> Option<u32> {
        self.kbps
            .filter(|(least, most)| least == most)
            .map(|(least, _)| least)
    }

    /// Decoded ones, those that aren't the sound's included.
    fn samples(&self) -> u64 {
        let per_frame = self.spec.map_or(0, |spec| spec.frame_samples());
        self.count.saturating_mul(per_frame as u64)
    }

    /// Those of the sound, as far as that is certain before the end.
    fn heard(&self) -> u64 {
        self.samples().saturating_sub(SourceTag::MOST_TRIMMED)
    }

    /// What the new tag says. `None` if the container too says something about the ends of a track with a tag.
    fn tag(&self, start: u32, end: u32) -> Option<SourceTag> {
        let of_container = SourceTag::of_trim(start, end)?;
        match &self.source {
            None => Some(of_container),
            Some(own) => (!of_container.knows_ends()).then(|| own.clone()),
        }
    }
}
