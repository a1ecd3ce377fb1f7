//! What the tests upload, each made once.

use bytes::Bytes;
use decant_audio::media::{self, Container};
use std::sync::LazyLock;

static SHORT: LazyLock<Bytes> = LazyLock::new(|| media::clip(Container::Mp4, 2).into());

static LONG: LazyLock<Bytes> = LazyLock::new(|| {
    let noise = ["-f", "lavfi", "-i", "anoisesrc=r=44100:a=0.3:seed=1"];
    let stereo = ["-ac", "2", "-t", "600", "-c:a", "pcm_u8"];
    media::ffmpeg("mkv", &[noise.as_slice(), stereo.as_slice()].concat()).into()
});

/// Two seconds: converted at once.
pub(crate) fn short() -> Bytes {
    SHORT.clone()
}

/// Ten minutes of noise: takes LAME some seconds, in which something can happen.
pub(crate) fn long() -> Bytes {
    LONG.clone()
}
