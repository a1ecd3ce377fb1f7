use crate::{App, attempt, error::Error};
use axum::extract::State;
use decant_events::{FileId, Problem, VideoUploaded, code};
use decant_function::{CloudEvent, Reply, event};
use decant_store::{ANNOUNCE_GAP, Bucket, Claim, Job, NewJob, State as JobState};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often a conversion of one job may begin before the job fails.
const MAX_ATTEMPTS: u32 = 5;

/// How long an event waits for a slot. The rest of the request's time is for the conversion; the broker comes back.
const SLOT_WITHIN: Duration = Duration::from_secs(30);

/// Converts one video. A replay of the event gives the same reply.
///
/// Of the event only the job's id counts: all else is taken from the job record, so that a forged event can do nothing
/// that the record doesn't want already. The answer goes to whoever asked, which on a cluster may be anybody: so an event
/// that doesn't name the job's owner is passed over, and tells neither by words nor by time what becomes of the job.
pub(crate) async fn on_video_uploaded(
    State(app): State<App>,
    CloudEvent(video): CloudEvent<VideoUploaded>,
) -> Result<Reply, Error> {
    if app.adopts_foreign_events {
        adopt(&app, &video).await?;
    }
    match convert_once(&app, &video).await? {
        Some(job) if job.owner == video.username => Ok(reply(&job)),
        Some(job) => {
            tracing::warn!(job.id = %job.id, "event with another owner's name passed over");
            Ok(Reply::Done)
        }
        None => {
            tracing::warn!(job.id = %video.video_fid, "event about a job that isn't there or isn't due passed over");
            Ok(Reply::Done)
        }
    }
}

/// The job as it ended, by this attempt or by one before. As it is, if the event names another owner. `None` if there is
/// nothing to convert: it doesn't exist, was cancelled, or waits for its turn and will be announced then.
async fn convert_once(app: &App, video: &VideoUploaded) -> Result<Option<Job>, Error> {
    let id = video.video_fid;
    // A job that has ended needs no slot, and a slot may be minutes away.
    match app.store.jobs.get(id).await? {
        None => return Ok(None),
        Some(job) if job.owner != video.username => return Ok(Some(job)),
        Some(job) if job.state.is_final() => return Ok(Some(job)),
        Some(job) if job.state == JobState::Waiting => return Ok(None),
        Some(_) => {}
    }
    let until = Instant::now() + app.timeout;
    let slot = timeout(SLOT_WITHIN, app.slots.acquire()).await;
    let Ok(Ok(_slot)) = slot else {
        return Err(Error::Busy);
    };
    let mp3_id = FileId::mint();
    let gave_up = Problem::new(
        code::GAVE_UP,
        "The conversion was begun several times and never ended. Please try it again; if it fails again, the file may \
         be damaged.",
    );
    let claim = app
        .store
        .jobs
        .claim(id, mp3_id, attempt::LEASE, MAX_ATTEMPTS, &gave_up)
        .await?;
    match claim {
        Claim::Granted(lease, job) => attempt::run(app, lease, *job, mp3_id, until).await,
        Claim::Ended(job) => Ok(Some(*job)),
        Claim::Held => Err(Error::Held),
        Claim::Missing => Ok(None),
    }
}

/// What happened to the job, from its record.
fn reply(job: &Job) -> Reply {
    if let Some(ready) = job.mp3_ready() {
        return Reply::event(event("convert", &ready, job.run));
    }
    if let Some(failed) = job.job_failed() {
        return Reply::event(event("convert", &failed, job.run));
    }
    Reply::Done
}

/// Makes the job of another producer's event, if the video is there and nobody has made it yet.
async fn adopt(app: &App, video: &VideoUploaded) -> Result<(), Error> {
    if app.store.jobs.get(video.video_fid).await?.is_some() {
        return Ok(());
    }
    let payload = match app
        .store
        .payloads
        .open(Bucket::Videos, video.video_fid)
        .await
    {
        Ok(payload) => payload,
        Err(decant_store::Error::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let job = NewJob {
        id: video.video_fid,
        owner: video.username.clone(),
        file_name: video
            .file_name
            .clone()
            .filter(|name| is_plain(name))
            .unwrap_or_else(|| "video".into()),
        traceparent: decant_function::telemetry::traceparent(),
    };
    app.store
        .jobs
        .adopt(job, payload.size_bytes(), ANNOUNCE_GAP)
        .await?;
    Ok(())
}

/// A name that may stand in headers and in a mail's subject. The door cleans those of its own uploads.
fn is_plain(name: &str) -> bool {
    name.len() <= 200 && !name.chars().any(|c| c.is_control() || c == '/')
}
