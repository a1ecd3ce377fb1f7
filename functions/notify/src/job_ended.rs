use crate::{App, error::Error};
use axum::extract::State;
use decant_events::{EventData, FileId, JobFailed, Mp3Ready};
use decant_function::{CloudEvent, Reply};
use decant_store::State as JobState;
use std::time::Duration;

/// An MP3 is said to be ready: if the record agrees, its owner gets the link.
pub(crate) async fn on_mp3_ready(
    State(app): State<App>,
    CloudEvent(event): CloudEvent<Mp3Ready>,
) -> Result<Reply, Error> {
    app.mail_the_end(event.job_id(), JobState::Ready).await
}

/// A job is said to have failed: if the record agrees, its owner learns why.
pub(crate) async fn on_job_failed(
    State(app): State<App>,
    CloudEvent(event): CloudEvent<JobFailed>,
) -> Result<Reply, Error> {
    app.mail_the_end(event.job_id(), JobState::Failed).await
}

impl App {
    async fn mail_the_end(&self, id: FileId, said: JobState) -> Result<Reply, Error> {
        match self.store.jobs.get(id).await? {
            Some(job) if job.state == said => {
                // First: whoever waits for a turn doesn't wait for a mail server.
                self.pass_turns_on(&job.owner).await;
                // No gap: the broker comes back by itself, and the sweep may as soon as its grace is over.
                self.mail(id, Duration::ZERO).await?;
            }
            job => {
                let state = job.map(|job| job.state.as_str());
                tracing::debug!(job.id = %id, job.state = state, said = %said, "the record doesn't agree");
            }
        }
        Ok(Reply::Done)
    }
}
