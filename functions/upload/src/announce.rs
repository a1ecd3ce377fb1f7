//! Tells the broker about jobs whose turn it is. If it is away, the sweep tells it later: the caller needn't wait for that.

use crate::App;
use decant_events::Username;
use decant_function::{event, reasons};
use decant_store::{Job, State};

/// Announces a job that has just been stored, or begun once more. One that has to wait may have met the last moment of a
/// turn that is free by now.
pub(crate) async fn in_turn(app: &App, job: &Job) {
    match job.state {
        State::Waiting => {
            tracing::info!(job.id = %job.id, "job waits for its turn");
            waiting(app, &job.owner).await;
        }
        _ => announce(app, job).await,
    }
}

/// Announces jobs of this person that wait, as long as turns are free. What can't be announced now is left to the sweep.
pub(crate) async fn waiting(app: &App, owner: &Username) {
    loop {
        match app.store.jobs.announce_waiting(owner, app.turns).await {
            Ok(Some(next)) => announce(app, &next).await,
            Ok(None) => return,
            Err(error) => {
                let error = reasons(&error);
                tracing::warn!(error, "whose turn it is is left to the sweep");
                return;
            }
        }
    }
}

async fn announce(app: &App, job: &Job) {
    let announcement = event("upload", &job.announcement(), job.run);
    let Err(error) = app.sink.emit(announcement.clone()).await else {
        tracing::info!(job.id = %job.id, job.run = job.run, size_bytes = job.size_bytes, "job queued");
        return;
    };
    tracing::warn!(
        job.id = %job.id,
        error = reasons(&error),
        "job queued, its announcement is left to the sweep"
    );
    // So that the next sweep doesn't wait for an answer that can't come. Without it, a later one announces the job.
    if let Err(error) = app.store.jobs.unannounce(job.id).await {
        tracing::warn!(job.id = %job.id, error = reasons(&error), "the sweep will be late");
    }
    // An ingress that is started again is back long before the sweep.
    app.sink.keep_trying(announcement);
}
