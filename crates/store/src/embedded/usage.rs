//! What people take up.

use super::{database::Database, record};
use crate::{Error, Usage};
use decant_events::Username;
use sqlx::query;

impl Database {
    pub(super) async fn taken_up_by(&self, owner: &Username) -> Result<Usage, Error> {
        let rows = self.rows(
            query(
                "SELECT coalesce(sum(state IN ('uploading', 'waiting', 'queued', 'converting')), 0)
                         AS unfinished,
                     coalesce(sum(
                         iif(video_expired_at IS NULL, coalesce(size_bytes, upload_offset, 0), 0)
                         + coalesce(mp3_size_bytes, 0)), 0) AS stored_bytes
                 FROM jobs WHERE owner = ? AND state <> 'cancelled'",
            )
            .bind(owner.as_str()),
        );
        rows.await?
            .first()
            .map_or(Ok(Usage::default()), record::usage)
    }
}
