//! An archive's bytes besides its files' own, after PKWARE's APPNOTE 6.3.10, whose sections are named here. By hand because
//! the length of everything is known beforehand then: files are stored as they are (MP3s don't shrink), and their
//! checksums, which aren't known, come after them.

use bytes::{BufMut, Bytes};
use chrono::{DateTime, Datelike, Timelike, Utc};

/// From here on a number is in a field of 64 bits elsewhere (4.4.1.4).
const LARGE: u64 = 0xffff_ffff;
const LARGE_COUNT: u64 = 0xffff;

/// Checksum and sizes come after the bytes; the name is UTF-8 (4.4.4).
const FLAGS: u16 = 1 << 3 | 1 << 11;

/// Version 4.5: whoever reads it knows the fields of 64 bits (4.4.3).
const VERSION: u16 = 45;
/// Unix, so that the mode counts (4.4.2).
const MADE_BY: u16 = 3 << 8 | VERSION;
/// A plain file with mode 644, in the upper half of the external attributes (4.4.15).
const MODE: u32 = 0o100_644 << 16;

/// One file of an archive.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) modified: DateTime<Utc>,
}

impl Entry {
    fn is_large(&self) -> bool {
        self.size_bytes >= LARGE
    }

    /// Flags, no compression, time and date of change (4.4.4 to 4.4.6).
    fn put_kind(&self, out: &mut Vec<u8>) {
        let time = self.modified;
        let year = time.year().clamp(1980, 2107) as u16 - 1980;
        out.put_u16_le(FLAGS);
        out.put_u16_le(0);
        out.put_u16_le((time.hour() << 11 | time.minute() << 5 | (time.second() / 2)) as u16);
        out.put_u16_le(year << 9 | (time.month() << 5 | time.day()) as u16);
    }

    /// The time of change, once more and in UTC: Info-ZIP's extra field.
    fn put_time(&self, out: &mut Vec<u8>) {
        out.put_u16_le(0x5455);
        out.put_u16_le(5);
        out.put_u8(1);
        out.put_u32_le(self.modified.timestamp().clamp(0, 0x7fff_ffff) as u32);
    }
}

/// What stands before a file (4.3.7).
pub(super) fn header(entry: &Entry) -> Bytes {
    let mut extra = Vec::new();
    entry.put_time(&mut extra);
    let size = if entry.is_large() { LARGE as u32 } else { 0 };
    if entry.is_large() {
        put_large(&mut extra, &[0, 0]);
    }
    let mut out = Vec::new();
    out.put_u32_le(0x0403_4b50);
    out.put_u16_le(VERSION);
    entry.put_kind(&mut out);
    out.put_u32_le(0);
    out.put_u32_le(size);
    out.put_u32_le(size);
    out.put_u16_le(entry.name.len() as u16);
    out.put_u16_le(extra.len() as u16);
    out.put_slice(entry.name.as_bytes());
    out.put_slice(&extra);
    out.into()
}

/// What stands after a file (4.3.9).
pub(super) fn descriptor(entry: &Entry, checksum: u32) -> Bytes {
    let mut out = Vec::new();
    out.put_u32_le(0x0807_4b50);
    out.put_u32_le(checksum);
    for _stored_and_read in 0..2 {
        if entry.is_large() {
            out.put_u64_le(entry.size_bytes);
        } else {
            out.put_u32_le(entry.size_bytes as u32);
        }
    }
    out.into()
}

/// What the directory at the archive's end says of a file whose header is at `offset` (4.3.12).
pub(super) fn directory_line(entry: &Entry, checksum: u32, offset: u64) -> Vec<u8> {
    let mut extra = Vec::new();
    entry.put_time(&mut extra);
    let size = entry.size_bytes;
    let large: Vec<_> = [size, size, offset]
        .into_iter()
        .filter(|number| *number >= LARGE)
        .collect();
    put_large(&mut extra, &large);
    let mut out = Vec::new();
    out.put_u32_le(0x0201_4b50);
    out.put_u16_le(MADE_BY);
    out.put_u16_le(VERSION);
    entry.put_kind(&mut out);
    out.put_u32_le(checksum);
    out.put_u32_le(size.min(LARGE) as u32);
    out.put_u32_le(size.min(LARGE) as u32);
    out.put_u16_le(entry.name.len() as u16);
    out.put_u16_le(extra.len() as u16);
    out.put_u16_le(0); // no comment
    out.put_u16_le(0); // on the first disk
    out.put_u16_le(0); // not text
    out.put_u32_le(MODE);
    out.put_u32_le(offset.min(LARGE) as u32);
    out.put_slice(entry.name.as_bytes());
    out.put_slice(&extra);
    out
}

