//! A segment of an MP3: PCM in, frames out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::frame::Frames;
use crate::native::lame::{Encoder, Reservoir};
use crate::pcm::{Pcm, Spec};
use crate::{Error, Quality};

/// A stretch of sound that is encoded on its own, to the very frames that it would have within the whole.
///
/// A value: whoever has it needs nothing else. Neighbours share blocks of PCM.
pub(crate) struct Segment {
    pub(crate) spec: Spec,
    pub(crate) quality: Quality,
    /// What comes before, in whole frames: the encoder hears it, the MP3 doesn't get it again. Empty at the start.
    pub(crate) pre_roll: Vec<Arc<Pcm>>,
    /// Whole frames, except at the end of the sound.
    pub(crate) body: Vec<Arc<Pcm>>,
    /// What comes after, a frame of it at least: the last frame takes some of it into account. `None` at the end.
    pub(crate) look_ahead: Option<Arc<Pcm>>,
}

/// A segment that is encoded.
pub(crate) struct Encoded {
    /// Whole frames.
    pub(crate) frames: Vec<u8>,
    /// LAME's tag frame for the frames of this segment and its pre-roll.
    pub(crate) tag_frame: Vec<u8>,
}

/// What those who encode and those who wait for them tell each other.
#[derive(Default)]
pub(crate) struct Watch {
    samples: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    /// The samples encoded so far, by all together.
    pub(crate) fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    /// Whoever encodes ends at the next block.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), Error> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Error::engine("nobody waits for the MP3 any more"));
        }
        Ok(())
    }
}

impl Segment {
    /// Frees each block of PCM when it is encoded.
    pub(crate) fn encode(self, watch: &Watch) -> Result<Encoded, Error> {
        let mut encoder = Encoder::new(self.spec, self.quality, Reservoir::Off)?;
        let frame_samples = self.spec.frame_samples();
        // LAME begins with a placeholder for the tag frame.
        let unwanted = 1 + self
            .pre_roll
            .iter()
            .map(|pcm| pcm.left.len())
            .sum::<usize>()
            / frame_samples;
        let samples: usize = self.body.iter().map(|pcm| pcm.left.len()).sum();

        let mut mp3 = Vec::new();
        for pcm in self.pre_roll {
            watch.check()?;
            encoder.encode(&pcm.left, &pcm.right, &mut mp3)?;
        }
        for pcm in self.body {
            watch.check()?;
            encoder.encode(&pcm.left, &pcm.right, &mut mp3)?;
            watch
                .samples
                .fetch_add(pcm.left.len() as u64, Ordering::Relaxed);
        }
        let wanted = if let Some(next) = self.look_ahead {
            let right = next.right.get(..frame_samples).unwrap_or_default();
            encoder.encode(&next.left[..frame_samples], right, &mut mp3)?;
            Some(samples / frame_samples)
        } else {
            encoder.finish(&mut mp3)?;
            None
        };

        let unwanted_bytes: usize = Frames(&mp3)
            .take(unwanted)
            .map(|(_, frame)| frame.len())
            .sum();
        mp3.drain(..unwanted_bytes);
        let frames = Frames(&mp3).count();
        if wanted.is_some_and(|wanted| frames != wanted) {
            return Err(Error::engine(format!(
                "LAME made {frames} frames of {samples} samples"
            )));
        }
        Ok(Encoded {
            frames: mp3,
            tag_frame: encoder.tag_frame(),
        })
    }
}
