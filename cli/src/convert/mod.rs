//! An MP3 of a local file, made by the engine that the functions have.

mod bar;
mod output;

use crate::{
    failure::{EXIT_STATUS, Failure},
    source::{Source, is_standard},
    wishes::Wishes,
};
use bar::Bar;
use clap::builder::{PathBufValueParser, TypedValueParser};
use decant_audio::{Cover, Error, Mp3, Options};
use decant_convert::engine_options;
use output::Output;
use serde_json::json;
use std::{
    fs,
    io::{self, Write},
    num::NonZeroUsize,
    path::PathBuf,
    pin::pin,
    process::{self, ExitCode},
    time::Instant,
};
use tokio::signal::unix::{SignalKind, signal};

/// Turn a local video or sound file into an MP3.
///
/// What the file says of itself (title, artist, cover, chapters) goes into the MP3, unless a flag says otherwise. A sound track
/// that is MP3 already is copied as it is, unless a flag asks for a change: a quality (v2 too, if it is named), a part of it, a
/// fade, a loudness, or a sample rate or channels that it doesn't have.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Where the MP3 goes, or - for standard output. It appears when it is whole
    #[arg(value_name = "OUT.mp3")]
    output: PathBuf,
    /// Overwrite OUT.mp3 if it is there
    #[arg(long)]
    force: bool,
    /// Print one JSON object at the end, for scripts; on standard error if the MP3 goes to standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    wishes: Wishes,
    /// Instead of the file's own: a JPEG or PNG file of at most 192 KiB
    #[arg(long, value_name = "FILE", help_heading = "How the MP3 should be", value_parser = PathBufValueParser::new().try_map(cover))]
    cover: Option<Cover>,
    /// How many threads encode; by default as many as there are cores. The MP3 is the same for any number
    #[arg(long, value_name = "NUMBER", help_heading = "How the MP3 should be")]
    encoders: Option<NonZeroUsize>,
}

/// Converts until it is done, or a signal comes. Leaves nothing half-written behind.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let began = Instant::now();
    let (json, path) = (arguments.json, arguments.output.clone());
    let mut to: Box<dyn Write> = if is_standard(&path) {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    };
    let mp3 = match convert(arguments).await {
        Ok(mp3) => mp3,
        Err(failure) => return failure.report(json, &mut to),
    };
    if json {
        let made = json!({
            "output": path.to_string_lossy(),
            "duration_seconds": mp3.duration.as_secs_f64(),
            "size_bytes": mp3.size_bytes,
            "sample_rate_hz": mp3.sample_rate_hz,
            "channels": mp3.channels,
            "elapsed_seconds": began.elapsed().as_secs_f64(),
        });
        let _reader_went = writeln!(to, "{made}");
    }
    ExitCode::SUCCESS
}

async fn convert(arguments: Arguments) -> Result<Mp3, Failure> {
    // Before there is anything that a signal could leave behind.
    let mut interrupted = pin!(interrupted().map_err(engine)?);
    let source = arguments.source;
    let decoder = source.decoder();
    let options = Options {
        encoders: arguments.encoders,
        ..engine_options(&arguments.wishes.asked()?, source.title(), arguments.cover)
    };
    // A named pipe is open only when somebody writes to it.
    let input = unless(&mut interrupted, move || source.open()).await?;
    let (mut file, output) = Output::create(&arguments.output, arguments.force)?;
    let bar = Bar::new();
    let shown = bar.clone();
    let mut work = tokio::task::spawn_blocking(move || {
        let input = match options.loudness {
            Some(_) => input.spooled().map_err(Error::Input)?,
            None => input,
        };
        let mut show = |now| shown.show(now);
        decant_audio::convert(input, &decoder, &options, &mut file, &mut show)
            .map(|mp3| (mp3, file))
    });
    tokio::select! {
        done = &mut work => {
            bar.clear();
            let (mp3, file) = done.map_err(engine)??;
            let finish = move || output.finish(file, &mp3.head).map(|()| mp3);
            if is_standard(&arguments.output) {
                unless(&mut interrupted, finish).await // who reads it may take time
            } else {
                finish()
            }
        }
        status = &mut interrupted => {
            bar.clear();
            // The decoder ends with this process; a read from a pipe would end never.
            drop(output);
            process::exit(status)
        }
    }
}

fn cover(path: PathBuf) -> Result<Cover, String> {
    let bytes = fs::read(&path).map_err(|error| error.to_string())?;
    Cover::try_from(bytes).map_err(|error| error.to_string())
}

/// What comes of work that may have to wait for somebody else, unless a signal ends the program before.
async fn unless<T: Send + 'static>(
    interrupted: &mut (impl Future<Output = i32> + Unpin),
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => done.map_err(engine)?,
        status = interrupted => process::exit(status),
    }
}

fn engine(error: impl ToString) -> Failure {
    Error::Engine(error.to_string()).into()
}

/// Ctrl-C, the end of the terminal or SIGTERM, and the status that shells give to what ends by it.
fn interrupted() -> io::Result<impl Future<Output = i32>> {
    let mut hung_up = signal(SignalKind::hangup())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        let kind = tokio::select! {
            _ = hung_up.recv() => SignalKind::hangup(),
            _ = interrupted.recv() => SignalKind::interrupt(),
            _ = terminated.recv() => SignalKind::terminate(),
        };
        128 + kind.as_raw_value()
    })
}
