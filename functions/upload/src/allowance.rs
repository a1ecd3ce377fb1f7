use crate::{App, error::Error};
use decant_events::Username;

/// What one person may still have stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    room_bytes: u64,
    max_bytes: u64,
}

impl Allowance {
    /// The person's, if they may have one job more. Uploads that come in at once don't know of each other's size: each may
    /// fill the room that there was when it began.
    pub(crate) async fn of(app: &App, person: &Username) -> Result<Self, Error> {
        let usage = app.store.jobs.usage(person).await?;
        if usage.unfinished >= app.max_waiting {
            return Err(Error::TooManyJobs {
                max: app.max_waiting,
            });
        }
        let max_bytes = app.max_stored_bytes;
        Ok(Self {
            room_bytes: max_bytes.saturating_sub(usage.stored_bytes),
            max_bytes,
        })
    }

    /// Refuses a video that has at least this size and doesn't fit.
    pub(crate) fn check(&self, size_bytes: u64) -> Result<(), Error> {
        match size_bytes > self.room_bytes {
            true => Err(Error::QuotaFull {
                max_bytes: self.max_bytes,
            }),
            false => Ok(()),
        }
    }
}
