//! What a job is called.

use super::database::Database;
use crate::{Error, Job};
use decant_events::FileId;
use sqlx::query;

impl Database {
    pub(super) async fn set_title(
        &self,
        id: FileId,
        title: Option<&str>,
    ) -> Result<Option<Job>, Error> {
        self.job(
            query(
                "UPDATE jobs
                 SET title = ?2, updated_at = now
                 FROM clock
                 WHERE id = ?1 AND state NOT IN ('uploading', 'cancelled')
                 RETURNING *",
            )
            .bind(id.to_string())
            .bind(title),
        )
        .await
    }
}
