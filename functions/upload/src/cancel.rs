use crate::{App, announce, error::Error, jobs::visible, person::Person};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use decant_function::{reasons, tasks};
use decant_store::{Bucket, Job, Litter};
use std::panic::resume_unwind;
use tracing::Instrument;

/// Ends a job for good and deletes what is stored of it. Whoever converts it right now stops within a second.
///
/// It runs in a task of its own: the next job's turn and the bytes don't depend on a connection.
pub(crate) async fn cancel(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Error> {
    let job = visible(&app, &person, id).await?;
    let task = async move { end(&app, &job).await };
    tasks::spawn(task.in_current_span())
        .await
        .unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end(app: &App, job: &Job) -> Result<(), Error> {
    let litter = app.store.jobs.cancel(job.id).await?;
    let litter = litter.ok_or(Error::NotFound)?;
    tracing::info!(job.id = %job.id, job.state = %job.state, "job cancelled");
    announce::waiting(app, &job.owner).await;
    delete(app, job, &litter).await;
    Ok(())
}

/// The record keeps the names: ten minutes later the sweep deletes what was written meanwhile, and what can't be deleted
/// here.
async fn delete(app: &App, job: &Job, litter: &[Litter]) {
    let mp3s = litter.iter().map(|litter| (Bucket::Mp3s, litter.mp3_id));
    for (bucket, id) in mp3s.chain([(Bucket::Videos, job.id)]) {
        if let Err(error) = app.store.payloads.delete(bucket, id).await {
            let (error, bucket) = (reasons(&error), bucket.name());
            tracing::warn!(job.id = %job.id, bucket, error, "a payload is left to the sweep");
        }
    }
}
