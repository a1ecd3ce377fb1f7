//! What the tests share: a conversion in memory, and judges of MP3s that share no code with FFmpeg or LAME.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

pub mod counting;
pub mod flac;
pub mod kit;
pub mod mp4;
pub mod stand_in;
pub mod wav;

use std::io::{self, Cursor, Write};
use std::path::PathBuf;
use std::process::Command;

use decant_audio::{Decoder, Error, Limits, Mp3, Options, convert};
use symphonia::core::codecs::Decoder as _;
use symphonia::core::codecs::DecoderOptions;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::codecs::MpaDecoder;
use symphonia::default::formats::MpaReader;

/// Converts with a title, without which mp3val warns, and puts the head in its place.
pub fn mp3_of(video: Vec<u8>) -> Result<(Mp3, Vec<u8>), Error> {
    mp3_with(video, &titled("A clip"))
}

/// The real one.
pub fn decoder() -> Decoder {
    Decoder::new(env!("CARGO_BIN_EXE_decant-decode"))
}

/// What becomes of a file under these limits.
pub fn convert_within(limits: Limits, file: Vec<u8>) -> Result<Mp3, Error> {
    let decoder = Decoder {
        limits,
        ..decoder()
    };
    convert(
        Cursor::new(file),
        &decoder,
        &Options::default(),
        &mut io::sink(),
        &mut |_| {},
    )
}

/// "converted", or the code of the error, which has to be the file's fault.
pub fn code(file: Vec<u8>) -> &'static str {
    match mp3_of(file) {
        Ok(_) => "converted",
        Err(error) => {
            assert!(error.is_hopeless(), "{error:?}");
            error.code()
        }
    }
}

pub fn titled(title: &str) -> Options {
    Options {
        title: Some(title.to_owned()),
        ..Options::default()
    }
}

pub fn mp3_with(video: Vec<u8>, options: &Options) -> Result<(Mp3, Vec<u8>), Error> {
    let mut file = Vec::new();
    let mp3 = convert(
        Cursor::new(video),
        &decoder(),
        options,
        &mut file,
        &mut |_| {},
    )?;
    assert_eq!(file.len() as u64, mp3.size_bytes);
    file[..mp3.head.len()].copy_from_slice(&mp3.head);
    Ok((mp3, file))
}

/// Takes some bytes, then is full.
pub struct Full(pub usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the store is full",
            ));
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ten minutes with everything in it: music and effects, loud and quiet, fades and silence.
pub fn film() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| {
        let home = std::env::var_os("HOME").expect("a home folder");
        PathBuf::from(home).join(".cache")
    });
    let film = cache.join("decant/bbb.mp4");
    assert!(
        film.exists(),
        "no film for this test: run scripts/film once"
    );
    film
}

/// The sound of an MP3: left, right (empty in mono), and its rate, decoded by Symphonia without the encoder's padding.
pub struct Heard {
    pub left: Vec<f32>,
    pub right: Vec<f32>,
    pub rate_hz: u32,
}

impl Heard {
    pub fn seconds(&self) -> f64 {
        self.left.len() as f64 / f64::from(self.rate_hz)
    }

    /// How strong a tone is in a channel, from 0 to 1.
    pub fn tone(&self, channel: &[f32], hz: f64) -> f64 {
        let step = 2.0 * std::f64::consts::PI * hz / f64::from(self.rate_hz);
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (n, &sample) in channel.iter().enumerate() {
            sine += f64::from(sample) * (step * n as f64).sin();
            cosine += f64::from(sample) * (step * n as f64).cos();
        }
        sine.hypot(cosine) * 2.0 / channel.len() as f64
    }
}

pub fn hear(mp3: &[u8]) -> Heard {
    let source = MediaSourceStream::new(Box::new(Cursor::new(mp3.to_vec())), Default::default());
    let options = FormatOptions {
        enable_gapless: true,
        ..FormatOptions::default()
    };
    let mut reader = MpaReader::try_new(source, &options).expect("Symphonia reads the MP3");
    let parameters = reader.tracks()[0].codec_params.clone();
    let mut decoder =
        MpaDecoder::try_new(&parameters, &DecoderOptions::default()).expect("an MP3 decoder");
    let mut heard = Heard {
        left: vec![],
        right: vec![],
        rate_hz: parameters.sample_rate.expect("a rate"),
    };
    while let Ok(packet) = reader.next_packet() {
        let mut buffer = decoder
            .decode(&packet)
            .expect("Symphonia decodes every frame")
            .make_equivalent::<f32>();
        decoder.last_decoded().convert(&mut buffer);
        let planes = buffer.planes();
        let planes = planes.planes();
        heard.left.extend_from_slice(planes[0]);
        if let Some(right) = planes.get(1) {
            heard.right.extend_from_slice(right);
        }
    }
    heard
}

/// Fails unless mp3val finds nothing to warn of and mpg123 decodes without a word.
pub fn assert_valid(mp3: &[u8]) {
    let mut file = tempfile::Builder::new()
        .suffix(".mp3")
        .tempfile()
        .expect("a temporary file");
    file.write_all(mp3).expect("the MP3 is written");

    let mp3val = Command::new("mp3val")
        .arg(file.path())
        .output()
        .expect("mp3val runs: apt-get install mp3val");
    let report = String::from_utf8_lossy(&mp3val.stdout);
    assert!(
        report.contains("INFO:") && !report.contains("WARNING") && !report.contains("ERROR"),
        "mp3val: {report}"
    );

    let mpg123 = Command::new("mpg123")
        .args(["-q", "-t"])
        .arg(file.path())
        .output()
        .expect("mpg123 runs");
    let complaints = String::from_utf8_lossy(&mpg123.stderr);
    assert!(
        mpg123.status.success() && complaints.trim().is_empty(),
        "mpg123: {complaints}"
    );
}

/// The lengths agree within 50 ms: the container's rounding, and what decoders disagree about at the ends.
pub fn assert_same_length(seconds: f64, expected: f64) {
    assert!(
        (seconds - expected).abs() < 0.05,
        "{seconds} s instead of {expected} s"
    );
}
