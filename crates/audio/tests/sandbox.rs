//! The box around the decoder: what is in it, that it is tried, and that nothing comes out of it that isn't sound.

mod support;

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use decant_audio::media::{self, Container};
use decant_audio::{Decoder, Error, Missing, Options, Stop, convert};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use support::decoder;
use support::stand_in::{StandIn, found, message, pcm, read};

/// The children of this thread, zombies too.
fn children() -> Vec<PathBuf> {
    let children = fs::read_to_string("/proc/thread-self/children").expect("Linux");
    let paths = children
        .split_whitespace()
        .map(|pid| Path::new("/proc").join(pid));
    paths.collect()
}

/// Runs `look` with the decoder's folder in /proc when it asks for its first byte.
struct Watched<F: FnMut(&Path)> {
    file: Cursor<Vec<u8>>,
    look: F,
    has_looked: bool,
}

impl<F: FnMut(&Path)> Read for Watched<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let ([decoder], false) = (children().as_slice(), self.has_looked) {
            self.has_looked = true;
            (self.look)(decoder);
        }
        self.file.read(buffer)
    }
}

impl<F: FnMut(&Path)> Seek for Watched<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn watch(look: impl FnMut(&Path)) {
    let mut input = Watched {
        file: Cursor::new(media::clip(Container::Mp4, 1)),
        look,
        has_looked: false,
    };
    convert(
        &mut input,
        &decoder(),
        &Options::default(),
        &mut io::sink(),
        &mut |_| {},
    )
    .expect("it converts");
    assert!(input.has_looked);
    assert!(children().is_empty(), "{:?}", children());
}

#[test]
fn the_box_holds_here_and_the_kernel_lacks_nothing_for_it() {
    let missing = decoder().check().expect("it holds");
    assert!(missing.is_nothing(), "this kernel lacks {missing}");
}

/// Checks the box on a kernel that doesn't have these system calls.
fn check_without(calls: &[i64]) -> Result<Missing, Error> {
    let calls = calls.iter().map(|call| (*call, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into().expect("a known one");
    let absent = SeccompAction::Errno(libc::ENOSYS as u32);
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, absent, architecture);
    let program: BpfProgram = filter.expect("a filter").try_into().expect("a program");
    // A filter belongs to its thread, and to the processes that it starts.
    let checked = thread::spawn(move || {
        seccompiler::apply_filter(&program).expect("a filter");
        decoder().check()
    });
    checked.join().expect("it ends")
}

#[test]
fn where_the_kernel_lacks_a_part_of_the_box_the_rest_stands_and_without_both_it_does_not_hold() {
    let landlock = libc::SYS_landlock_create_ruleset;
    let missing = check_without(&[landlock]).expect("it holds");
    assert_eq!(missing.to_string(), "landlock");
    let missing = check_without(&[libc::SYS_seccomp]).expect("it holds");
    assert_eq!(missing.to_string(), "seccomp");
    let nothing = check_without(&[libc::SYS_close_range]).expect("it holds");
    assert!(nothing.is_nothing());
    let neither = check_without(&[landlock, libc::SYS_seccomp]);
    assert!(matches!(neither, Err(Error::Unconfined(_))), "{neither:?}");
}

#[test]
fn a_decoder_without_its_box_is_found_out() {
    let program = Path::new(env!("CARGO_BIN_EXE_decant-decode")).with_file_name("examples/unboxed");
    let unboxed = Decoder::new(&program);
    let Err(Error::Unconfined(reason)) = unboxed.check() else {
        panic!(
            "is {} built? `cargo test -p decant-audio` builds it",
            program.display()
        )
    };
    for possible in [
        "a program can be started",
        "a file can be opened",
        "a network socket can be opened",
        "a local socket can be opened",
    ] {
        assert!(reason.contains(possible), "{reason}");
    }
    let made = convert(
        Cursor::new(vec![1]),
        &unboxed,
        &Options::default(),
        &mut io::sink(),
        &mut |_| {},
    );
    assert!(matches!(made, Err(Error::Unconfined(_))), "{made:?}");
}

#[test]
fn the_decoder_has_its_two_pipes_and_no_other_descriptor_whatever_its_parent_leaks() {
    let leaked = fs::File::open("/dev/null").expect("a file");
    rustix::io::fcntl_setfd(leaked.as_fd(), rustix::io::FdFlags::empty()).expect("a leak");
    watch(|decoder| {
        let folder = fs::read_dir(decoder.join("fd")).expect("the parent may look");
        let mut open: Vec<_> = folder
            .map(|entry| entry.expect("an entry").path())
            .map(|path| {
                let target = fs::read_link(&path).expect("a link");
                let name = path.file_name().expect("a number").to_owned();
                (
                    name.into_string().expect("digits"),
                    target.to_string_lossy().into_owned(),
                )
            })
            .collect();
        open.sort();
        let names: Vec<_> = open.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["0", "1"], "{open:?}");
        assert!(
            open.iter().all(|(_, target)| target.starts_with("pipe:")),
            "{open:?}"
        );
    });
}

