//! Whether a file is all there, by the sizes its own container declares.
//!
//! FFmpeg reads a cut file up to the cut and calls it a success. Containers that carry no sizes (FLV, MPEG-TS, Ogg) or
//! leave them open (live WebM, streamed AVI) are taken as they are.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::boxes::{self, Boxes};
use crate::input::ENDLESS;
use crate::pipe::PEEK_BYTES;

/// More top-level parts than any real file has; stops a walk through millions of tiny ones.
pub(crate) const MAX_PARTS: usize = 1_000_000;

/// What a container says of its size.
#[derive(Debug, Clone)]
pub(crate) enum Extent {
    /// It has so many bytes, at least. `None` where it doesn't say.
    Bytes(Option<u64>),
    /// It is an MP4 whose boxes are looked at while it is read: one in fragments, which has them all over the file, or one that comes
    /// through a pipe.
    InBoxes(Boxes),
}

/// How many bytes the container says it has.
///
/// # Errors
/// The input's own.
pub(crate) fn of(input: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let start: [u8; 16] = read_at(input, 0)?;
    let [_, _, _, _, kind @ .., _, _, _, _, _, _, _, _] = start;
    if !boxes::is_known(kind) {
        return declared_bytes(input, start, length).map(Extent::Bytes);
    }
    let mut boxes = Boxes::new(length);
    boxes.walk(input, true)?;
    Ok(match boxes.declared() {
        Some(declared) => Extent::Bytes(declared),
        None => Extent::InBoxes(boxes),
    })
}

/// The same of a pipe, by the first [`PEEK_BYTES`] alone.
///
/// # Errors
/// The input's own.
pub(crate) fn of_pipe(input: &mut (impl Read + Seek)) -> io::Result<Extent> {
    let mut start = Vec::new();
    input.rewind()?;
    input.by_ref().take(PEEK_BYTES).read_to_end(&mut start)?;
    let is_iso_media = start
        .get(4..8)
        .and_then(|kind| kind.try_into().ok())
        .is_some_and(boxes::is_known);
    if is_iso_media {
        return Ok(Extent::InBoxes(Boxes::new(ENDLESS)));
    }
    let length = start.len() as u64;
    of(&mut Cursor::new(start), length)
}

fn declared_bytes(
    input: &mut (impl Read + Seek),
    start: [u8; 16],
    length: u64,
) -> io::Result<Option<u64>> {
    match start {
        [0x1A, 0x45, 0xDF, 0xA3, ..] => matroska(input, length),
        [b'R', b'I', b'F', b'F', ..] => riff(input, length),
        [b'R', b'F', b'6', b'4', 0xFF, 0xFF, 0xFF, 0xFF, ..] => rf64(input),
        [
            b'F',
            b'O',
            b'R',
            b'M',
            s0,
            s1,
            s2,
            s3,
            b'A',
            b'I',
            b'F',
            b'F' | b'C',
            ..,
        ] => Ok(known(u32::from_be_bytes([s0, s1, s2, s3]), 8)),
        // The sound begins at an offset and has a size.
        [b'.', b's', b'n', b'd', o0, o1, o2, o3, s0, s1, s2, s3, ..] => Ok(known(
            u32::from_be_bytes([s0, s1, s2, s3]),
            u32::from_be_bytes([o0, o1, o2, o3]),
        )),
        [b'c', b'a', b'f', b'f', 0, 1, ..] => core_audio(input, length),
        W64_HEADER => {
            let size = u64::from_le_bytes(read_at(input, 16)?);
            Ok((size != 0 && size != u64::MAX).then_some(size))
        }
        ASF_HEADER => asf(input),
        _ => Ok(None),
    }
}

/// Whether a file can be read from its start to its end: whether the index of ISO media comes before what it leads to.
///
/// Looks at the first [`PEEK_BYTES`] alone: that is what can be read twice of a [`Pipe`](crate::Pipe).
///
/// # Errors
/// The input's own.
pub(crate) fn is_ordered(input: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut at = 0_u64;
    while at + 8 <= PEEK_BYTES {
        let [s0, s1, s2, s3, kind @ ..]: [u8; 8] = read_at(input, at)?;
        if &kind == b"mdat" {
            return Ok(false);
        }
        let size = u32::from_be_bytes([s0, s1, s2, s3]);
        if size < 8 || !boxes::is_known(kind) || &kind == b"moov" {
            break;
        }
        at += u64::from(size);
    }
    Ok(true)
}

