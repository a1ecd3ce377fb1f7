//! What strangers' bytes reach, in one process and without a box, for the targets in `fuzz/`.
//!
//! Each of these returns for all bytes. A panic is a finding, as is whatever a sanitizer says.

use std::io::{Cursor, Read};

use ffmpeg_next::format::context::Input as Container;

use crate::boxes::Boxes;
use crate::child::copy::Trim;
use crate::child::look;
use crate::child::remote::{Remote, Source};
use crate::decode::Sound;
use crate::extent::{self, Extent};
use crate::input::Input;
use crate::limiter::Limiter;
use crate::native::lame::{Encoder, Reservoir};
use crate::native::packet::ends;
use crate::pcm::{Pcm, Spec, Wish};
use crate::protocol::{
    HEADER_BYTES, MAX_PCM_SAMPLES, MAX_READ_BYTES, Order, Said, put_pcm, take_pcm,
};
use crate::{Error, Limits, Options, Probe, Quality, copy, tag};

/// As much sound shows what there is to see, and the next file can be tried.
const ENOUGH_SECONDS: u64 = 20;
const MOST_PACKETS: usize = 2_000;

/// Enough to have any sound limited.
const GAIN: f32 = 10.0;
const CEILING: f32 = 0.8;

/// The parent's look at a file: what sizes its container declares.
pub fn extent(file: &[u8]) {
    let extent = extent::of(&mut Cursor::new(file), file.len() as u64);
    // Only a reader can fail, and this one doesn't.
    assert!(extent.is_ok(), "{extent:?}");
    let extent = extent::of_pipe(&mut Cursor::new(file));
    assert!(extent.is_ok(), "{extent:?}");
}

/// The parent's ear: `bytes` are what a child says that was taken over. What is understood can be said again.
pub fn protocol(mut bytes: &[u8]) {
    if let Some(order) = bytes.first_chunk().and_then(Order::decode) {
        let again = order.encode();
        let again = again.first_chunk().and_then(Order::decode);
        assert_eq!(again, Some(order));
    }
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
        let Some((kind, length)) = Said::decode_header(*header) else {
            return;
        };
        let Some((payload, rest)) = rest.split_at_checked(length) else {
            return;
        };
        bytes = rest;
        match Said::decode(kind, payload) {
            Some(Said::Pcm) => (1..=2).for_each(|channels| samples(payload, channels)),
            Some(said) => say_again(&said),
            None => {}
        }
    }
}

fn samples(payload: &[u8], channels: u8) {
    let mut pcm = Pcm::default();
    if take_pcm(payload, channels, &mut pcm).is_none() {
        return;
    }
    let mut message = Vec::new();
    put_pcm(&pcm.left, &pcm.right, &mut message);
    assert_eq!(&message[HEADER_BYTES..], payload);
}

fn say_again(said: &Said) {
    let message = said.encode();
    let (header, payload) = message.split_first_chunk().expect("a header");
    let (kind, length) = Said::decode_header(*header).expect("a message of ours");
    assert_eq!(length, payload.len());
    let again = Said::decode(kind, payload).expect("a message of ours");
    assert_eq!(again.encode(), message);
}

/// What a container says of itself, as `decant probe` asks: what the child finds, what the parent hears of it, and the tag
/// that is made of it.
pub fn probe(file: &[u8]) {
    extent(file);
    // The rest of the way is `conversion`.
    let _any = open(file, Wish::default(), false);
}

/// The whole way from a file to an MP3: what the child does, what the parent accepts of it, and the encoder. What can be
/// copied is copied, and decoded too.
pub fn conversion(file: &[u8]) {
    let length = file.len() as u64;
    let extent = extent::of(&mut Cursor::new(file), length).expect("it has no errors");
    let in_fragments = matches!(extent, Extent::InBoxes(_));
    if let Extent::InBoxes(mut boxes) = extent {
        follow(&mut boxes, file);
    }
    for copy in [true, false] {
        let wish = Wish {
            copy,
            ..(&Options::default()).into()
        };
        if let Err(error) = convert(file, wish, in_fragments) {
            say_again(&Said::Failed(error));
        }
    }
}

/// Boxes that were read in parts are those that are read in one.
fn follow(boxes: &mut Boxes, file: &[u8]) {
    let mut walked = boxes.clone();
    walked
        .walk(&mut Cursor::new(file), false)
        .expect("it has no errors");
    for (number, part) in file.chunks(MAX_READ_BYTES).enumerate() {
        boxes.look((number * MAX_READ_BYTES) as u64, part);
    }
    assert_eq!(boxes.declared(), walked.declared());
}

