//! What a packet says about its own sound, which `ffmpeg-next` keeps to itself.

use ffmpeg_next::packet::{Ref, side_data::Type};
use ffmpeg_next::{Packet, ffi};

/// What of a packet's sound a decoder leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    /// All of it: an edit list passes over it.
    pub(crate) is_left_out: bool,
    /// So many samples from its start on, of the packets after it too.
    pub(crate) start: u32,
    /// So many samples before its end.
    pub(crate) end: u32,
}

pub(crate) fn ends(packet: &Packet) -> Ends {
    // SAFETY: the packet is alive, and its flags are an integer.
    let flags = unsafe { (*packet.as_ptr()).flags };
    let skip = packet
        .side_data()
        .find(|data| data.kind() == Type::SkipSamples);
    // `AV_PKT_DATA_SKIP_SAMPLES`: two little-endian numbers come first.
    let number = |at: usize| {
        let data = skip.as_ref().map_or(&[][..], |skip| skip.data());
        let bytes = data.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    Ends {
        is_left_out: flags & ffi::AV_PKT_FLAG_DISCARD != 0,
        start: number(0),
        end: number(4),
    }
}
