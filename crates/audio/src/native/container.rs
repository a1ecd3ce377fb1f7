//! What a container says of itself, where `ffmpeg-next` has no call for it, or one that believes every byte.

use std::ffi::CStr;
use std::{ptr, slice};

use ffmpeg_next::{DictionaryRef, Stream, ffi};

/// What the metadata says under `key`. Containers of the time before UTF-8 have Latin-1.
pub(crate) fn text(metadata: &DictionaryRef<'_>, key: &CStr) -> Option<String> {
    // SAFETY: a dictionary is null, which is an empty one, or alive as long as `metadata`. The value of an entry ends
    // with a NUL and lives as long as the entry.
    let value = unsafe {
        let entry = ffi::av_dict_get(metadata.as_ptr(), key.as_ptr(), ptr::null(), 0);
        CStr::from_ptr(entry.as_ref()?.value)
    };
    Some(match value.to_str() {
        Ok(text) => text.to_owned(),
        Err(_) => value.to_bytes().iter().copied().map(char::from).collect(),
    })
}

/// How many channels a sound stream has, and its sample rate in Hz: 0 where that isn't known.
pub(crate) fn sound_of(stream: &Stream<'_>) -> (u16, u32) {
    // SAFETY: FFmpeg gives every stream parameters, which live as long as the container that `stream` borrows.
    let parameters = unsafe { &*(*stream.as_ptr()).codecpar };
    (
        parameters.ch_layout.nb_channels.try_into().unwrap_or(0),
        parameters.sample_rate.try_into().unwrap_or(0),
    )
}

/// The file that is attached to the container as this stream, a picture or not.
pub(crate) fn attachment<'a>(stream: &'a Stream<'_>) -> Option<&'a [u8]> {
    // SAFETY: stream and parameters live as long as the container that `stream` borrows, and nothing of either changes
    // while it does. FFmpeg keeps data and size in step: a packet without a picture, or parameters without extradata,
    // have null or 0, which is checked.
    unsafe {
        let stream = &*stream.as_ptr();
        let parameters = &*stream.codecpar;
        let is_thumbnail = stream.disposition & ffi::AV_DISPOSITION_TIMED_THUMBNAILS != 0;
        let (data, size) = if is_thumbnail {
            return None;
        } else if stream.disposition & ffi::AV_DISPOSITION_ATTACHED_PIC != 0 {
            (stream.attached_pic.data, stream.attached_pic.size)
        } else if parameters.codec_type == ffi::AVMediaType::AVMEDIA_TYPE_ATTACHMENT {
            (parameters.extradata, parameters.extradata_size)
        } else {
            return None;
        };
        let size = usize::try_from(size).ok().filter(|&size| size > 0)?;
        (!data.is_null()).then(|| slice::from_raw_parts(data, size))
    }
}
