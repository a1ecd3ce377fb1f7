use crate::{App, error::Error, mailer::SendError};
use backon::{ConstantBuilder, Retryable};
use chrono::Utc;
use decant_events::FileId;
use decant_function::reasons;
use decant_store::{Error as StoreError, Job, Lease, MailClaim};
use std::time::Duration;
use tracing::Instrument;

/// How long a mail is ours: longer than a server may take with it (45 s) and then a busy database with the note that it
/// is sent (a minute and more).
pub(crate) const LEASE: Duration = Duration::from_secs(150);

/// How long a database that is away is waited for once a mail has left: until shortly before the lease ends, since a mail
/// without its note goes out again.
const NOTE_TRIES: usize = 60;
const NOTE_PAUSE: Duration = Duration::from_secs(1);

/// What became of the mail about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mailed {
    Now,
    /// It can never be sent: nobody tries it again.
    GivenUp,
    /// It was sent before, or the job has not ended.
    NotDue,
}

impl App {
    /// Sends the mail about a job that has ended, unless its run has one. `gap` is the time until the sweep's next try,
    /// doubled with each try before.
    ///
    /// It goes on to its end even when the caller goes away: a request that is cut off must not leave a mail half sent.
    pub(crate) async fn mail(&self, id: FileId, gap: Duration) -> Result<Mailed, Error> {
        let app = self.clone();
        let to_its_end = async move { app.claim_and_send(id, gap).await };
        tokio::spawn(to_its_end.in_current_span()).await?
    }

    async fn claim_and_send(&self, id: FileId, gap: Duration) -> Result<Mailed, Error> {
        let (lease, job) = match self.store.jobs.claim_mail(id, LEASE, gap).await? {
            MailClaim::Granted(lease, job) => (lease, job),
            MailClaim::Held => return Err(Error::Held),
            MailClaim::NotDue => {
                tracing::debug!(job.id = %id, "no mail is due");
                return Ok(Mailed::NotDue);
            }
        };
        match self.send(&job).await {
            Ok(()) => self.note_sent(&lease, &job).await,
            Err(error) if error.is_final() => self.note_refused(&lease, &job, &error).await,
            Err(error) => {
                metrics::counter!("decant_mails_total", "result" => "failed").increment(1);
                if let Err(error) = self.store.jobs.release_mail(&lease).await {
                    tracing::warn!(job.id = %id, error = reasons(&error), "the mail's lease must run out");
                }
                Err(error.into())
            }
        }
    }

    async fn send(&self, job: &Job) -> Result<(), SendError> {
        let letter = self.stationery.letter(job, Utc::now())?;
        self.mailer.send(letter).await
    }

    async fn note_sent(&self, lease: &Lease, job: &Job) -> Result<Mailed, Error> {
        metrics::counter!("decant_mails_total", "result" => "sent").increment(1);
        tracing::info!(job.id = %job.id, job.run = job.run, job.state = %job.state, "mail sent");
        match self.note(lease).await {
            Ok(()) => Ok(Mailed::Now),
            Err(StoreError::LeaseLost) => {
                tracing::warn!(job.id = %job.id, "somebody else may have sent this mail too");
                Ok(Mailed::Now)
            }
            // It will be sent again, under the same Message-ID.
            Err(error) => Err(error.into()),
        }
    }

    /// Writes into the record that this run has its mail. Tries again what was cut off: if it was done all the same, the
    /// lease is lost by then.
    async fn note(&self, lease: &Lease) -> Result<(), StoreError> {
        let tries = ConstantBuilder::default()
            .with_delay(NOTE_PAUSE)
            .with_max_times(NOTE_TRIES);
        (|| self.store.jobs.mailed(lease))
            .retry(tries)
            .when(|error| matches!(error, StoreError::Unavailable(_)))
            .await
    }

    /// The record counts it as mailed, so that nobody tries again: what is left of it is this line and the count.
    async fn note_refused(
        &self,
        lease: &Lease,
        job: &Job,
        why: &SendError,
    ) -> Result<Mailed, Error> {
        match self.note(lease).await {
            Ok(()) => {
                metrics::counter!("decant_mails_total", "result" => "refused").increment(1);
                tracing::error!(job.id = %job.id, job.run = job.run, error = reasons(why), "mail given up");
                Ok(Mailed::GivenUp)
            }
            Err(StoreError::LeaseLost) => Err(Error::Held),
            Err(error) => Err(error.into()),
        }
    }
}
