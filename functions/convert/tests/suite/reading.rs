//! How much of a stored video is read: the chunks that hold sound or index, and hardly any other.

use crate::world::Convert;
use async_trait::async_trait;
use bytes::Bytes;
use decant_audio::media;
use decant_events::{FileId, Mp3Ready};
use decant_store::{Bucket, CHUNK_BYTES, Error, PayloadReader, PayloadWriter, Payloads, Store};
use std::ops::Range;
use std::process::Command;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Payloads that count what is read of them.
struct Counted {
    payloads: Arc<dyn Payloads>,
    bytes: Arc<AtomicU64>,
}

#[async_trait]
impl Payloads for Counted {
    async fn create(
        &self,
        bucket: Bucket,
        id: FileId,
        name: &str,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        self.payloads.create(bucket, id, name).await
    }

    async fn resume(
        &self,
        bucket: Bucket,
        id: FileId,
        name: &str,
        offset: u64,
    ) -> Result<Box<dyn PayloadWriter>, Error> {
        self.payloads.resume(bucket, id, name, offset).await
    }

    async fn open(&self, bucket: Bucket, id: FileId) -> Result<Arc<dyn PayloadReader>, Error> {
        Ok(Arc::new(CountedReader {
            reader: self.payloads.open(bucket, id).await?,
            bytes: Arc::clone(&self.bytes),
        }))
    }

    async fn room(&self) -> Result<(), Error> {
        self.payloads.room().await
    }

    async fn delete(&self, bucket: Bucket, id: FileId) -> Result<(), Error> {
        self.payloads.delete(bucket, id).await
    }
}

struct CountedReader {
    reader: Arc<dyn PayloadReader>,
    bytes: Arc<AtomicU64>,
}

