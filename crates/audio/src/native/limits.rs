//! How much memory a file may make FFmpeg ask for. Sizes in a file are claims: a few bytes can claim gigabytes.

use ffmpeg_next::{codec, ffi};

/// The largest single allocation. What grows with the length of a real recording, the index of an MP4, has 24 bytes
/// per packet: this is enough for two days of video at 60 frames per second.
pub(crate) const MAX_ALLOCATION_BYTES: usize = 256 * 1024 * 1024;

/// The most samples of one decoded frame: 20 seconds at 48 kHz. Codecs have thousands, TTA a second's worth; but ALAC
/// lets a dozen bytes claim 16 million.
const MAX_FRAME_SAMPLES: i64 = 1 << 20;

/// For the whole process, from now on.
pub(crate) fn limit_allocations() {
    // SAFETY: sets an atomic of FFmpeg's.
    unsafe { ffi::av_max_alloc(MAX_ALLOCATION_BYTES) };
}

pub(crate) fn limit_frames(context: &mut codec::Context) {
    // SAFETY: the context is alive and not opened yet, which is when options may be set.
    unsafe { (*context.as_mut_ptr()).max_samples = MAX_FRAME_SAMPLES };
}
