//! Sound in blocks of whole MP3 frames, and segments made of blocks.

use std::collections::VecDeque;
use std::io::{Read, Seek};
use std::sync::Arc;

use crate::pcm::{Pcm, Spec};
use crate::segment::Segment;
use crate::shaped::Shaped;
use crate::{Error, Quality};

/// Frames of a block. At 44.1 kHz and its fractions a constant bitrate needs some frames a byte longer than others, in
/// a pattern that repeats after 49: an encoder that begins at a block begins with the pattern.
pub(crate) const BLOCK_FRAMES: usize = 49;

/// Blocks that an encoder hears before its segment begins. LAME's idea of how quiet a sound can still be heard follows
/// the loudness over up to 95 frames; everything else in it forgets sooner.
pub(crate) const PRE_ROLL_BLOCKS: usize = 3;

/// The sound of a video, cut.
pub(crate) struct Blocks<I> {
    sound: Shaped<I>,
    spec: Spec,
    block_samples: usize,
    /// What the next block will begin with.
    rest: Pcm,
    /// The last of what was taken already.
    behind: VecDeque<Arc<Pcm>>,
    ahead: VecDeque<Arc<Pcm>>,
    samples: u64,
    is_drained: bool,
}

impl<I: Read + Seek> Blocks<I> {
    pub(crate) fn new(sound: Shaped<I>) -> Self {
        let spec = sound.spec();
        Self {
            sound,
            spec,
            block_samples: BLOCK_FRAMES * spec.frame_samples(),
            rest: Pcm::default(),
            behind: VecDeque::new(),
            ahead: VecDeque::new(),
            samples: 0,
            is_drained: false,
        }
    }

    pub(crate) fn spec(&self) -> Spec {
        self.spec
    }

    pub(crate) fn sound(&self) -> &Shaped<I> {
        &self.sound
    }

    /// Samples decoded so far: all that there are, once nothing is left.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// Whether the sound ends before so many samples. Decodes as many.
    pub(crate) fn are_shorter_than(&mut self, samples: u64) -> Result<bool, Error> {
        while self.samples < samples {
            if !self.decode()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next block, whole except for the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Arc<Pcm>>, Error> {
        self.look_ahead(1)?;
        Ok(self.ahead.pop_front())
    }

    /// The next segment of `blocks` blocks, or a few more: the last one takes a rest that is too short to be looked
    /// ahead into.
    pub(crate) fn next_segment(
        &mut self,
        blocks: usize,
        quality: Quality,
    ) -> Result<Option<Segment>, Error> {
        self.look_ahead(blocks.saturating_add(1))?;
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let look_ahead = self.ahead.get(blocks).filter(|next| self.is_whole(next));
        let look_ahead = look_ahead.map(Arc::clone);
        let taken = match look_ahead {
            Some(_) => blocks,
            None => self.ahead.len(),
        };
        let body: Vec<_> = self.ahead.drain(..taken).collect();
        let pre_roll = self.behind.iter().map(Arc::clone).collect();
        self.behind.extend(body.iter().map(Arc::clone));
        let forgotten = self.behind.len().saturating_sub(PRE_ROLL_BLOCKS);
        self.behind.drain(..forgotten);
        Ok(Some(Segment {
            spec: self.spec,
            quality,
            pre_roll,
            body,
            look_ahead,
        }))
    }

    /// Decodes until `blocks` are ahead, or fewer at the end.
    fn look_ahead(&mut self, blocks: usize) -> Result<(), Error> {
        while self.ahead.len() < blocks && self.decode()? {}
        Ok(())
    }

    /// Decodes a little more, if there is more.
    fn decode(&mut self) -> Result<bool, Error> {
        if self.is_drained {
            return Ok(false);
        }
        if let Some(mut pcm) = self.sound.next()? {
            self.samples += pcm.left.len() as u64;
            self.rest.append(&mut pcm);
        } else {
            self.is_drained = true;
        }
        while self.rest.left.len() >= self.block_samples {
            let block = self.rest.take_front(self.block_samples);
            self.ahead.push_back(Arc::new(block));
        }
        if self.is_drained && !self.rest.left.is_empty() {
            self.ahead
                .push_back(Arc::new(std::mem::take(&mut self.rest)));
        }
        Ok(true)
    }

    fn is_whole(&self, block: &Pcm) -> bool {
        block.left.len() == self.block_samples
    }
}