#[async_trait]
impl PayloadReader for CountedReader {
    fn size_bytes(&self) -> u64 {
        self.reader.size_bytes()
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let bytes = self.reader.read_at(offset, length).await?;
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

/// Where the pictures are, as ffprobe sees it.
fn pictures(video: &[u8]) -> Vec<Range<usize>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("video");
    std::fs::write(&path, video).unwrap();
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0"])
        .args(["-show_entries", "packet=size,pos", "-of", "csv=p=0"])
        .arg(&path)
        .output()
        .unwrap();
    let lines = String::from_utf8(probed.stdout).unwrap();
    let packets = lines.lines().map(|line| {
        let mut numbers = line
            .split(',')
            .map(|number| number.parse::<usize>().unwrap());
        let (size, at) = (numbers.next().unwrap(), numbers.next().unwrap());
        at..at + size
    });
    packets.collect()
}

/// The bytes of the chunks that hold anything else: sound, index, and what links the parts of the container.
fn needed_bytes(video: &[u8]) -> u64 {
    let pictures = pictures(video);
    assert!(!pictures.is_empty());
    let is_picture = |chunk: &Range<usize>| {
        let around =
            |picture: &Range<usize>| picture.start <= chunk.start && chunk.end <= picture.end;
        pictures.iter().any(around)
    };
    let starts = (0..video.len()).step_by(CHUNK_BYTES);
    let chunks = starts.map(|start| start..(start + CHUNK_BYTES).min(video.len()));
    let needed = chunks.filter(|chunk| !is_picture(chunk));
    needed.map(|chunk| chunk.len() as u64).sum()
}

/// 46 Mbit/s of pictures, of four and a half chunks each.
fn large_pictures(extension: &str, more: &[&str]) -> Vec<u8> {
    let picture = ["-f", "lavfi", "-i", "testsrc=size=800x480:rate=5"];
    let tone = ["-f", "lavfi", "-i", "sine=r=44100"];
    let codecs = [
        "-c:v", "rawvideo", "-pix_fmt", "rgb24", "-c:a", "aac", "-t", "5",
    ];
    media::ffmpeg(extension, &[&picture[..], &tone, &codecs, more].concat())
}

/// As large as a coder makes them that can't do much: snow, each picture by itself.
fn snow(extension: &str, size: &str, seconds: &str, more: &[&str]) -> Vec<u8> {
    let picture = format!("testsrc=size={size}:rate=25,noise=alls=100:allf=t");
    let picture = ["-f", "lavfi", "-i", &picture];
    let tone = ["-f", "lavfi", "-i", "sine=r=48000"];
    let coder = ["-g", "1", "-qscale:v", "1", "-t", seconds];
    media::ffmpeg(extension, &[&picture[..], &tone, &coder, more].concat())
}

/// How many bytes of a video are read.
async fn read(video: Vec<u8>) -> u64 {
    let bytes = Arc::new(AtomicU64::new(0));
    let convert = Convert::watched(&[], |store| Store {
        payloads: Arc::new(Counted {
            payloads: store.payloads,
            bytes: Arc::clone(&bytes),
        }),
        ..store
    })
    .await;
    let event = convert.queue("video", video).await;
    let reply = convert.function.deliver("/", &event).await;
    reply.event::<Mp3Ready>();
    bytes.load(Ordering::Relaxed)
}

/// What is off about it, if more than a twentieth is read of what isn't needed.
async fn excess(what: &str, video: Vec<u8>, needed: u64) -> Option<String> {
    let all = video.len() as u64;
    let read = read(video).await;
    let is_much = read * 100 > needed * 105;
    is_much.then(|| format!("{what}: {read} of {all} bytes are read, {needed} needed"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_without_sound_or_index_are_not_read_from_the_store() {
    let raw = large_pictures;
    let mut off = Vec::new();
    for (what, video) in [
        ("index at the end", raw("mov", &[])),
        (
            "index at the start",
            raw("mov", &["-movflags", "+faststart"]),
        ),
        (
            "sound once a second",
            raw("mov", &["-chunk_duration", "1000000"]),
        ),
        ("fragments", fragments("frag_keyframe+empty_moov")),
        (
            "fragments with an index at the start",
            fragments("frag_keyframe+empty_moov+default_base_moof+global_sidx"),
        ),
        ("DASH", fragments("frag_keyframe+dash")),
        ("CMAF", fragments("frag_keyframe+cmaf")),
        ("AVI", raw("avi", &[])),
        ("Matroska", raw("mkv", &["-allow_raw_vfw", "1"])),
        (
            "FLV",
            snow(
                "flv",
                "1280x720",
                "1",
                &["-c:v", "flv", "-c:a", "aac", "-ar", "44100"],
            ),
        ),
        (
            "MXF",
            snow(
                "mxf",
                "1280x720",
                "1",
                &["-c:v", "mpeg2video", "-c:a", "pcm_s16le"],
            ),
        ),
    ] {
        let (needed, all) = (needed_bytes(&video), video.len() as u64);
        assert!(
            needed * 10 < all * 8,
            "{what}: {needed} of {all} bytes are needed"
        );
        // Pictures show up only while FFmpeg looks for what there is, which ends after so many bytes.
        let more = if what == "FLV" { 5_000_000 } else { 0 };
        off.extend(excess(what, video, needed + more).await);
    }
    assert!(off.is_empty(), "{off:#?}");
}

/// Sound and pictures of a second each, with an index of their own.
fn fragments(flags: &str) -> Vec<u8> {
    large_pictures("mov", &["-movflags", flags, "-g", "5"])
}

/// Where pictures are cut into small packets, with sound and headers in between, every chunk is needed. Once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_read_through_is_read_once() {
    let mut off = Vec::new();
    for (what, extension, codecs) in [
        ("MPEG-TS", "ts", &["-c:v", "mpeg2video", "-c:a", "mp2"][..]),
        (
            "MPEG-TS, MP3",
            "ts",
            &["-c:v", "mpeg2video", "-c:a", "libmp3lame"],
        ),
        ("MPEG-PS", "mpg", &["-c:v", "mpeg2video", "-c:a", "mp2"]),
        (
            "MPEG-PS, MP3",
            "mpg",
            &["-c:v", "mpeg2video", "-c:a", "libmp3lame"],
        ),
        ("ASF", "wmv", &["-c:v", "wmv2", "-c:a", "wmav2"]),
        (
            "Ogg",
            "ogv",
            &["-c:v", "libtheora", "-qscale:v", "10", "-c:a", "libvorbis"],
        ),
    ] {
        let video = snow(extension, "640x360", "3", codecs);
        let all = video.len() as u64;
        assert!(all > 20 * CHUNK_BYTES as u64, "{what}: {all} bytes are few");
        off.extend(excess(what, video, all).await);
    }
    assert!(off.is_empty(), "{off:#?}");
}
