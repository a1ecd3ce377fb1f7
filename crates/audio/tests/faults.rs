//! Readers and writers that fail, and how far a conversion says it is.

mod support;

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::time::Duration;

use decant_audio::media::{self, Container};
use decant_audio::{Error, Options, convert};
use support::{Full, decoder, mp3_of};

/// Fails when it is asked for the byte at `fails_at`, or ends there without a word.
struct Faulty {
    file: Cursor<Vec<u8>>,
    fails_at: u64,
    silently: bool,
}

impl Read for Faulty {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.fails_at.saturating_sub(self.file.position());
        match left.min(buffer.len() as u64) as usize {
            0 if self.silently => Ok(0),
            0 => Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "the store went away",
            )),
            wanted => self.file.read(&mut buffer[..wanted]),
        }
    }
}

impl Seek for Faulty {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_failing_input_never_looks_like_a_shorter_file() {
    for container in Container::ALL {
        let file = media::clip(container, 2);
        for tenth in 0..10 {
            for silently in [false, true] {
                let fails_at = file.len() as u64 * tenth / 10;
                let input = Faulty {
                    file: Cursor::new(file.clone()),
                    fails_at,
                    silently,
                };
                let result = convert(
                    input,
                    &decoder(),
                    &Options::default(),
                    &mut io::sink(),
                    &mut |_| {},
                );
                let Err(Error::Input(error)) = result else {
                    panic!("{container:?} at {fails_at}: {result:?}")
                };
                let expected = if silently {
                    io::ErrorKind::UnexpectedEof
                } else {
                    io::ErrorKind::ConnectionReset
                };
                assert_eq!(error.kind(), expected);
            }
        }
    }
}

#[test]
fn an_input_fault_is_no_fault_of_the_file() {
    let input = Faulty {
        file: Cursor::new(media::clip(Container::Mp4, 1)),
        fails_at: 0,
        silently: false,
    };
    let error = convert(
        input,
        &decoder(),
        &Options::default(),
        &mut io::sink(),
        &mut |_| {},
    )
    .expect_err("it fails");
    assert!(!error.is_hopeless());
    assert_eq!(error.code(), "input-failed");
}

/// Reads one byte, fails with `Interrupted`, and so on.
struct Stuttering(Cursor<Vec<u8>>, bool);

impl Read for Stuttering {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let wanted = buffer.len().min(7);
        self.0.read(&mut buffer[..wanted])
    }
}

impl Seek for Stuttering {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_stuttering_input_gives_the_same_mp3() {
    let video = media::clip(Container::Mkv, 1);
    let (smooth, _) = mp3_of(video.clone()).expect("it converts");
    let stuttering = Stuttering(Cursor::new(video), false);
    let mp3 = convert(
        stuttering,
        &decoder(),
        &support::titled("A clip"),
        &mut io::sink(),
        &mut |_| {},
    )
    .expect("it converts");
    assert_eq!(mp3.head, smooth.head); // which holds a checksum of all the rest
}

#[test]
fn a_failing_output_is_reported_with_its_own_error() {
    let video = media::clip(Container::Mp4, 2);
    for room in [0, 1, 10_000] {
        let result = convert(
            Cursor::new(video.clone()),
            &decoder(),
            &Options::default(),
            &mut Full(room),
            &mut |_| {},
        );
        let Err(Error::Output(error)) = result else {
            panic!("{result:?}")
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn a_fault_between_segments_is_reported_with_its_own_error() {
    let sound = media::sound_with("wav", 90, &[]);
    let options = Options {
        encoders: NonZeroUsize::new(3),
        ..Options::default()
    };
    let input = Faulty {
        fails_at: sound.len() as u64 * 2 / 3,
        file: Cursor::new(sound.clone()),
        silently: false,
    };
    let result = convert(input, &decoder(), &options, &mut io::sink(), &mut |_| {});
    let Err(Error::Input(error)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

    let result = convert(
        Cursor::new(sound),
        &decoder(),
        &options,
        &mut Full(500_000),
        &mut |_| {},
    );
    let Err(Error::Output(error)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn progress_of_many_encoders_never_goes_back_and_ends_at_the_duration() {
    let mut seen = Vec::new();
    let options = Options {
        encoders: NonZeroUsize::new(3),
        ..Options::default()
    };
    let mp3 = convert(
        Cursor::new(media::sound_with("wav", 90, &[])),
        &decoder(),
        &options,
        &mut io::sink(),
        &mut |progress| seen.push(progress.position),
    )
    .expect("it converts");
    assert!(seen.len() >= 3 && seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.last(), Some(&mp3.duration));
}

#[test]
fn progress_is_known_also_where_no_container_says_how_long_it_is() {
    let ts = media::sound_with("ts", 90, &["-c:a", "mp2", "-b:a", "320k"]);
    let flags = ["-c:a", "aac", "-b:a", "256k", "-frag_duration", "1000000"];
    let fragmented = ["-movflags", "empty_moov"];
    let mp4 = media::sound_with("mp4", 90, &[&flags[..], &fragmented].concat());
    let copied = media::sound_with("ts", 90, &["-c:a", "libmp3lame", "-b:a", "320k"]);
    for (what, file) in [("TS", ts), ("fragments", mp4), ("a copy", copied)] {
        let mut seen = Vec::new();
        let mp3 = convert(
            Cursor::new(file),
            &decoder(),
            &Options::default(),
            &mut io::sink(),
            &mut |progress| seen.push(progress),
        )
        .expect("it converts");
        let parts: Vec<_> = seen
            .iter()
            .map(|now| {
                let duration = now.duration.expect("a guess");
                now.position.as_secs_f64() / duration.as_secs_f64()
            })
            .collect();
        let rounded: Vec<_> = parts.iter().map(|part| (part * 1e6).round()).collect();
        assert!(parts.len() >= 3 && rounded.is_sorted(), "{what}: {parts:?}");
        for (now, part) in seen.iter().zip(&parts) {
            let right = now.position.as_secs_f64() / mp3.duration.as_secs_f64();
            assert!((right - part).abs() < 0.15, "{what}: {part} at {right}");
        }
        assert_eq!(rounded.last(), Some(&1e6), "{what}");
    }
}

#[test]
fn progress_never_goes_back_and_ends_at_the_duration() {
    for container in Container::ALL {
        let mut seen = Vec::new();
        let video = Cursor::new(media::clip(container, 5));
        let mp3 = convert(
            video,
            &decoder(),
            &Options::default(),
            &mut io::sink(),
            &mut |progress| seen.push(progress),
        )
        .expect("it converts");
        assert!(seen.len() >= 4, "{container:?}: {seen:?}");
        assert!(
            seen.is_sorted_by_key(|progress| progress.position),
            "{container:?}: {seen:?}"
        );
        let last = seen[seen.len() - 1];
        assert_eq!(last.position, mp3.duration);
        let duration = last.duration.expect("the container says it");
        assert!(
            duration.abs_diff(mp3.duration) < Duration::from_millis(100),
            "{container:?}: {last:?}"
        );
    }
}
