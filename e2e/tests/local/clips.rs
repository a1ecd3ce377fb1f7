//! What the tests upload, each made once.

use bytes::Bytes;
use decant_audio::media::{self, Container};
use std::sync::LazyLock;

static SHORT: LazyLock<Bytes> = LazyLock::new(|| media::clip(Container::Mp4, 2).into());

static MINUTE: LazyLock<Bytes> = LazyLock::new(|| noise("60"));

static LONG: LazyLock<Bytes> = LazyLock::new(|| noise("600"));

fn noise(seconds: &str) -> Bytes {
    let noise = ["-f", "lavfi", "-i", "anoisesrc=r=44100:a=0.3:seed=1"];
    let stereo = ["-ac", "2", "-t", seconds, "-c:a", "pcm_u8"];
    media::ffmpeg("mkv", &[noise.as_slice(), stereo.as_slice()].concat()).into()
}

/// Two seconds: converted at once.
pub(crate) fn short() -> Bytes {
    SHORT.clone()
}

/// Two seconds in a file of more than 8 MB: most of it is a box that MP4 has for what nobody needs.
pub(crate) fn large() -> Bytes {
    const FREE_BYTES: u32 = 8_000_000;
    let mut video = short().to_vec();
    video.extend(FREE_BYTES.to_be_bytes());
    video.extend(b"free");
    video.resize(video.len() + FREE_BYTES as usize - 8, 0);
    video.into()
}

/// A minute of noise: a second's work or so.
pub(crate) fn minute() -> Bytes {
    MINUTE.clone()
}

/// Four hours of noise: LAME has work for as long as a test may take.
pub(crate) fn endless() -> Bytes {
    let noise = ["-f", "lavfi", "-i", "anoisesrc=r=8000:d=60:a=0.3:seed=1"];
    let hours = ["-af", "aloop=loop=239:size=480000", "-c:a", "pcm_u8"];
    media::ffmpeg("mkv", &[noise.as_slice(), &hours].concat()).into()
}

/// Ten minutes of noise: takes LAME some seconds, in which something can happen.
pub(crate) fn long() -> Bytes {
    LONG.clone()
}
