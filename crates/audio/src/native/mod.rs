//! Everything `unsafe`: LAME, the few things of FFmpeg that `ffmpeg-next` has no safe call for, and of the system.

pub(crate) mod allowed;
pub(crate) mod confine;
pub(crate) mod container;
pub(crate) mod demuxer;
pub(crate) mod lame;
pub(crate) mod limits;
pub(crate) mod memory;
pub(crate) mod packet;
pub(crate) mod swr;
