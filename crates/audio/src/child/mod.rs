//! The child: confines itself, then decodes what its parent has.

mod confine;
pub(crate) mod copy;
pub(crate) mod look;
mod pictures;
mod pipes;
pub(crate) mod remote;
mod self_test;
mod tracks;

use std::io::Read;
use std::process::ExitCode;

use ffmpeg_next::format::context::Input as Container;

use crate::Error;
use crate::decode::Sound;
use crate::input::Input;
use crate::native::confine::peak_memory_bytes;
use crate::pcm::Pcm;
use crate::protocol::{MAX_PCM_SAMPLES, Order, Said, put_pcm};
use pipes::Pipes;
use remote::Remote;

/// The whole program `decant-decode`: an order on standard input, sound on standard output, a box around it.
pub fn decode_in_a_box() -> ExitCode {
    run(confine::confine)
}

/// The same without its box, for tests that want to see it noticed.
#[cfg(feature = "test-media")]
pub fn decode_without_a_box() -> ExitCode {
    run(|_| Ok(crate::Missing::default()))
}

fn run(confine: impl FnOnce(&Order) -> Result<crate::Missing, String>) -> ExitCode {
    let mut pipes = Pipes::standard();
    if let Some(possible) = self_test::has_escaped() {
        pipes.say(&Said::Unconfined(possible));
        return ExitCode::FAILURE;
    }
    let mut order = [0; Order::BYTES];
    let order = pipes.read_exact(&mut order).map(|()| Order::decode(&order));
    let Ok(Some(order)) = order else {
        eprintln!("decant-decode is started by decant-convert, from the same build");
        return ExitCode::FAILURE;
    };
    let confined = confine(&order).and_then(|missing| self_test::run(missing).map(|()| missing));
    match confined {
        Ok(missing) => pipes.say(&Said::Confined(missing)),
        Err(reason) => {
            pipes.say(&Said::Unconfined(reason));
            return ExitCode::FAILURE;
        }
    }
    let last = match decode(&order, &mut pipes) {
        Ok(()) => Said::End,
        Err(Error::NoAudio | Error::Unreadable { .. }) if was_greedy(&order) => {
            Said::Failed(Error::TooMuchMemory)
        }
        Err(error) => Said::Failed(error),
    };
    pipes.say(&last);
    ExitCode::SUCCESS
}

/// FFmpeg has many words for a lack of memory. After so much of it, any of them means that.
fn was_greedy(order: &Order) -> bool {
    peak_memory_bytes() > order.memory_bytes / 2
}

fn decode(order: &Order, pipes: &mut Pipes) -> Result<(), Error> {
    let remote = Remote::new(Pipes::standard(), order.input_bytes);
    let input = Input::new(remote).map_err(Error::engine)?;
    let mut look = |container: &Container, chosen| {
        pipes.say(&Said::Contents(Box::new(look::into(container, chosen))));
    };
    let mut sound = Sound::open(
        input,
        order.wish,
        order.in_fragments,
        order.streams,
        &mut look,
    )?;
    if order.wish.copy && sound.is_mp3(order.wish)? {
        return copy::copy(&mut sound, pipes);
    }
    let mut pcm = Pcm::default();
    let mut block = Pcm::default();
    let mut has_begun = false;
    while let Some(spec) = sound.next(&mut pcm)? {
        if !has_begun {
            has_begun = true;
            let (duration, least) = (sound.duration(), sound.least());
            pipes.say(&Said::Found {
                spec,
                duration,
                least,
            });
        }
        block.left.extend_from_slice(&pcm.left);
        block.right.extend_from_slice(&pcm.right);
        if block.left.len() >= MAX_PCM_SAMPLES {
            send(&mut block, pipes);
        }
    }
    send(&mut block, pipes);
    Ok(())
}

fn send(block: &mut Pcm, pipes: &mut Pipes) {
    let mut right = block.right.chunks(MAX_PCM_SAMPLES);
    for left in block.left.chunks(MAX_PCM_SAMPLES) {
        pipes.send(|message| put_pcm(left, right.next().unwrap_or_default(), message));
    }
    block.left.clear();
    block.right.clear();
}
