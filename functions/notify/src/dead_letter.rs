use crate::{App, error::Error};
use axum::extract::State;
use decant_events::{EventData, FileId, JobFailed, Mp3Ready, Problem, VideoUploaded, code};
use decant_function::{AnyEvent, Reply, event, reasons};
use decant_store::Job;
use std::time::Duration;

/// The shortest life of an event before it dies: its waits alone are 504 s (rabbitmq-eventing/video-uploaded.yaml). Of
/// a job that was announced since, another event is on its way, and this letter is forged or a duplicate's.
const SHORTEST_LIFE: Duration = Duration::from_secs(500);

/// An event's last delivery failed. The answer is never an event: the reply to a dead letter could die again.
pub(crate) async fn on_dead_letter(
    State(app): State<App>,
    letter: AnyEvent,
) -> Result<Reply, Error> {
    let counted = match letter.ty() {
        VideoUploaded::TYPE => "video.uploaded",
        Mp3Ready::TYPE => "mp3.ready",
        JobFailed::TYPE => "job.failed",
        _ => "unknown",
    };
    metrics::counter!("decant_dead_letters_total", "event" => counted).increment(1);
    tracing::warn!(event.ty = letter.ty(), "an event died");
    match letter.ty() {
        VideoUploaded::TYPE => app.give_up(job_id::<VideoUploaded>(&letter)?).await?,
        Mp3Ready::TYPE => app.hand_on(job_id::<Mp3Ready>(&letter)?).await?,
        JobFailed::TYPE => app.hand_on(job_id::<JobFailed>(&letter)?).await?,
        _ => {}
    }
    Ok(Reply::Done)
}

fn job_id<T: EventData>(letter: &AnyEvent) -> Result<FileId, Error> {
    let data: T = letter.data().map_err(Error::Malformed)?;
    Ok(data.job_id())
}

impl App {
    /// Nobody will convert this video any more, unless somebody does so right now or has done it already, or another
    /// event is on its way.
    async fn give_up(&self, id: FileId) -> Result<(), Error> {
        let problem = Problem::new(
            code::UNDELIVERED,
            "The video arrived, but it could not be converted: the converter didn't answer, although it was asked \
             several times. This is our fault, not your video's.",
        );
        let jobs = &self.store.jobs;
        let failed = jobs.fail_undelivered(id, &problem, SHORTEST_LIFE).await?;
        let announced = match failed {
            Some(job) => {
                self.pass_turns_on(&job.owner).await;
                self.announce_failure(&job).await
            }
            None => false,
        };
        if !announced {
            self.mail_if_ended(id).await;
        }
        Ok(())
    }

    /// A dead mp3.ready or job.failed means that its mail could not be sent: the sweep sends it. Whoever waits for the turn of
    /// this job may not have got it either.
    async fn hand_on(&self, id: FileId) -> Result<(), Error> {
        if let Some(job) = self.store.jobs.get(id).await? {
            self.pass_turns_on(&job.owner).await;
        }
        Ok(())
    }

    async fn announce_failure(&self, job: &Job) -> bool {
        let Some(failed) = job.job_failed() else {
            return false;
        };
        tracing::warn!(job.id = %job.id, problem.code = failed.problem.code, "job failed");
        let emitted = self.sink.emit(event("notify", &failed, job.run)).await;
        if let Err(error) = &emitted {
            tracing::warn!(job.id = %job.id, error = reasons(error), "job.failed not emitted, the mail goes directly");
        }
        emitted.is_ok()
    }

    /// Nothing hangs on it: what can't be sent here is the sweep's.
    async fn mail_if_ended(&self, id: FileId) {
        if let Err(error) = self.mail(id, Duration::ZERO).await {
            tracing::warn!(job.id = %id, error = reasons(&error), "the mail is left to the sweep");
        }
    }
}