/// EBML (RFC 8794): an id and a size, both of variable width; a size of all ones is unknown.
fn matroska(input: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    const EBML: u64 = 0x1A45_DFA3;
    const SEGMENT: u64 = 0x1853_8067;
    const VOID: u64 = 0xEC;

    let mut at = 0_u64;
    for _ in 0..MAX_PARTS {
        if at >= length {
            break;
        }
        let header: [u8; 16] = read_at(input, at)?;
        let Some((id, id_width)) = crate::ebml::variable(&header, 4) else {
            break;
        };
        let Some((size, size_width)) = crate::ebml::variable(&header[id_width..], 8) else {
            break;
        };
        if ![EBML, SEGMENT, VOID].contains(&id) {
            break;
        }
        let marker = 1 << (7 * size_width);
        let size = size - marker;
        if size == marker - 1 {
            break;
        }
        at = at
            .saturating_add((id_width + size_width) as u64)
            .saturating_add(size);
        if at > length {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// AVI and WAV. OpenDML puts several RIFF parts behind each other (OpenDML AVI extensions 1.02, section 3).
fn riff(input: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut at = 0_u64;
    for _ in 0..MAX_PARTS {
        let header: [u8; 8] = read_at(input, at)?;
        let [b'R', b'I', b'F', b'F', s0, s1, s2, s3] = header else {
            break;
        };
        let size = u32::from_le_bytes([s0, s1, s2, s3]);
        if size == 0 || size == u32::MAX {
            break; // written to a pipe
        }
        let end = at.saturating_add(8).saturating_add(u64::from(size));
        if end > length {
            return Ok(Some(end));
        }
        at = end + end % 2;
    }
    Ok(None)
}

/// WAV above 4 GiB (EBU Tech 3306): the real size is in the `ds64` chunk that comes first.
fn rf64(input: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let chunk: [u8; 16] = read_at(input, 12)?;
    let [b'd', b's', b'6', b'4', _, _, _, _, size @ ..] = chunk else {
        return Ok(None);
    };
    Ok(Some(u64::from_le_bytes(size).saturating_add(8)))
}

/// The end of AIFF's or AU's only part. Written to a pipe, they leave its size open.
fn known(size: u32, before: u32) -> Option<u64> {
    (size != 0 && size != u32::MAX).then_some(u64::from(size) + u64::from(before))
}

/// CAF (Apple Core Audio Format Specification 1.0): chunks behind each other, each with a type and a size. That of the
/// sound may be -1, which means all that follows.
fn core_audio(input: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    const HEADER_BYTES: u64 = 12;

    let mut at = 8_u64;
    let mut has_data = false;
    for _ in 0..MAX_PARTS {
        if length.saturating_sub(at) < HEADER_BYTES {
            return Ok((!has_data).then(|| length.saturating_add(HEADER_BYTES)));
        }
        let [a, b, c, d, size @ ..]: [u8; 12] = read_at(input, at)?;
        let kind = [a, b, c, d];
        let Ok(size) = u64::try_from(i64::from_be_bytes(size)) else {
            break;
        };
        if !kind.is_ascii() || kind.contains(&0) {
            break; // something was appended
        }
        has_data |= &kind == b"data";
        at = at.saturating_add(HEADER_BYTES).saturating_add(size);
        if at > length {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Sony Wave64: its RIFF chunk has a GUID and a size of eight bytes, which counts the whole file.
const W64_HEADER: [u8; 16] = *b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00";

const ASF_HEADER: [u8; 16] = [
    0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C,
];
const ASF_FILE_PROPERTIES: [u8; 16] = [
    0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11, 0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65,
];

/// WMV and WMA (ASF specification, section 3.2): the file properties are one of the objects inside the header object.
fn asf(input: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    const BROADCAST: u8 = 1;

    let [_, _, _, _, _, _, _, _, count @ .., _, _]: [u8; 14] = read_at(input, 16)?;
    let mut at = 30_u64;
    for _ in 0..u32::from_le_bytes(count).min(1000) {
        let guid: [u8; 16] = read_at(input, at)?;
        let size = u64::from_le_bytes(read_at(input, at.saturating_add(16))?);
        if guid == ASF_FILE_PROPERTIES {
            let file_size = u64::from_le_bytes(read_at(input, at.saturating_add(40))?);
            let [flags]: [u8; 1] = read_at(input, at.saturating_add(88))?;
            return Ok((file_size > 0 && flags & BROADCAST == 0).then_some(file_size));
        }
        if size < 24 {
            break;
        }
        at = at.saturating_add(size);
    }
    Ok(None)
}

/// `N` bytes from `at`, zeros where the file has ended: no container marks anything with zeros.
pub(crate) fn read_at<const N: usize>(
    input: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.seek(SeekFrom::Start(at))?;
    let mut filled = 0;
    while filled < N {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
