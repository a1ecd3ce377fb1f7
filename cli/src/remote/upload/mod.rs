//! Uploads that go on where they were interrupted, by tus.

mod bars;
mod resumable;
mod unfinished;

use super::{Look, Where, follow::follow, job::Job, jobs::table, server::Server};
use crate::{failure::Failure, wishes::Wishes};
use bars::{Bars, Pair};
use futures::future::join_all;
use resumable::Upload;
use std::path::{Path, PathBuf};
use tokio::sync::Semaphore;

/// How many files are sent at once. More would share the same line.
const AT_ONCE: usize = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The videos
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Wait until the MP3s are ready. The exit status is 3 if one fails
    #[arg(short, long)]
    wait: bool,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::usage(
            "expected files: an upload from a pipe couldn't go on after a break",
        ));
    }
    let server = arguments.at.signed_in()?;
    arguments.wishes.asked()?; // said here, before gigabytes go out for nothing
    // All of them can be read, before the first one is sent.
    let uploads = arguments
        .files
        .iter()
        .map(|file| Upload::of(file, &arguments.wishes));
    let uploads: Vec<Upload> = uploads.collect::<Result<_, _>>()?;
    let bars = Bars::new(arguments.wait);
    let slots = Semaphore::new(AT_ONCE);
    let names: Vec<_> = arguments.files.iter().map(|file| label(file)).collect();
    let ends = uploads.iter().zip(&names);
    let ends =
        ends.map(|(upload, name)| one(&server, upload, bars.pair(name), &slots, arguments.wait));
    let ends = join_all(ends).await;
    bars.clear();

    let (mut jobs, mut failures) = (Vec::new(), Vec::new());
    for (name, end) in names.iter().zip(ends) {
        match end {
            Ok(job) => jobs.push(job),
            Err(failure) => failures.push(failure.about(name)),
        }
    }
    let ids = jobs.iter().map(|job| job.id().to_owned());
    arguments
        .look
        .print(&jobs, ids, || vec![table(&jobs, "")])?;
    if arguments.wait {
        failures.extend(jobs.iter().filter_map(|job| outcome(job).err()));
    }
    Failure::all(failures)
}

/// Sends one file when there is room, and waits for its MP3 if asked to.
async fn one(
    server: &Server,
    upload: &Upload,
    bars: Pair,
    slots: &Semaphore,
    wait: bool,
) -> Result<Job, Failure> {
    let slot = slots.acquire().await;
    let id = upload.send(server, &bars).await?;
    drop(slot);
    bars.uploaded();
    let job = server.job(&id).await?;
    if !wait {
        return Ok(job);
    }
    let job = follow(server, &id, |job| bars.converting(job)).await?;
    bars.ended(&job);
    Ok(job)
}

/// Whether a job that was waited for ended well.
pub(super) fn outcome(job: &Job) -> Result<(), Failure> {
    match job.state() {
        "ready" => Ok(()),
        state => {
            let code = job.problem_code().unwrap_or(state).to_owned();
            let why = job.problem().unwrap_or(state);
            Err(Failure::refused(code, format!("{}: {why}", job.title())))
        }
    }
}

fn label(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}
