//! The sound as it is wanted: cut, faded, at its loudness.

use std::io::{Read, Seek};
use std::time::Duration;

use crate::boxed::Sound;
use crate::clip::Clip;
use crate::fade::Fade;
use crate::limiter::Limiter;
use crate::loudness::{Level, Measured};
use crate::pcm::{Pcm, Spec};
use crate::resample::MAX_LEVEL;
use crate::waveform::Waveform;
use crate::{Error, Options, Probe};

/// What becomes of a [`Sound`] on its way to the encoders.
pub(crate) struct Shaped<I> {
    /// `None` once nothing more of it is wanted. Then its decoder has ended.
    sound: Option<Sound<I>>,
    spec: Spec,
    contents: Option<Box<Probe>>,
    duration: Option<Duration>,
    /// It is known better than by the container.
    is_measured: bool,
    clip: Clip,
    fade: Fade,
    /// What every sample is multiplied by, where nothing is limited.
    gain: f32,
    limiter: Option<Limiter>,
    waveform: Waveform,
    held_bytes: u64,
}

impl<I: Read + Seek> Shaped<I> {
    /// What was `measured` of the same sound in a pass before is known of it.
    ///
    /// # Errors
    /// Those of [`Sound::next`] up to the first sample.
    pub(crate) fn new(
        mut sound: Sound<I>,
        options: &Options,
        measured: Option<&Measured>,
    ) -> Result<Self, Error> {
        let mut first = Pcm::default();
        let Some(spec) = sound.next(&mut first)? else {
            return Err(Error::NoAudio);
        };
        let fade = Fade::new(
            spec.samples(options.fade),
            measured.map(|measured| measured.samples),
        );
        let level = measured.map_or(Level::AS_IT_IS, |measured| measured.level);
        let limiter = |ceiling| Limiter::new(spec, level.gain, ceiling);
        let mut shaped = Self {
            contents: sound.take_contents(),
            sound: Some(sound),
            spec,
            duration: measured.map(|measured| measured.duration),
            is_measured: measured.is_some(),
            clip: Clip::new(options, spec),
            gain: level.gain,
            limiter: level.ceiling.map(limiter),
            waveform: Waveform::default(),
            held_bytes: fade.held_bytes(spec) + measured.map_or(0, |measured| measured.kept_bytes),
            fade,
        };
        shaped.take(first)?;
        Ok(shaped)
    }

    pub(crate) fn spec(&self) -> Spec {
        self.spec
    }

    /// What the container says of itself.
    pub(crate) fn contents(&self) -> Option<&Probe> {
        self.contents.as_deref()
    }

    /// How much there is to be: what the container says, as far as it isn't known better, or else a guess.
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Memory that is in use for as long as this is.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Of all that [`next`](Self::next) gave.
    pub(crate) fn waveform(&self) -> Vec<u8> {
        self.waveform.points()
    }

    /// The next bit of sound, at most a third of a second of it. `None` after the last.
    ///
    /// # Errors
    /// Those of [`Sound::next`], and [`Error::NothingLeft`].
    pub(crate) fn next(&mut self) -> Result<Option<Pcm>, Error> {
        loop {
            if let Some(pcm) = self.finished() {
                self.waveform.add(&pcm);
                return Ok(Some(pcm));
            }
            let Some(sound) = &mut self.sound else {
                return Ok(None);
            };
            let mut pcm = Pcm::default();
            match sound.next(&mut pcm)? {
                Some(_) => self.take(pcm)?,
                None => self.end()?,
            }
        }
    }

    /// The next bit, as loud as it is to be.
    fn finished(&mut self) -> Option<Pcm> {
        while let Some(mut pcm) = self.fade.next() {
            let Some(limiter) = &mut self.limiter else {
                self.amplify(&mut pcm);
                return Some(pcm);
            };
            if let Some(limited) = limiter.push(pcm) {
                return Some(limited);
            }
        }
        let is_over = self.sound.is_none();
        self.limiter.take_if(|_| is_over)?.end()
    }

    fn take(&mut self, mut pcm: Pcm) -> Result<(), Error> {
        self.guess();
        self.clip.cut(&mut pcm);
        if !pcm.left.is_empty() {
            self.fade.push(pcm);
        }
        if self.clip.is_over() {
            self.end()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.guess();
        self.sound = None;
        self.fade.end();
        match self.clip.nothing_left() {
            Some(samples) => Err(Error::NothingLeft(self.spec.duration(samples))),
            None => Ok(()),
        }
    }

    fn guess(&mut self) {
        if let Some(sound) = self.sound.as_ref().filter(|_| !self.is_measured) {
            let all = sound.duration(sound.heard());
            let left = all.map(|all| self.clip.duration(all, self.spec));
            self.duration = left.filter(|left| !left.is_zero());
        }
    }

    fn amplify(&self, pcm: &mut Pcm) {
        if self.gain != 1.0 {
            for sample in pcm.left.iter_mut().chain(&mut pcm.right) {
                // What was heard before may have been something else: LAME must not see more than a decoder may give.
                *sample = (*sample * self.gain).clamp(-MAX_LEVEL, MAX_LEVEL);
            }
        }
    }
}
