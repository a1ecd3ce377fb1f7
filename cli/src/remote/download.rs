use super::{
    Where,
    job::Job,
    server::{Server, refusal, segment, unreachable},
};
use crate::failure::Failure;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest_tls::{Method, Response, StatusCode, header};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How long nothing may come, the pause after a connection that broke, and how often one may break without a byte.
const SILENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: u32 = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The jobs' ids
    #[arg(required = true)]
    ids: Vec<String>,
    /// Where the MP3s go
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    for id in &arguments.ids {
        let job = server.job(id).await?;
        let Some(mp3_id) = job.mp3_fid() else {
            return Err(no_mp3(&job));
        };
        let path = arguments.output.join(file_name(&job));
        if path.exists() && !arguments.force {
            let there = io::Error::other("is there already: --force overwrites it");
            return Err(Failure::of_file(&path, there));
        }
        download(&server, mp3_id, &path, arguments.force).await?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Why there is nothing to download.
fn no_mp3(job: &Job) -> Failure {
    let id = job.id();
    match (job.problem(), job.has_ended()) {
        (Some(problem), _) => Failure::refused("failed", format!("{id} failed: {problem}")),
        (None, true) => Failure::refused("expired", format!("{id} has no MP3 any more")),
        (None, false) => Failure::passing(
            "not-ready",
            format!(
                "{id} is {}: decant job {id} --follow waits for it",
                job.standing()
            ),
        ),
    }
}

/// The job's title, as one name in a folder.
fn file_name(job: &Job) -> String {
    let plain = |c: char| if c == '/' || c.is_control() { '_' } else { c };
    let title: String = job.title().chars().map(plain).collect();
    format!("{}.mp3", title.trim_start_matches('.'))
}

/// Downloads an MP3, which appears when it is whole. A connection that breaks is taken up where it broke.
async fn download(server: &Server, mp3_id: &str, path: &Path, force: bool) -> Result<(), Failure> {
    let failed = |error| Failure::of_file(path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut part = tempfile::Builder::new()
        .prefix(".decant-")
        .suffix(".part")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(failed)?;
    let bar = ProgressBar::no_length();
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {percent:>3}%, {bytes_per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    let mut tries = 0;
    loop {
        let before = bar.position();
        let came = match ask(server, mp3_id, before).await {
            Ok(answer) => take(answer, part.as_file_mut(), &bar).await,
            Err(failure) => Err(failure),
        };
        match came {
            Ok(()) => break,
            Err(failure) if !failure.may_pass() => return Err(failure),
            Err(failure) => {
                tries = if bar.position() > before {
                    0
                } else {
                    tries + 1
                };
                if tries == TRIES {
                    return Err(failure);
                }
            }
        }
        sleep(AGAIN).await;
    }
    bar.finish_and_clear();
    let moved = if force {
        part.persist(path)
    } else {
        part.persist_noclobber(path)
    };
    moved.map(drop).map_err(|error| failed(error.error))
}

async fn ask(server: &Server, mp3_id: &str, offset: u64) -> Result<Response, Failure> {
    let request = server
        .request(Method::GET, &format!("download?id={}", segment(mp3_id)))?
        .header(header::RANGE, format!("bytes={offset}-"));
    let answer = server.send(request).await?;
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => Ok(answer),
        StatusCode::OK if offset == 0 => Ok(answer),
        _ => Err(refusal(answer).await),
    }
}

/// Appends what comes. It ends well only when everything has come: the length is announced.
async fn take(answer: Response, file: &mut File, bar: &ProgressBar) -> Result<(), Failure> {
    if let Some(rest) = answer.content_length() {
        bar.set_length(bar.position() + rest);
    }
    let mut pieces = answer.bytes_stream();
    loop {
        let piece = timeout(SILENCE, pieces.next()).await;
        let piece = piece.map_err(|_| Failure::passing("stalled", "the server fell silent"))?;
        let Some(piece) = piece else {
            return Ok(());
        };
        let piece = piece.map_err(unreachable)?;
        let written = file.write_all(&piece);
        // A disk that is full stays full.
        written.map_err(|error| Failure::refused("file", error.to_string()))?;
        bar.inc(piece.len() as u64);
    }
}
