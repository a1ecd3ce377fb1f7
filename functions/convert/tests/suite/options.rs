//! What people ask for, by the job's record.

use crate::world::{Convert, TURNS, about, kevin};
use decant_audio::media::{self, Container};
use decant_events::{ConversionOptions, FileId, JobFailed, Mp3Ready, VideoUploaded};
use decant_store::UnreadableOptions;

fn asking(fields: &[(&str, &str)]) -> ConversionOptions {
    let mut options = ConversionOptions::default();
    for (name, text) in fields {
        options.set(name, text).unwrap();
    }
    options
}

#[tokio::test]
async fn the_record_decides_what_is_made_and_not_the_event() {
    let convert = Convert::new().await;
    let asked = asking(&[
        ("quality", "128k"),
        ("mono", "on"),
        ("sample_rate", "32000"),
        ("title", "Größe"),
    ]);
    let clip = media::clip(Container::Mp4, 2);
    let event = convert.queue_asking("video.mp4", clip, &asked).await;
    let forged = VideoUploaded {
        options: asking(&[("quality", "320k"), ("title", "forged")]),
        ..event
    };
    let ready: Mp3Ready = convert.function.deliver("/", &forged).await.event();
    assert_eq!(ready.title, "video", "what the job is called");
    let mp3 = convert.mp3(ready.mp3_fid).await;
    let frames = Frame::all(&mp3);
    assert!(frames.len() > 50, "{} frames", frames.len());
    let asked = Frame {
        kbit_s: 128,
        rate_hz: 32_000,
        is_mono: true,
    };
    for frame in frames {
        assert_eq!(frame, asked);
    }
    let title: Vec<u8> = "Größe".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let head = &mp3[..200];
    assert!(head.windows(title.len()).any(|part| part == title));
}

#[tokio::test]
async fn a_job_that_another_producers_event_makes_has_the_default_options() {
    let convert = Convert::with(&["--foreign-events"]).await;
    let id = FileId::mint();
    let clip = media::clip(Container::Mp4, 1);
    convert.store_video(id, clip).await;
    let asking = VideoUploaded {
        options: asking(&[("quality", "128k")]),
        ..about(id)
    };
    let ready: Mp3Ready = convert.function.deliver("/", &asking).await.event();
    let options = convert.job(id).await.options;
    assert_eq!(options, Ok(ConversionOptions::default()));
    let mp3 = convert.mp3(ready.mp3_fid).await;
    let frames = Frame::all(&mp3);
    let first = frames[0].kbit_s;
    assert!(frames.iter().any(|frame| frame.kbit_s != first), "VBR");
}

#[tokio::test]
async fn a_record_whose_options_cannot_be_read_fails_its_job_at_once() {
    let convert = Convert::new().await;
    let clip = media::clip(Container::Mp4, 1);
    convert.queue("video.mp4", clip.clone()).await;
    let mut record = convert.store.jobs.export(None, 1).await.unwrap().remove(0);
    let id = FileId::mint();
    record.job.id = id;
    record.job.options = Err(UnreadableOptions("another version".into()));
    convert.store_video(id, clip).await;
    assert!(convert.store.jobs.import(&record).await.unwrap());
    let next = convert.store.jobs.announce_waiting(&kevin(), TURNS).await;
    assert_eq!(next.unwrap().map(|job| job.id), Some(id));
    let failed: JobFailed = convert.function.deliver("/", &about(id)).await.event();
    assert_eq!(failed.problem.code, "not-an-option");
    assert_eq!(convert.job(id).await.problem, Some(failed.problem));
}

/// What the header of an MPEG-1 layer III frame says (ISO 11172-3, 2.4.2.3).
#[derive(Debug, PartialEq)]
struct Frame {
    kbit_s: usize,
    rate_hz: usize,
    is_mono: bool,
}

impl Frame {
    fn all(mp3: &[u8]) -> Vec<Self> {
        assert!(mp3.starts_with(b"ID3"));
        let tag_bytes = mp3[6..10]
            .iter()
            .fold(0, |size, byte| size << 7 | usize::from(*byte));
        let mut rest = &mp3[10 + tag_bytes..];
        let mut frames = Vec::new();
        while let [0xff, 0xfa | 0xfb, third, fourth, ..] = *rest {
            let kbit_s = [
                0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
            ][usize::from(third >> 4)];
            let rate_hz = [44_100, 48_000, 32_000][usize::from(third >> 2 & 3)];
            let padding = usize::from(third >> 1 & 1);
            frames.push(Self {
                kbit_s,
                rate_hz,
                is_mono: fourth >> 6 == 3,
            });
            rest = &rest[144_000 * kbit_s / rate_hz + padding..];
        }
        assert!(rest.is_empty(), "{} bytes are no frames", rest.len());
        frames
    }
}
