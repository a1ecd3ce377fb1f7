//! `cargo run --release -p decant-audio --example convert -- video.mp4 sound.mp3 [quality] [encoders] [LUFS]`

use std::fs::File;
use std::io::{Seek, Write};

use decant_audio::{Decoder, Loudness, Options, Quality, convert};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(video), Some(mp3)) = (arguments.next(), arguments.next()) else {
        return Err("usage: convert VIDEO MP3 [QUALITY] [ENCODERS] [LUFS]".into());
    };
    // In target/release; this lies in target/release/examples.
    let program = std::env::current_exe()?;
    let folder = program.ancestors().nth(2).ok_or("no folder")?;
    let decoder = Decoder::new(folder.join("decant-decode"));
    let options = Options {
        title: Some(video.clone()),
        quality: arguments.next().map(|name| quality(&name)).transpose()?,
        encoders: arguments.next().map(|number| number.parse()).transpose()?,
        loudness: match arguments.next() {
            Some(number) => Some(Loudness {
                target_lufs: number.parse()?,
                ..Loudness::default()
            }),
            None => None,
        },
        ..Options::default()
    };
    let mut output = File::create(&mp3)?;
    let made = convert(
        File::open(&video)?,
        &decoder,
        &options,
        &mut output,
        &mut |progress| {
            eprint!("\r{:>8.1?} of {:?}", progress.position, progress.duration);
        },
    )?;
    output.rewind()?;
    output.write_all(&made.head)?;
    eprintln!("\n{mp3}: {:?}, {} bytes", made.duration, made.size_bytes);
    Ok(())
}

fn quality(name: &str) -> Result<Quality, String> {
    let mut named = Quality::ALL
        .into_iter()
        .filter(|quality| quality.name() == name);
    named
        .next()
        .ok_or_else(|| format!("no such quality: {name}"))
}
