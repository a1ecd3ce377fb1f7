//! Files that name other files and addresses: none is opened, nobody is called, and there is a clear code each.
//!
//! That nothing *can* be opened is the box's doing (`sandbox.rs` proves it). Here is a bait: a listener that nobody
//! connects to, and a file that the kernel says nobody has opened.

mod support;

use std::fs;
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use decant_audio::media;
use rustix::fs::inotify;
use rustix::io::Errno;
use support::code;
use support::mp4::{atom, replace};
use tempfile::NamedTempFile;

/// Something to be called and something to be opened.
struct Bait {
    listener: TcpListener,
    port: u16,
    file: NamedTempFile,
    opened: OwnedFd,
}

impl Bait {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a flag");
        let port = listener.local_addr().expect("an address").port();
        // A sound: whoever opened it would find what it looks for.
        let file = NamedTempFile::new().expect("a file");
        let sound = media::sound_with("wav", 1, &["-c:a", "pcm_s16le"]);
        fs::write(file.path(), sound).expect("the sound is written");
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let opened = inotify::init(flags).expect("inotify");
        let flags = inotify::WatchFlags::OPEN | inotify::WatchFlags::ACCESS;
        inotify::add_watch(&opened, file.path(), flags).expect("a watch");
        Self {
            listener,
            port,
            file,
            opened,
        }
    }

    fn path(&self) -> &str {
        self.file.path().to_str().expect("a plain path")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/a.ts", self.port)
    }

    /// The ways to name them.
    fn targets(&self) -> Vec<String> {
        let path = self.path();
        let url = self.url();
        vec![
            url.clone(),
            format!("tcp://127.0.0.1:{}", self.port),
            format!("hls+{url}"),
            path.to_owned(),
            format!("file:{path}"),
            format!("file://{path}"),
            format!("subfile,,start,0,end,100,,:{path}"),
            format!("concat:{path}|{path}"),
            format!("concatf:{path}"),
            format!("crypto:{path}"),
            format!("cache:{path}"),
            format!("async:{path}"),
            "/etc/passwd".to_owned(),
            "file:///etc/passwd".to_owned(),
            "data:audio/wav;base64,UklGRg==".to_owned(),
            "pipe:0".to_owned(),
            "fd:0".to_owned(),
        ]
    }

    #[track_caller]
    fn assert_untouched(&self, name: &str) {
        let called = self.listener.accept().map(|(_, caller)| caller);
        let nobody = |error: &std::io::Error| error.kind() == ErrorKind::WouldBlock;
        assert!(called.as_ref().is_err_and(nobody), "{name}: {called:?}");
        let mut room = [MaybeUninit::uninit(); 512];
        let mut events = inotify::Reader::new(&self.opened, &mut room);
        match events.next() {
            Err(Errno::WOULDBLOCK) => {}
            event => panic!("{name}: {event:?}"),
        }
    }
}

#[test]
fn whoever_takes_the_bait_is_noticed() {
    let bait = Bait::new();
    bait.assert_untouched("nobody");
    let notices = || catch_unwind(AssertUnwindSafe(|| bait.assert_untouched("a test"))).is_err();
    let _caller = TcpStream::connect(("127.0.0.1", bait.port)).expect("it listens");
    assert!(notices(), "a call");
    fs::File::open(bait.path()).expect("it is there");
    assert!(notices(), "an opening");
}

#[test]
fn playlists_and_scripts_lead_nowhere() {
    let bait = Bait::new();
    for target in bait.targets() {
        for (name, file) in scripts(&target, bait.port) {
            assert_eq!(code(file.into_bytes()), "unreadable", "{name} to {target}");
            bait.assert_untouched(&format!("{name} to {target}"));
        }
    }
}

/// Files of text that would have this target opened.
fn scripts(target: &str, port: u16) -> [(&'static str, String); 10] {
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n";
    let dash = |what: &str| {
        format!(
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period><AdaptationSet \
             mimeType=\"audio/mp4\"><Representation id=\"1\">{what}</Representation></AdaptationSet></Period></MPD>"
        )
    };
    [
        (
            "hls",
            format!("{list}#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"),
        ),
        (
            "hls key",
            format!("{list}#EXT-X-KEY:METHOD=AES-128,URI=\"{target}\"\n#EXTINF:9,\n{target}\n"),
        ),
        (
            "hls map",
            format!("{list}#EXT-X-MAP:URI=\"{target}\"\n#EXTINF:9,\n{target}\n"),
        ),
        (
            "hls master",
            format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n"),
        ),
        (
            "ffconcat",
            format!("ffconcat version 1.0\nfile '{target}'\n"),
        ),
        ("dash", dash(&format!("<BaseURL>{target}</BaseURL>"))),
        (
            "dash list",
            dash(&format!(
                "<SegmentList><Initialization sourceURL=\"{target}\"/><SegmentURL media=\"{target}\"/></SegmentList>"
            )),
        ),
        (
            "sdp",
            format!(
                "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\na={target}\n"
            ),
        ),
        (
            "asx",
            format!("<asx version=\"3.0\"><entry><ref href=\"{target}\"/></entry></asx>"),
        ),
        ("bare", target.to_owned()),
    ]
}

/// A sound whose bytes are said to be in another file.
#[test]
fn a_mov_whose_sound_is_elsewhere_is_not_followed() {
    let bait = Bait::new();
    let plain = media::sound_with("mov", 1, &["-c:a", "pcm_s16le"]);
    for (kind, target) in [
        (b"url ", "file:///etc/passwd".to_owned()),
        (b"url ", format!("file://{}", bait.path())),
        (b"url ", bait.url()),
        (b"alis", "/etc/passwd".to_owned()),
        (b"alis", bait.path().to_owned()),
        (b"alis", bait.url()),
    ] {
        // Version and flags: zeros mean that the data is not in this file.
        let reference = match kind {
            b"url " => atom(kind, &[&[0; 4], target.as_bytes(), &[0]].concat()),
            _ => atom(kind, &[&[0; 4], alias(&target).as_slice()].concat()),
        };
        let data = atom(
            b"dref",
            &[&[0, 0, 0, 0, 0, 0, 0, 1], reference.as_slice()].concat(),
        );
        let mut file = plain.clone();
        replace(
            &mut file,
            &[b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"],
            &data,
        );
        let code = code(file);
        // The offsets also hold for this file, where FFmpeg then finds the sound; with an alias it gives up.
        let expected = match kind {
            b"url " => "converted",
            _ => "no-audio",
        };
        assert_eq!(code, expected, "{target}");
        bait.assert_untouched(&target);
    }
}

/// What FFmpeg reads of a Macintosh alias record: volume, name, and a path in a field of kind 2.
fn alias(path: &str) -> Vec<u8> {
    let mut record = vec![0; 150];
    record[10] = 4;
    record[11..15].copy_from_slice(b"disk");
    record[50] = 6;
    record[51..57].copy_from_slice(b"passwd");
    record.extend([0, 2]);
    record.extend((path.len() as u16).to_be_bytes());
    record.extend(path.as_bytes());
    record.extend([0xFF, 0xFF, 0, 0]);
    record
}
