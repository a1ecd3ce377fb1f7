//! Whose turn it is. A statement that changes something has the database to itself, so what it counts is true until it
//! ends: no two of them give away the last turn.

use super::{
    database::{Database, millis},
    record,
};
use crate::{Error, Job, Turns};
use decant_events::Username;
use sqlx::query;

impl Database {
    /// Queues the person's oldest waiting job, if a turn is free.
    pub(super) async fn queue_waiting(
        &self,
        owner: &Username,
        turns: Turns,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET state = 'queued', updated_at = now,
                     announcements = 1, announced_at = now, announce_at = now + ?2
                 FROM clock
                 WHERE id = (
                         SELECT id FROM jobs WHERE owner = ?1 AND state = 'waiting'
                         ORDER BY id LIMIT 1)
                     AND ?3 > (
                         SELECT count(*) FROM jobs
                         WHERE owner = ?1 AND state IN ('queued', 'converting'))
                 RETURNING *",
            )
            .bind(owner.as_str())
            .bind(millis(turns.gap))
            .bind(turns.at_once),
        )
        .await
    }

    pub(super) async fn waiting_after(
        &self,
        after: Option<&Username>,
    ) -> Result<Option<Username>, Error> {
        let waiting = query(
            "SELECT owner FROM jobs
             WHERE state = 'waiting' AND (?1 IS NULL OR owner > ?1)
             ORDER BY owner LIMIT 1",
        );
        let rows = self.rows(waiting.bind(after.map(Username::as_str))).await?;
        rows.first().map(record::owner).transpose()
    }
}
