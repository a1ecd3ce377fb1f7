//! What the two sides of the box say to each other, over the child's standard input and output.
//!
//! ```text
//! parent                                   child
//!   Order ────────────────────────────────▶ confines itself, tries to get out
//!         ◀──────────────────────────────── Confined, or Unconfined
//!         ◀──────────────────────────────── Read    (a byte range)
//!   those bytes ──────────────────────────▶ …as often as it needs
//!         ◀──────────────────────────────── Contents (what the container says of itself)
//!         ◀──────────────────────────────── Found   (what the sound is)
//!         ◀──────────────────────────────── Pcm     …with more Reads in between
//!         ◀──────────────────────────────── End, or Failed
//!
//! and, for an MP3 track that is copied, instead of Found and Pcm
//!         ◀──────────────────────────────── Copying
//!         ◀──────────────────────────────── Packets …with more Reads in between
//!         ◀──────────────────────────────── Trim, or NoCopy
//! ```
//!
//! Where the input is a pipe, each answer to a `Read` begins with its length (four bytes): fewer bytes than were asked for
//! are the last.
//!
//! Each message of the child is a kind (one byte), a length (four) and a payload. Numbers are little-endian. Every
//! length has a bound, and whatever is out of shape decodes to `None`: the parent believes nothing else of the child,
//! which may have been taken over by the file that it reads.

mod failed;

use std::time::Duration;

use crate::contents;
use crate::fields::{Fields, duration, micros};
use crate::pcm::{Pcm, Spec, Wish};
use crate::resample::MAX_LEVEL;
use crate::track::Choice;
use crate::{Error, Missing, Probe, SampleRate};

/// The first byte of an order. Another number is another protocol: parent and child come from different builds.
const VERSION: u8 = 4;

/// The most bytes that one `Read` may ask for: a block per round trip. A fifth of the chunks of 255 KiB that GridFS keeps
/// files in: a block that begins at a multiple of its size touches one chunk only.
pub(crate) const MAX_READ_BYTES: usize = 51 * 1024;

/// The most samples of each channel in one `Pcm`.
pub(crate) const MAX_PCM_SAMPLES: usize = 16 * 1024;

/// Longer words are cut.
pub(crate) const MAX_TEXT_BYTES: usize = 512;

/// The longest payload: two channels of floats, or packets.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 2 * 4 * MAX_PCM_SAMPLES;

pub(crate) const HEADER_BYTES: usize = 5;

/// What the child needs to know before it confines itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) input_bytes: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) streams: u32,
    /// The process that waits for the answer. Without it there is nothing to do.
    pub(crate) parent: u32,
    pub(crate) wish: Wish,
}

impl Order {
    pub(crate) const BYTES: usize = 44;

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.input_bytes.to_le_bytes());
        bytes.extend(self.memory_bytes.to_le_bytes());
        bytes.extend(self.cpu_seconds.to_le_bytes());
        bytes.extend(self.streams.to_le_bytes());
        bytes.extend(self.parent.to_le_bytes());
        bytes.push(self.wish.mono.into());
        let rate_hz = self.wish.rate.map_or(0, SampleRate::hz);
        bytes.extend(rate_hz.to_le_bytes());
        bytes.extend(Choice::encode(self.wish.track));
        bytes.push(self.wish.copy.into());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut fields = Fields(bytes);
        (fields.u8()? == VERSION).then_some(())?;
        Some(Self {
            input_bytes: fields.u64()?,
            memory_bytes: fields.u64()?,
            cpu_seconds: fields.u64()?,
            streams: fields.u32()?,
            parent: fields.u32()?,
            wish: Wish {
                mono: fields.u8()? != 0,
                rate: SampleRate::try_from(fields.u32()?).ok(),
                track: Choice::decode(fields.take()?)?,
                copy: fields.u8()? != 0,
            },
        })
    }
}

/// What the child says.
#[derive(Debug)]
pub(crate) enum Said {
    /// The box is closed, but for what the kernel lacks.
    Confined(Missing),
    /// What the child could still do, or why it could not confine itself.
    Unconfined(String),
    /// Wants these bytes of the input.
    Read { offset: u64, length: usize },
    /// What the container says of itself. Comes before `Found`, or before the reason why there is nothing to be found.
    Contents(Box<Probe>),
    /// The sound that follows.
    Found {
        spec: Spec,
        duration: Option<Duration>,
    },
    /// Sound: the payload, for [`take_pcm`].
    Pcm,
    /// The track is MP3, and its packets follow.
    Copying { duration: Option<Duration> },
    /// Packets of the track, one after the other: the payload.
    Packets,
    /// So many samples at the start and at the end of the packets aren't the sound's.
    Trim { start: u32, end: u32 },
    /// The packets alone don't make the sound, as the container has it.
    NoCopy,
    /// That was all of it.
    End,
    /// There is no more, and why.
    Failed(Error),
}

const CONFINED: u8 = 1;
const UNCONFINED: u8 = 2;
const READ: u8 = 3;
const FOUND: u8 = 4;
const PCM: u8 = 5;
const END: u8 = 6;
const FAILED: u8 = 7;
const COPYING: u8 = 8;
const PACKETS: u8 = 9;
const TRIM: u8 = 10;
const NO_COPY: u8 = 11;
const CONTENTS: u8 = 16;

