//! What a container says in words, which needn't be UTF-8: `ffmpeg-next` takes it for granted.

use std::ffi::CStr;
use std::ptr;

use ffmpeg_next::{Stream, ffi};

/// What is said of `stream` under this key, in UTF-8 whatever it was. `None` where there is nothing.
pub(crate) fn of_stream(stream: &Stream<'_>, key: &CStr) -> Option<String> {
    // SAFETY: the stream exists as long as what it was borrowed from, and its metadata, which may be null as
    // `av_dict_get` allows, changes only when packets are read. Keys and values end with a zero byte.
    unsafe {
        let metadata = (*stream.as_ptr()).metadata;
        let entry = ffi::av_dict_get(metadata, key.as_ptr(), ptr::null(), 0);
        if entry.is_null() || (*entry).value.is_null() {
            return None;
        }
        let value = CStr::from_ptr((*entry).value);
        Some(value.to_string_lossy().into_owned())
    }
}
