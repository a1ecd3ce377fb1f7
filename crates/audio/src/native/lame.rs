//! LAME, through the few of its calls that we need. Documented in `lame.h` of LAME 3.100.

use std::ffi::{c_float, c_int, c_uchar, c_void};
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::{self, NonNull};

use crate::options::Bitrate;
use crate::pcm::Spec;
use crate::{Error, Quality};

/// `lame_global_flags`, opaque.
#[repr(C)]
struct Lame {
    _opaque: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

const VBR_OFF: c_int = 0;
const VBR_MTRH: c_int = 4;
const JOINT_STEREO: c_int = 1;
const MONO: c_int = 3;

/// `void (*)(const char *format, va_list ap)`; we only ever pass none.
type Report = Option<unsafe extern "C" fn(*const c_void, *mut c_void)>;

unsafe extern "C" {
    fn lame_init() -> *mut Lame;
    fn lame_close(lame: *mut Lame) -> c_int;
    fn lame_set_errorf(lame: *mut Lame, report: Report) -> c_int;
    fn lame_set_msgf(lame: *mut Lame, report: Report) -> c_int;
    fn lame_set_debugf(lame: *mut Lame, report: Report) -> c_int;
    fn lame_set_in_samplerate(lame: *mut Lame, hz: c_int) -> c_int;
    fn lame_set_out_samplerate(lame: *mut Lame, hz: c_int) -> c_int;
    fn lame_set_num_channels(lame: *mut Lame, channels: c_int) -> c_int;
    fn lame_set_mode(lame: *mut Lame, mode: c_int) -> c_int;
    fn lame_set_VBR(lame: *mut Lame, mode: c_int) -> c_int;
    fn lame_set_VBR_q(lame: *mut Lame, quality: c_int) -> c_int;
    fn lame_set_brate(lame: *mut Lame, kbps: c_int) -> c_int;
    fn lame_set_disable_reservoir(lame: *mut Lame, disable: c_int) -> c_int;
    fn lame_set_bWriteVbrTag(lame: *mut Lame, write: c_int) -> c_int;
    fn lame_set_write_id3tag_automatic(lame: *mut Lame, write: c_int);
    fn lame_init_params(lame: *mut Lame) -> c_int;
    fn lame_encode_buffer_ieee_float(
        lame: *mut Lame,
        left: *const c_float,
        right: *const c_float,
        samples: c_int,
        mp3: *mut c_uchar,
        mp3_bytes: c_int,
    ) -> c_int;
    fn lame_encode_flush(lame: *mut Lame, mp3: *mut c_uchar, mp3_bytes: c_int) -> c_int;
    fn lame_get_scale(lame: *const Lame) -> f32;
    fn lame_get_lametag_frame(lame: *const Lame, frame: *mut c_uchar, bytes: usize) -> usize;
}

/// Samples per call, so that one buffer of LAME's worst case fits them all.
const BLOCK_SAMPLES: usize = 9216;

/// `mp3buf_size` in `lame.h`: 1.25 × samples + 7200.
const MP3_BYTES: usize = BLOCK_SAMPLES + BLOCK_SAMPLES / 4 + 7200;

/// Whether a frame may leave room to those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reservoir {
    /// Frames lean on those before them.
    On,
    /// Every frame stands for itself, so that frames of several encoders can follow one another.
    Off,
}

/// One MP3 stream in the making: samples in, whole MP3 frames out, the first of them a placeholder for the tag frame.
pub(crate) struct Encoder {
    lame: NonNull<Lame>,
    mp3: Box<[u8; MP3_BYTES]>,
}

// SAFETY: a LAME context is a heap allocation that is tied to no thread, and only `&mut self` changes it.
unsafe impl Send for Encoder {}