impl Said {
    /// The whole message. [`put_pcm`] makes those with sound.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, payload) = match self {
            Self::Confined(missing) => {
                let bits = u8::from(missing.landlock) | u8::from(missing.seccomp) << 1;
                (CONFINED, vec![bits])
            }
            Self::Unconfined(reason) => (UNCONFINED, text(reason)),
            Self::Read { offset, length } => {
                let mut payload = offset.to_le_bytes().to_vec();
                payload.extend((*length as u32).to_le_bytes());
                (READ, payload)
            }
            Self::Contents(probe) => (CONTENTS, contents::encode(probe)),
            Self::Found { spec, duration } => {
                let mut payload = spec.rate_hz.to_le_bytes().to_vec();
                payload.push(spec.channels);
                payload.extend(micros(*duration).to_le_bytes());
                (FOUND, payload)
            }
            Self::Pcm => (PCM, Vec::new()),
            Self::Copying { duration } => (COPYING, micros(*duration).to_le_bytes().to_vec()),
            Self::Packets => (PACKETS, Vec::new()),
            Self::Trim { start, end } => {
                let mut payload = start.to_le_bytes().to_vec();
                payload.extend(end.to_le_bytes());
                (TRIM, payload)
            }
            Self::NoCopy => (NO_COPY, Vec::new()),
            Self::End => (END, Vec::new()),
            Self::Failed(error) => (FAILED, failed::encode(error)),
        };
        let mut message = vec![kind];
        message.extend((payload.len() as u32).to_le_bytes());
        message.extend(payload);
        message
    }

    /// Kind and length of the payload, if there may be such a message.
    pub(crate) fn decode_header(header: [u8; HEADER_BYTES]) -> Option<(u8, usize)> {
        let [kind, length @ ..] = header;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let most = match kind {
            PCM | PACKETS => MAX_PAYLOAD_BYTES,
            CONTENTS => contents::MAX_BYTES,
            CONFINED | UNCONFINED | READ | FOUND | COPYING | TRIM | NO_COPY | END | FAILED => {
                MAX_TEXT_BYTES + 32
            }
            _ => return None,
        };
        (length <= most).then_some((kind, length))
    }

    pub(crate) fn decode(kind: u8, payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        let said = match kind {
            CONFINED => {
                let bits = fields.u8()?;
                Self::Confined(Missing {
                    landlock: bits & 1 != 0,
                    seccomp: bits & 2 != 0,
                })
            }
            UNCONFINED => Self::Unconfined(words(&mut fields)),
            READ => Self::Read {
                offset: fields.u64()?,
                length: usize::try_from(fields.u32()?)
                    .ok()
                    .filter(|length| (1..=MAX_READ_BYTES).contains(length))?,
            },
            CONTENTS => Self::Contents(Box::new(contents::decode(&mut fields)?)),
            FOUND => {
                let rate_hz = fields
                    .u32()
                    .filter(|rate| SampleRate::ALL_HZ.contains(rate))?;
                let channels = fields.u8().filter(|channels| (1..=2).contains(channels))?;
                Self::Found {
                    spec: Spec { rate_hz, channels },
                    duration: duration(fields.u64()?),
                }
            }
            PCM => return Some(Self::Pcm),
            COPYING => Self::Copying {
                duration: duration(fields.u64()?),
            },
            PACKETS => return Some(Self::Packets),
            TRIM => Self::Trim {
                start: fields.u32()?,
                end: fields.u32()?,
            },
            NO_COPY => Self::NoCopy,
            END => Self::End,
            FAILED => Self::Failed(failed::decode(&mut fields)?),
            _ => return None,
        };
        fields.0.is_empty().then_some(said)
    }
}

/// Appends a message with these bytes of packets, at most [`MAX_PAYLOAD_BYTES`].
pub(crate) fn put_packets(packets: &[u8], message: &mut Vec<u8>) {
    message.push(PACKETS);
    message.extend((packets.len() as u32).to_le_bytes());
    message.extend_from_slice(packets);
}

/// Appends a message with these samples, at most [`MAX_PCM_SAMPLES`]. `right` is empty in mono.
pub(crate) fn put_pcm(left: &[f32], right: &[f32], message: &mut Vec<u8>) {
    let bytes = 4 * (left.len() + right.len());
    message.push(PCM);
    message.extend((bytes as u32).to_le_bytes());
    for channel in [left, right] {
        let start = message.len();
        message.resize(start + 4 * channel.len(), 0);
        let (room, _) = message[start..].as_chunks_mut::<4>();
        for (bytes, sample) in room.iter_mut().zip(channel) {
            *bytes = sample.to_le_bytes();
        }
    }
}

/// The sound in a `Pcm`'s payload. `None` where there is none, or anything that isn't a sample.
pub(crate) fn take_pcm(payload: &[u8], channels: u8, pcm: &mut Pcm) -> Option<()> {
    let bytes = payload.len() / usize::from(channels);
    if payload.is_empty() || !payload.len().is_multiple_of(4 * usize::from(channels)) {
        return None;
    }
    let (left, right) = payload.split_at(bytes);
    fill(&mut pcm.left, left)?;
    fill(&mut pcm.right, right)
}

fn fill(channel: &mut Vec<f32>, bytes: &[u8]) -> Option<()> {
    channel.clear();
    let (samples, _) = bytes.as_chunks::<4>();
    channel.extend(samples.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    // What isn't a number fails this too.
    let is_sound = channel
        .iter()
        .fold(true, |so_far, sample| so_far & (sample.abs() <= MAX_LEVEL));
    is_sound.then_some(())
}

fn text(words: &str) -> Vec<u8> {
    let end = words.floor_char_boundary(MAX_TEXT_BYTES);
    words.as_bytes()[..end].to_vec()
}

/// The rest of a payload, in one line.
fn words(fields: &mut Fields<'_>) -> String {
    let words = String::from_utf8_lossy(fields.rest());
    let words = words.chars().filter(|c| !c.is_control());
    words.take(MAX_TEXT_BYTES).collect()
}
