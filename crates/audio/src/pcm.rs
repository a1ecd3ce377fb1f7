//! Sound as an MP3 can hold it: planes of floats, mono or stereo, at one of MPEG's rates.

use std::time::Duration;

use ffmpeg_next::ChannelLayout;

use crate::track::Choice;
use crate::{Options, SampleRate, copy};

/// What stays the same from the first sample of an MP3 to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u8,
}

impl Spec {
    /// What is asked for or else the nearest that an MP3 can hold: the source's own rate or the next higher one, and at
    /// most two channels.
    pub(crate) fn nearest(source_hz: u32, source_channels: i32, wish: Wish) -> Self {
        let rate_hz = match wish.rate {
            Some(rate) => rate.hz(),
            None => SampleRate::ALL_HZ
                .into_iter()
                .find(|&rate| rate >= source_hz)
                .unwrap_or(48_000),
        };
        let is_mono = wish.mono || source_channels == 1;
        Self {
            rate_hz,
            channels: if is_mono { 1 } else { 2 },
        }
    }

    /// Whether it has what is asked for without any change.
    pub(crate) fn is_as_wished(&self, wish: Wish) -> bool {
        !(wish.mono && self.channels > 1) && wish.rate.is_none_or(|rate| rate.hz() == self.rate_hz)
    }

    /// Samples of one MP3 frame: MPEG-2 and 2.5 have half of MPEG-1's.
    pub(crate) fn frame_samples(&self) -> usize {
        if self.rate_hz >= 32_000 { 1152 } else { 576 }
    }

    /// How long so many samples last.
    pub(crate) fn duration(&self, samples: u64) -> Duration {
        let rate = u64::from(self.rate_hz);
        Duration::new(
            samples / rate,
            (samples % rate * 1_000_000_000 / rate) as u32,
        )
    }

    /// The samples of so long a time, to the nearest.
    pub(crate) fn samples(&self, time: Duration) -> u64 {
        let nanos = time.as_nanos().saturating_mul(self.rate_hz.into());
        let samples = nanos.saturating_add(500_000_000) / 1_000_000_000;
        u64::try_from(samples).unwrap_or(u64::MAX)
    }

    pub(crate) fn layout(&self) -> ChannelLayout {
        if self.channels == 1 {
            ChannelLayout::MONO
        } else {
            ChannelLayout::STEREO
        }
    }
}

/// What of a [`Spec`] is settled before the first sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) mono: bool,
    pub(crate) rate: Option<SampleRate>,
    pub(crate) track: Option<Choice>,
    /// MP3 as it is, where the track is MP3.
    pub(crate) copy: bool,
    /// The file is read once and in order, as far as its container lets: nothing is looked up at its end that isn't needed.
    pub(crate) once: bool,
}

impl From<&Options> for Wish {
    fn from(options: &Options) -> Self {
        Self {
            mono: options.mono,
            rate: options.sample_rate,
            track: options.track.as_ref().and_then(Choice::of),
            copy: copy::is_wanted(options),
            once: true,
        }
    }
}

/// Samples of full scale ±1, one after the other.
#[derive(Default)]
pub(crate) struct Pcm {
    /// The only channel in mono.
    pub(crate) left: Vec<f32>,
    /// Empty in mono.
    pub(crate) right: Vec<f32>,
}

impl Pcm {
    /// Moves all of `more` to the end.
    pub(crate) fn append(&mut self, more: &mut Self) {
        self.left.append(&mut more.left);
        self.right.append(&mut more.right);
    }

    /// Cuts off the first `samples`, in memory of just that size.
    pub(crate) fn take_front(&mut self, samples: usize) -> Self {
        let take = |channel: &mut Vec<f32>| {
            let taken = channel.get(..samples).unwrap_or_default().to_vec();
            channel.drain(..taken.len());
            taken
        };
        Self {
            left: take(&mut self.left),
            right: take(&mut self.right),
        }
    }
}
