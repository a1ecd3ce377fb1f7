//! The packets of an MP3 track, handed over as they are.

use super::pipes::Pipes;
use crate::Error;
use crate::decode::Sound;
use crate::native::packet::{self, Ends};
use crate::protocol::{Said, put_packets};

/// About as much at once: a second of sound, so that progress is seen.
const SEND_BYTES: usize = 16 * 1024;

pub(super) fn copy(sound: &mut Sound, pipes: &mut Pipes) -> Result<(), Error> {
    let (duration, least) = (sound.duration(), sound.least());
    pipes.say(&Said::Copying { duration, least });
    let mut block = Vec::with_capacity(SEND_BYTES);
    let mut trim = Trim::default();
    while let Some(packet) = sound.read_packet()? {
        if !trim.add(packet::ends(&packet)) {
            pipes.say(&Said::NoCopy);
            return Ok(());
        }
        for piece in packet.data().unwrap_or_default().chunks(SEND_BYTES) {
            if block.len() + piece.len() > SEND_BYTES {
                pipes.send(|message| put_packets(&block, message));
                block.clear();
            }
            block.extend_from_slice(piece);
        }
    }
    if !block.is_empty() {
        pipes.send(|message| put_packets(&block, message));
    }
    let Trim { start, end, .. } = trim;
    pipes.say(&Said::Trim { start, end });
    Ok(())
}

/// How many samples at both ends of all packets a decoder would leave out.
#[derive(Default)]
pub(crate) struct Trim {
    has_begun: bool,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Trim {
    /// Says `false` where something in between would be left out.
    pub(crate) fn add(&mut self, packet: Ends) -> bool {
        let Ends {
            is_left_out,
            start,
            end,
        } = packet;
        if is_left_out || (self.has_begun && start > 0) || (self.end > 0 && end == 0) {
            return false;
        }
        self.has_begun = true;
        self.start = self.start.saturating_add(start);
        self.end = self.end.saturating_add(end);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trims(packets: &[(bool, u32, u32)]) -> Option<(u32, u32)> {
        let mut trim = Trim::default();
        let ends = |&(is_left_out, start, end)| Ends {
            is_left_out,
            start,
            end,
        };
        packets
            .iter()
            .map(ends)
            .all(|packet| trim.add(packet))
            .then_some((trim.start, trim.end))
    }

    #[test]
    fn only_the_ends_of_a_track_may_be_left_out() {
        assert_eq!(trims(&[]), Some((0, 0)));
        let both_ends = [
            (false, 1105, 0),
            (false, 0, 0),
            (false, 0, 19),
            (false, 0, 1152),
        ];
        assert_eq!(trims(&both_ends), Some((1105, 1171)));
        assert_eq!(trims(&[(false, 0, 0), (false, 5, 0)]), None);
        assert_eq!(trims(&[(false, 0, 5), (false, 0, 0)]), None);
        assert_eq!(trims(&[(true, 0, 0), (false, 0, 0)]), None);
    }
}
