//! Opens a container the way a conversion needs it, which `ffmpeg-next` has no safe call for.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::{Dictionary, Error, ffi};

use super::allowed;

/// Probing ends after this many bytes, or this many microseconds of sound.
const PROBE_OPTIONS: [(&str, &str); 7] = [
    ("probesize", "5000000"),
    ("analyzeduration", "5000000"),
    // Far beyond what is allowed, which the caller checks: FFmpeg calls it a lack of memory.
    ("max_streams", "10000"),
    ("format_whitelist", allowed::FORMATS),
    // There is none either.
    ("protocol_whitelist", "none"),
    // Pictures are discarded, so don't wait for their frame rate and first timestamps.
    ("fpsprobesize", "0"),
    ("max_ts_probe", "0"),
];

/// Opens the container behind `io`, to be [probed](probe) next, and refuses whatever else it asks to open.
///
/// Read `once`, a transport or program stream is read in order, as from a pipe. An MP4 `in_fragments` always is, as far as it
/// has sound: the index of a fragment is read with it, not beforehand.
pub(crate) fn open(mut io: StreamIo, once: bool, in_fragments: bool) -> Result<Input, Error> {
    let mut options: Dictionary<'_> = PROBE_OPTIONS.iter().collect();
    options.set("codec_whitelist", &allowed::codecs());

    // SAFETY: the context is checked for null before use. `io` outlives it: on failure `avformat_open_input` has freed
    // the context before `io` is dropped, on success `Input` owns both and drops them in that order, and
    // AVFMT_FLAG_CUSTOM_IO keeps FFmpeg from freeing the AVIOContext itself. `disown` hands the dictionary to FFmpeg,
    // which replaces it by the options it didn't know; `own` frees those.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(Error::Other { errno: ffi::ENOMEM });
        }
        (*context).pb = io.as_mut_ptr();
        (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
        if once && in_fragments {
            (*context).flags |= ffi::AVFMT_FLAG_IGNIDX;
        }
        (*context).io_open = Some(refuse_to_open);

        let mut options = options.disown();
        let opened = ffi::avformat_open_input(
            &raw mut context,
            ptr::null(),
            ptr::null_mut(),
            &raw mut options,
        );
        drop(Dictionary::own(options));
        if opened < 0 {
            return Err(Error::from(opened));
        }
        seek_for_good(context);
        if once && is_stream(context) {
            (*(*context).pb).seekable = 0;
        }
        Ok(Input::wrap_with_custom_io(context, io))
    }
}

/// Whether the length of what is opened stands nowhere in it: FFmpeg would look for the last timestamps at its end, up to 16
/// MB of it, and then begin anew.
///
/// # Safety
/// The context is opened.
unsafe fn is_stream(context: *mut ffi::AVFormatContext) -> bool {
    // SAFETY: an opened context has a format, whose name is static.
    let name = unsafe { CStr::from_ptr((*(*context).iformat).name) };
    name == c"mpegts" || name == c"mpeg"
}

/// Has the demuxer of MP4 and MOV pass over pictures by seeking.
///
/// It makes its buffer twice as large as the parts of a second are apart, up to 16 MiB, and reads through all that is nearer: to
/// a store that means everything. Of the demuxers that lose sound with `direct` it isn't one.
///
/// # Safety
/// The context is opened.
unsafe fn seek_for_good(context: *mut ffi::AVFormatContext) {
    // SAFETY: an opened context has a format, whose name is static, and here always an AVIOContext.
    unsafe {
        let name = CStr::from_ptr((*(*context).iformat).name);
        if name.to_bytes().starts_with(b"mov,") {
            (*(*context).pb).direct = 1;
        }
    }
}