#[test]
fn the_decoder_is_one_thread_without_environment_privileges_or_room() {
    watch(|decoder| {
        let status = fs::read_to_string(decoder.join("status")).expect("a status");
        for line in ["Threads:\t1", "NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(status.contains(line), "{status}");
        }
        assert_eq!(fs::read(decoder.join("environ")).expect("readable"), b"");
        let limits = fs::read_to_string(decoder.join("limits")).expect("limits");
        for (name, limit) in [
            ("Max address space", "536870912"),
            ("Max cpu time", "300"),
            ("Max file size", "0"),
            ("Max open files", "0"),
            ("Max processes", "0"),
            ("Max core file size", "0"),
        ] {
            let line = limits.lines().find_map(|line| line.strip_prefix(name));
            let words = line.expect(name).split_whitespace().next();
            assert_eq!(words, Some(limit), "{name}");
        }
    });
}

#[test]
fn whatever_becomes_of_a_decoder_there_is_an_error_with_its_code_in_time_and_no_process_is_left() {
    let half = [0.5; 100];
    let nonsense = |bytes: &[u8]| StandIn::saying(bytes, "exec sleep 600");
    let sound = [found(8000, 1), pcm(&half)].concat();
    for (name, stand_in, code) in [
        ("fault", StandIn::new("kill -SEGV $$"), "decoder-crashed"),
        ("abort", StandIn::new("kill -ABRT $$"), "decoder-crashed"),
        (
            "refused call",
            StandIn::new("kill -SYS $$"),
            "decoder-crashed",
        ),
        ("panic", StandIn::new("exit 101"), "decoder-crashed"),
        (
            "early end",
            StandIn::saying(&[], "exit 0"),
            "decoder-crashed",
        ),
        (
            "end in sound",
            StandIn::saying(&sound, "exit 0"),
            "decoder-crashed",
        ),
        ("cpu limit", StandIn::new("kill -XCPU $$"), "too-much-work"),
        ("killed", StandIn::new("kill -KILL $$"), "decoder-killed"),
        (
            "killed in sound",
            StandIn::saying(&sound, "kill -KILL $$"),
            "decoder-killed",
        ),
        (
            "hang at start",
            StandIn::new("exec sleep 600"),
            "decoder-stalled",
        ),
        ("hang in sound", nonsense(&sound), "decoder-stalled"),
        (
            "hang in a message",
            nonsense(&[5, 0, 1, 0, 0, 1]),
            "decoder-stalled",
        ),
        (
            "closed pipe",
            StandIn::new("exec >&- sleep 600"),
            "decoder-crashed",
        ),
        (
            "deaf",
            nonsense(&read(0, 1000).repeat(100)),
            "decoder-stalled",
        ),
        (
            "huge message",
            nonsense(&[5, 0xFF, 0xFF, 0xFF, 0xFF]),
            "decoder-crashed",
        ),
        (
            "unknown message",
            nonsense(&message(99, &[])),
            "decoder-crashed",
        ),
        (
            "short message",
            nonsense(&message(3, &[1])),
            "decoder-crashed",
        ),
        (
            "long message",
            nonsense(&message(6, &[1])),
            "decoder-crashed",
        ),
        ("second box", nonsense(&message(1, &[0])), "decoder-crashed"),
        ("read of nothing", nonsense(&read(0, 0)), "decoder-crashed"),
        (
            "read of too much",
            nonsense(&read(0, 1 << 20)),
            "decoder-crashed",
        ),
        (
            "read beyond the end",
            nonsense(&read(1000, 1)),
            "decoder-crashed",
        ),
        (
            "read over the end",
            nonsense(&read(999, 2)),
            "decoder-crashed",
        ),
        (
            "read around the end",
            nonsense(&read(u64::MAX, 2)),
            "decoder-crashed",
        ),
        ("odd rate", nonsense(&found(44_101, 2)), "decoder-crashed"),
        ("no channel", nonsense(&found(44_100, 0)), "decoder-crashed"),
        (
            "three channels",
            nonsense(&found(44_100, 3)),
            "decoder-crashed",
        ),
        (
            "two sounds",
            nonsense(&[found(8000, 1), found(8000, 1)].concat()),
            "decoder-crashed",
        ),
        (
            "sound out of turn",
            nonsense(&pcm(&half)),
            "decoder-crashed",
        ),
        (
            "end out of turn",
            nonsense(&message(6, &[])),
            "decoder-crashed",
        ),
        (
            "no samples",
            nonsense(&[found(8000, 1), pcm(&[])].concat()),
            "decoder-crashed",
        ),
        (
            "half a pair",
            nonsense(&[found(8000, 2), pcm(&[0.0; 3])].concat()),
            "decoder-crashed",
        ),
        (
            "no number",
            nonsense(&[found(8000, 1), pcm(&[f32::NAN])].concat()),
            "decoder-crashed",
        ),
        (
            "infinite",
            nonsense(&[found(8000, 1), pcm(&[f32::NEG_INFINITY])].concat()),
            "decoder-crashed",
        ),
        (
            "too loud",
            nonsense(&[found(8000, 1), pcm(&[2.1])].concat()),
            "decoder-crashed",
        ),
        (
            "unknown error",
            nonsense(&message(7, &[77, 0, 0, 0, 0])),
            "decoder-crashed",
        ),
        (
            "known error",
            nonsense(&message(7, &[1, 0, 0, 0, 0])),
            "no-audio",
        ),
    ] {
        let began = Instant::now();
        let error = stand_in.convert().expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error:?}");
        assert_eq!(error.is_hopeless(), code != "decoder-killed", "{name}");
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{name}: {:?}",
            began.elapsed()
        );
        assert!(children().is_empty(), "{name}");
    }
}