/// The child's reader, with a parent that is just there.
impl Source for Cursor<Vec<u8>> {
    fn read_block(&mut self, offset: u64, block: &mut [u8]) {
        assert!(block.len() <= MAX_READ_BYTES);
        self.set_position(offset);
        let read = self.read_exact(block);
        read.expect("no more is asked for than there is");
    }

    fn read_next(&mut self, _: u64, _: &mut Vec<u8>) {
        unreachable!("it is no pipe");
    }
}

/// As the child opens it, and what the parent hears about the container.
fn open(file: &[u8], wish: Wish, in_fragments: bool) -> Result<(Sound, Option<Box<Probe>>), Error> {
    let remote = Remote::new(Cursor::new(file.to_vec()), file.len() as u64);
    let input = Input::new(remote).map_err(Error::Input)?;
    let mut contents = None;
    let mut look = |container: &Container, chosen| {
        let found = Said::Contents(Box::new(look::into(container, chosen)));
        contents = Some(heard(&found));
    };
    let streams = Limits::default().streams;
    let sound = Sound::open(input, wish, in_fragments, streams, &mut look);
    if let Some(contents) = &contents {
        tag::encode(&Options::default(), Some(contents)).expect("every tag can be written");
    }
    Ok((sound?, contents))
}

fn heard(found: &Said) -> Box<Probe> {
    let message = found.encode();
    let (header, payload) = message.split_first_chunk().expect("a header");
    let (kind, length) = Said::decode_header(*header).expect("a message of ours");
    assert_eq!(length, payload.len());
    match Said::decode(kind, payload) {
        Some(Said::Contents(contents)) => contents,
        other => panic!("the child's own words are refused: {other:?}"),
    }
}

fn convert(file: &[u8], wish: Wish, in_fragments: bool) -> Result<(), Error> {
    let (mut sound, contents) = open(file, wish, in_fragments)?;
    if wish.copy && sound.is_mp3(wish)? {
        return copy(&mut sound, contents);
    }
    let mut pcm = Pcm::default();
    let mut mp3 = None::<(Spec, Encoder, Limiter)>;
    let mut samples = 0;
    let mut frames = Vec::new();
    while let Some(spec) = sound.next(&mut pcm)? {
        let (settled, encoder, limiter) = match &mut mp3 {
            Some(mp3) => mp3,
            None => mp3.insert((
                spec,
                Encoder::new(spec, Quality::V2, Reservoir::On)?,
                Limiter::new(spec, GAIN, CEILING),
            )),
        };
        assert_eq!(spec, *settled, "a sound changes");
        let heard = over_the_pipe(&pcm, spec);
        encode(encoder, limiter.push(heard), &mut frames)?;
        samples += pcm.left.len() as u64;
        if samples > ENOUGH_SECONDS * u64::from(spec.rate_hz) {
            break;
        }
    }
    if let Some((_, mut encoder, limiter)) = mp3 {
        encode(&mut encoder, limiter.end(), &mut frames)?;
        encoder.finish(&mut frames)?;
    }
    Ok(())
}

fn encode(encoder: &mut Encoder, limited: Option<Pcm>, frames: &mut Vec<u8>) -> Result<(), Error> {
    let Some(Pcm { left, right }) = limited else {
        return Ok(());
    };
    let highest = left
        .iter()
        .chain(&right)
        .fold(0.0_f32, |highest, sample| highest.max(sample.abs()));
    assert!(highest <= CEILING * 1.000_01, "{highest}");
    encoder.encode(&left, &right, frames)?;
    frames.clear();
    Ok(())
}

/// What the child hands over, and what becomes of it.
fn copy(sound: &mut Sound, contents: Option<Box<Probe>>) -> Result<(), Error> {
    let mut packets = Vec::new();
    let mut trim = Trim::default();
    while let Some(packet) = sound.read_packet()? {
        if !trim.add(ends(&packet)) {
            return Ok(());
        }
        packets.push(packet.data().unwrap_or_default().to_vec());
        if packets.len() > MOST_PACKETS {
            break;
        }
    }
    let mp3 = copy::of_packets(&packets, (trim.start, trim.end), contents)?;
    if let Some(mp3) = mp3 {
        assert!(!mp3.is_empty());
    }
    Ok(())
}

/// The parent takes what an honest child has.
fn over_the_pipe(pcm: &Pcm, spec: Spec) -> Pcm {
    let mut heard = Pcm::default();
    let mut right = pcm.right.chunks(MAX_PCM_SAMPLES);
    for left in pcm.left.chunks(MAX_PCM_SAMPLES) {
        let mut message = Vec::new();
        put_pcm(left, right.next().unwrap_or_default(), &mut message);
        let mut block = Pcm::default();
        let taken = take_pcm(&message[HEADER_BYTES..], spec.channels, &mut block);
        assert!(taken.is_some(), "the child's own sound is refused");
        heard.append(&mut block);
    }
    heard
}