impl Encoder {
    /// With a LAME tag. The rate of `spec` is one of MPEG's nine, its channels are 1 or 2.
    pub(crate) fn new(spec: Spec, quality: Quality, reservoir: Reservoir) -> Result<Self, Error> {
        let Spec { rate_hz, channels } = spec;
        let rate = c_int::try_from(rate_hz).map_err(Error::engine)?;
        // SAFETY: no arguments; null, for a lack of memory, is handled.
        let lame = NonNull::new(unsafe { lame_init() })
            .ok_or_else(|| Error::engine("LAME is out of memory"))?;
        let encoder = Self {
            lame,
            mp3: Box::new([0; MP3_BYTES]),
        };
        let lame = lame.as_ptr();
        // SAFETY: the context is alive and not yet initialised, which is when these may be called.
        let answer = unsafe {
            lame_set_errorf(lame, None);
            lame_set_msgf(lame, None);
            lame_set_debugf(lame, None);
            lame_set_in_samplerate(lame, rate);
            lame_set_out_samplerate(lame, rate);
            lame_set_num_channels(lame, channels.into());
            lame_set_mode(lame, if channels == 1 { MONO } else { JOINT_STEREO });
            match quality.bitrate() {
                Bitrate::Variable(level) => {
                    lame_set_VBR(lame, VBR_MTRH);
                    lame_set_VBR_q(lame, level);
                }
                Bitrate::Constant(kbps) => {
                    lame_set_VBR(lame, VBR_OFF);
                    lame_set_brate(lame, kbps);
                }
            }
            lame_set_disable_reservoir(lame, c_int::from(reservoir == Reservoir::Off));
            lame_set_bWriteVbrTag(lame, 1);
            lame_set_write_id3tag_automatic(lame, 0);
            lame_init_params(lame)
        };
        if answer < 0 {
            return Err(Error::engine(format!(
                "LAME refuses {rate_hz} Hz with {channels} channels ({answer})"
            )));
        }
        Ok(encoder)
    }

    /// Appends the MP3 frames that are complete to `mp3`. Samples are full scale at ±1; `right` is unused in mono.
    pub(crate) fn encode(
        &mut self,
        left: &[f32],
        right: &[f32],
        mp3: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let right = if right.is_empty() { left } else { right };
        for (left, right) in left.chunks(BLOCK_SAMPLES).zip(right.chunks(BLOCK_SAMPLES)) {
            let samples = left.len().min(right.len());
            // SAFETY: both slices hold `samples` floats, at most BLOCK_SAMPLES, for which `self.mp3` is large enough.
            let written = unsafe {
                lame_encode_buffer_ieee_float(
                    self.lame.as_ptr(),
                    left.as_ptr(),
                    right.as_ptr(),
                    samples as c_int,
                    self.mp3.as_mut_ptr(),
                    MP3_BYTES as c_int,
                )
            };
            self.append(written, mp3)?;
        }
        Ok(())
    }

    /// Appends what LAME still holds back. Nothing can be encoded afterwards.
    pub(crate) fn finish(&mut self, mp3: &mut Vec<u8>) -> Result<(), Error> {
        // SAFETY: the buffer is larger than the 7200 bytes that flushing may take.
        let written = unsafe {
            lame_encode_flush(
                self.lame.as_ptr(),
                self.mp3.as_mut_ptr(),
                MP3_BYTES as c_int,
            )
        };
        self.append(written, mp3)
    }

    /// The LAME/Xing frame (sizes, seek table, encoder delay, padding) for the place of the stream's first frame. Its
    /// length never changes, its content is right after [`finish`](Self::finish).
    pub(crate) fn tag_frame(&self) -> Vec<u8> {
        // SAFETY: with no room LAME writes nothing and says how much it needs.
        let needed = unsafe { lame_get_lametag_frame(self.lame.as_ptr(), ptr::null_mut(), 0) };
        let mut frame = vec![0; needed];
        // SAFETY: LAME writes at most the `needed` bytes that it is told of.
        let written =
            unsafe { lame_get_lametag_frame(self.lame.as_ptr(), frame.as_mut_ptr(), needed) };
        frame.truncate(written);
        frame
    }

    /// What LAME multiplies every sample by: at low constant bitrates it makes all a little quieter.
    pub(crate) fn scale(&self) -> f32 {
        // SAFETY: the context is alive; this only reads.
        unsafe { lame_get_scale(self.lame.as_ptr()) }
    }

    fn append(&self, written: c_int, mp3: &mut Vec<u8>) -> Result<(), Error> {
        let frames = usize::try_from(written)
            .ok()
            .and_then(|written| self.mp3.get(..written));
        mp3.extend_from_slice(
            frames.ok_or_else(|| Error::engine(format!("LAME failed with {written}")))?,
        );
        Ok(())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the context is alive and nothing uses it afterwards.
        unsafe { lame_close(self.lame.as_ptr()) };
    }
}
