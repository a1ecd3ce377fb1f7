//! The formats and codecs that are read: those that `scripts/native-libs` builds, also where FFmpeg has more.

use std::ffi::{CStr, c_void};
use std::ptr;

use ffmpeg_next::{codec, ffi};

/// FFmpeg's names of demuxers; of those with several names, one.
pub(crate) const FORMATS: &str = "aac,ac3,aiff,amr,asf,au,avi,caf,dts,dtshd,eac3,flac,flv,loas,matroska,mlp,mov,mp3,\
                                  mpeg,mpegts,mxf,ogg,truehd,tta,w64,wav,wv";

/// Of the decoders. There are those of [`CODEC_FAMILIES`] besides.
const CODECS: [&str; 34] = [
    "aac",
    "aac_latm",
    "ac3",
    "eac3",
    "dca",
    "mlp",
    "truehd",
    "mp1float",
    "mp2float",
    "mp3float",
    "mp3adufloat",
    "mp3on4float",
    "opus",
    "vorbis",
    "speex",
    "nellymoser",
    "flac",
    "alac",
    "wavpack",
    "tta",
    "wmav1",
    "wmav2",
    "wmapro",
    "wmalossless",
    "wmavoice",
    "amrnb",
    "amrwb",
    "gsm",
    "gsm_ms",
    "qdm2",
    "s302m",
    // Of the ADPCM family, by names of their own.
    "g722",
    "g726",
    "g726le",
];

const CODEC_FAMILIES: [&str; 2] = ["pcm_", "adpcm_"];

/// The allowed decoders that there are, as FFmpeg's `codec_whitelist` wants them.
pub(crate) fn codecs() -> String {
    let mut names: Vec<&str> = CODECS.to_vec();
    let mut at: *mut c_void = ptr::null_mut();
    loop {
        // SAFETY: `at` is null at first and then only changed by the call. What it gives is static, as is its name.
        let name = unsafe {
            let codec = ffi::av_codec_iterate(&raw mut at);
            if codec.is_null() {
                return names.join(",");
            }
            CStr::from_ptr((*codec).name)
        };
        let name = name.to_str().unwrap_or_default();
        if CODEC_FAMILIES.iter().any(|family| name.starts_with(family)) {
            names.push(name);
        }
    }
}

/// Has `context` open none but these.
pub(crate) fn allow(context: &mut codec::Context, codecs: &CStr) {
    // SAFETY: the context is alive and not opened yet. It frees the copy, as it frees every option that is a string.
    unsafe {
        let context = context.as_mut_ptr();
        ffi::av_free((*context).codec_whitelist.cast());
        (*context).codec_whitelist = ffi::av_strdup(codecs.as_ptr());
    }
}
