//! What strangers' bytes reach, in one process and without a box, for the targets in `fuzz/`.
//!
//! Each of these returns for all bytes. A panic is a finding, as is whatever a sanitizer says.

use std::io::Cursor;

use crate::decode::Sound;
use crate::input::Input;
use crate::native::lame::{Encoder, Reservoir};
use crate::pcm::{Pcm, Spec, Wish};
use crate::protocol::{HEADER_BYTES, MAX_PCM_SAMPLES, Order, Said, put_pcm, take_pcm};
use crate::{Error, Limits, Quality, extent};

/// As much sound shows what there is to see, and the next file can be tried.
const ENOUGH_SECONDS: u64 = 20;

/// The parent's look at a file: what sizes its container declares.
pub fn extent(file: &[u8]) {
    let declared = extent::declared_bytes(&mut Cursor::new(file), file.len() as u64);
    // Only a reader can fail, and this one doesn't.
    assert!(declared.is_ok(), "{declared:?}");
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

/// The whole way from a file to an MP3: what the child does, what the parent accepts of it, and the encoder.
pub fn conversion(file: &[u8]) {
    extent(file);
    if let Err(error) = convert(file) {
        say_again(&Said::Failed(error));
    }
}

fn convert(file: &[u8]) -> Result<(), Error> {
    let input = Input::new(Cursor::new(file.to_vec())).map_err(Error::Input)?;
    let mut sound = Sound::open(
        input,
        Wish::default(),
        Limits::default().streams,
        &mut |_, _| {},
    )?;
    let mut pcm = Pcm::default();
    let mut mp3 = None::<(Spec, Encoder)>;
    let mut samples = 0;
    let mut frames = Vec::new();
    while let Some(spec) = sound.next(&mut pcm)? {
        let (settled, encoder) = match &mut mp3 {
            Some(mp3) => mp3,
            None => mp3.insert((spec, Encoder::new(spec, Quality::V2, Reservoir::On)?)),
        };
        assert_eq!(spec, *settled, "a sound changes");
        let heard = over_the_pipe(&pcm, spec);
        encoder.encode(&heard.left, &heard.right, &mut frames)?;
        frames.clear();
        samples += pcm.left.len() as u64;
        if samples > ENOUGH_SECONDS * u64::from(spec.rate_hz) {
            break;
        }
    }
    if let Some((_, mut encoder)) = mp3 {
        encoder.finish(&mut frames)?;
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