#[test]
fn sound_without_end_is_ended_at_the_limit() {
    let endless = [found(8000, 1), pcm(&[0.0; 16_000])].concat();
    let mut stand_in = StandIn::saying(&endless, "while :; do tail -c 64005 \"$here/said\"; done");
    stand_in.decoder.limits.sound = Duration::from_secs(60);
    let error = stand_in.convert().expect_err("it ends");
    assert_eq!(error.code(), "too-much-sound");
    assert!(error.to_string().contains("1 minutes"), "{error}");
}

#[test]
fn what_a_decoder_writes_into_a_sentence_for_people_is_not_believed() {
    let words = b"\x03\0\0\0\0<a href='http://evil'>click</a>\n\xF0\x9F\x8E\xB5";
    let error = StandIn::saying(&message(7, words), "")
        .convert()
        .expect_err("it fails");
    let Error::UnsupportedCodec { codec } = error else {
        panic!("{error:?}")
    };
    assert_eq!(codec, "a hrefhttpevilclicka");
}

#[test]
fn a_stop_ends_a_conversion_that_waits_for_its_decoder() {
    let mut stand_in = StandIn::new("touch \"$here/started\"; exec sleep 600");
    stand_in.decoder.limits.silence = Duration::from_secs(60);
    let started = stand_in.file("started");
    let stop = Stop::new().expect("a stop");
    stand_in.decoder.stop = Some(stop.clone());
    let stopper = thread::spawn(move || {
        let began = Instant::now();
        while !started.exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "no decoder");
            thread::yield_now();
        }
        stop.stop();
        Instant::now()
    });
    assert!(matches!(stand_in.convert(), Err(Error::Stopped)));
    let stopped = stopper.join().expect("it ends");
    assert!(stopped.elapsed() < Duration::from_secs(5));
    assert!(children().is_empty());
    assert!(
        matches!(stand_in.convert(), Err(Error::Stopped)),
        "it stays stopped"
    );
}

#[test]
fn a_decoder_ends_with_its_parent() {
    // The parent stays in the decoder's first read, and is killed there.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid = folder.path().join("pid");
    let mut parent = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "parent", "--nocapture"])
        .env("DECANT_TEST_PID", &pid)
        .stdout(Stdio::null())
        .spawn()
        .expect("this test runs");
    let began = Instant::now();
    let decoder = loop {
        match fs::read_to_string(&pid) {
            Ok(pid) if !pid.is_empty() => break Path::new("/proc").join(pid),
            _ => assert!(began.elapsed() < Duration::from_secs(30), "no decoder"),
        }
        thread::yield_now();
    };
    assert!(decoder.exists());
    parent.kill().expect("it runs");
    assert_eq!(parent.wait().expect("it ends").signal(), Some(9));
    let is_gone = || {
        // It may be a zombie for a while, if nobody reaps orphans here.
        let status = fs::read_to_string(decoder.join("status")).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    };
    let began = Instant::now();
    while !is_gone() {
        assert!(began.elapsed() < Duration::from_secs(10), "it lives on");
        thread::yield_now();
    }
}

/// The other half of the test above.
#[test]
fn parent() {
    let Some(path) = std::env::var_os("DECANT_TEST_PID") else {
        return;
    };
    watch(|decoder| {
        let pid = decoder.file_name().expect("a number").as_encoded_bytes();
        let new = Path::new(&path).with_extension("new");
        fs::write(&new, pid).expect("the pid is written");
        fs::rename(&new, &path).expect("at once");
        thread::sleep(Duration::from_secs(60));
    });
}