/// Learns what streams the container has.
///
/// [`open`] and this do what `ffmpeg_next::format::input_from_stream` does, but discard everything that can't be heard
/// *before* probing, so that pictures are neither read nor waited for.
pub(crate) fn probe(input: &mut Input) -> Result<(), Error> {
    listen_to(input, None);
    // SAFETY: `input` holds an opened context; null asks for no options per stream.
    let probed = unsafe { ffi::avformat_find_stream_info(input.as_mut_ptr(), ptr::null_mut()) };
    if probed < 0 {
        return Err(Error::from(probed));
    }
    forget_guesses(input);
    know_pictures(input);
    Ok(())
}

/// The streams of a program stream that are pictures by their number (ISO 13818-1, table 2-22).
///
/// FFmpeg looks at what is in them, takes them for the format that comes nearest, and has none here that are pictures: some
/// look like MP3, and would be converted instead of the sound.
fn know_pictures(input: &mut Input) {
    // SAFETY: `input` holds an opened context, with as many streams as it says. FFmpeg gives each parameters.
    unsafe {
        let context = input.as_mut_ptr();
        if CStr::from_ptr((*(*context).iformat).name) != c"mpeg" {
            return;
        }
        for index in 0..(*context).nb_streams as usize {
            let stream = *(*context).streams.add(index);
            if (0x1E0..=0x1EF).contains(&(*stream).id) {
                (*(*stream).codecpar).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            }
        }
    }
}

/// What wasn't looked up isn't known. FFmpeg takes the first fragment for all, and the length of a stream it guesses by the
/// bitrates it knows, but those of pictures it doesn't.
fn forget_guesses(input: &mut Input) {
    // SAFETY: `input` holds an opened context, with as many streams as it says and an AVIOContext of ours.
    unsafe {
        let context = input.as_mut_ptr();
        let in_order = is_stream(context) && (*(*context).pb).seekable == 0;
        let in_fragments = (*context).flags & ffi::AVFMT_FLAG_IGNIDX != 0;
        if !in_order && !in_fragments {
            return;
        }
        (*context).duration = ffi::AV_NOPTS_VALUE;
        for index in 0..(*context).nb_streams as usize {
            (**(*context).streams.add(index)).duration = ffi::AV_NOPTS_VALUE;
        }
    }
}

/// Discards every stream but the `wanted` one; while none is chosen yet, all that aren't sound and can't turn out to be:
/// transport streams leave it to a look at the packets what some of theirs are.
///
/// FFmpeg then drops their packets. It still reads through what it skips if that is less than 32 KiB; its `direct` flag would
/// make it seek always, but then FFmpeg 5.1 loses sound without an error (some of the formats in `tests/conversion.rs` end early).
pub(crate) fn listen_to(input: &mut Input, wanted: Option<usize>) {
    for index in 0..input.nb_streams() as usize {
        let Some(mut stream) = input.stream_mut(index) else {
            continue;
        };
        // SAFETY: `stream_mut` has checked the index, so the stream exists, and FFmpeg always gives it parameters.
        unsafe {
            let stream = stream.as_mut_ptr();
            let is_wanted = match wanted {
                Some(wanted) => wanted == index,
                None => {
                    let parameters = (*stream).codecpar;
                    let is_sound = (*parameters).codec_type == ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
                    let is_unknown = (*parameters).codec_type
                        == ffi::AVMediaType::AVMEDIA_TYPE_UNKNOWN
                        && (*parameters).codec_id == ffi::AVCodecID::AV_CODEC_ID_NONE;
                    is_sound || is_unknown
                }
            };
            (*stream).discard = if is_wanted {
                ffi::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ffi::AVDiscard::AVDISCARD_ALL
            };
        }
    }
}

/// A container may name other files and addresses (external tracks, playlists): none is opened.
unsafe extern "C" fn refuse_to_open(
    _: *mut ffi::AVFormatContext,
    _: *mut *mut ffi::AVIOContext,
    _: *const c_char,
    _: c_int,
    _: *mut *mut ffi::AVDictionary,
) -> c_int {
    ffi::AVERROR(ffi::EPERM)
}
