//! Everything `unsafe`: LAME, and the few things of FFmpeg that `ffmpeg-next` has no safe call for.

pub(crate) mod demuxer;
pub(crate) mod lame;
pub(crate) mod limits;
pub(crate) mod swr;