/// The end of an archive of `count` files whose directory of `bytes` is at `offset` (4.3.14 to 4.3.16).
pub(super) fn end(count: u64, offset: u64, bytes: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if count >= LARGE_COUNT || offset >= LARGE || bytes >= LARGE {
        out.put_u32_le(0x0606_4b50);
        out.put_u64_le(44); // what follows of this record
        out.put_u16_le(MADE_BY);
        out.put_u16_le(VERSION);
        out.put_u32_le(0);
        out.put_u32_le(0);
        out.put_u64_le(count);
        out.put_u64_le(count);
        out.put_u64_le(bytes);
        out.put_u64_le(offset);
        out.put_u32_le(0x0706_4b50);
        out.put_u32_le(0);
        out.put_u64_le(offset + bytes);
        out.put_u32_le(1);
    }
    out.put_u32_le(0x0605_4b50);
    out.put_u16_le(0);
    out.put_u16_le(0);
    out.put_u16_le(count.min(LARGE_COUNT) as u16);
    out.put_u16_le(count.min(LARGE_COUNT) as u16);
    out.put_u32_le(bytes.min(LARGE) as u32);
    out.put_u32_le(offset.min(LARGE) as u32);
    out.put_u16_le(0); // no comment
    out
}

/// How long an archive of these files becomes.
pub(super) fn length(entries: &[&Entry]) -> u64 {
    let (mut offset, mut directory) = (0, 0);
    for entry in entries {
        directory += directory_line(entry, 0, offset).len() as u64;
        offset += header(entry).len() as u64 + entry.size_bytes + descriptor(entry, 0).len() as u64;
    }
    offset + directory + end(entries.len() as u64, offset, directory).len() as u64
}

/// The numbers that their own fields can't hold (4.5.3).
fn put_large(extra: &mut Vec<u8>, numbers: &[u64]) {
    if numbers.is_empty() {
        return;
    }
    extra.put_u16_le(1);
    extra.put_u16_le(numbers.len() as u16 * 8);
    for number in numbers {
        extra.put_u64_le(*number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::File, os::unix::fs::FileExt, process::Command};

    /// Its holes take no room on the disk.
    #[test]
    fn a_file_of_five_gigabytes_and_one_beyond_it_are_found() {
        let entry = |name: &str, size_bytes| Entry {
            name: name.to_owned(),
            size_bytes,
            modified: DateTime::UNIX_EPOCH,
        };
        let (large, beyond) = (entry("large.mp3", 5 << 30), entry("beyond.mp3", 6));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("archive.zip");
        let archive = File::create(&path).expect("a file");
        let mut offset = 0;
        let mut directory = Vec::new();
        for (entry, bytes) in [(&large, &b""[..]), (&beyond, b"beyond")] {
            let (header, checksum) = (header(entry), crc32fast::hash(bytes));
            directory.extend(directory_line(entry, checksum, offset));
            let start = offset + header.len() as u64;
            archive.write_all_at(&header, offset).expect("written");
            archive.write_all_at(bytes, start).expect("written");
            let descriptor = descriptor(entry, checksum);
            offset = start + entry.size_bytes + descriptor.len() as u64;
            let at = offset - descriptor.len() as u64;
            archive.write_all_at(&descriptor, at).expect("written");
        }
        directory.extend(end(2, offset, directory.len() as u64));
        archive.write_all_at(&directory, offset).expect("written");
        let size = archive.metadata().expect("its size").len();
        assert_eq!(size, length(&[&large, &beyond]));

        let script = "import sys, zipfile\n\
             archive = zipfile.ZipFile(sys.argv[1])\n\
             large, beyond = archive.infolist()\n\
             assert large.file_size == 5 << 30, large\n\
             assert archive.open(large).read(1 << 16) == bytes(1 << 16)\n\
             assert beyond.header_offset > 5 << 30, beyond\n\
             assert archive.read(beyond) == b'beyond'\n";
        let mut python = Command::new("python3");
        let output = python.args(["-c", script]).arg(&path).output();
        let output = output.expect("python3; ./test installs it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}
