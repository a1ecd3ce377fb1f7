//! Whose turn it is: a job that has ended leaves a turn to the next of the same person.

use crate::{App, error::Error, sweep::in_its_trace};
use decant_events::Username;
use decant_function::{event, reasons};
use decant_store::Job;
use tracing::Instrument;

impl App {
    /// Announces jobs of this person that wait, as long as turns are free.
    pub(crate) async fn announce_waiting(&self, owner: &Username) -> Result<(), Error> {
        while self.announce_next_of(owner).await? {}
        Ok(())
    }

    /// The same where nothing hangs on it: what can't be announced here is the sweep's.
    pub(crate) async fn pass_turns_on(&self, owner: &Username) {
        if let Err(error) = self.announce_waiting(owner).await {
            let error = reasons(&error);
            tracing::warn!(error, "whose turn it is is left to the sweep");
        }
    }

    /// `false` when none waits, or no turn is free. It goes on to its end even when the caller goes away: what was counted
    /// is either announced or taken back.
    async fn announce_next_of(&self, owner: &Username) -> Result<bool, Error> {
        let (app, owner) = (self.clone(), owner.clone());
        let to_its_end = async move {
            let next = app.store.jobs.announce_waiting(&owner, app.turns).await?;
            let Some(job) = next else { return Ok(false) };
            let span = in_its_trace(&job, "announce in turn");
            app.emit_announcement(&job).instrument(span).await?;
            Ok(true)
        };
        tokio::spawn(to_its_end.in_current_span()).await?
    }

    /// Tells the broker about a job that is counted as announced.
    pub(crate) async fn emit_announcement(&self, job: &Job) -> Result<(), Error> {
        let announcement = event("notify", &job.announcement(), job.run);
        if let Err(error) = self.sink.emit(announcement).await {
            // A broker that is away must not double the gap.
            if let Err(error) = self.store.jobs.unannounce(job.id).await {
                tracing::warn!(job.id = %job.id, error = reasons(&error), "a lost announcement counts");
            }
            return Err(error.into());
        }
        tracing::info!(job.id = %job.id, job.run = job.run, "job announced");
        Ok(())
    }
}
