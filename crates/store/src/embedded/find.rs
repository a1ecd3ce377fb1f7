//! What people see and find of their jobs.

use super::{database::Database, record};
use crate::{Error, InLine, Job, State};
use decant_events::{FileId, Username};
use sqlx::query;

impl Database {
    pub(super) async fn newest(
        &self,
        owner: Option<&Username>,
        states: &[State],
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        // Two statements, so that each walks its own index.
        let sql = match owner {
            Some(_) => {
                "SELECT * FROM jobs
                 WHERE owner = ?4 AND (?1 IS NULL OR id < ?1)
                     AND state NOT IN ('uploading', 'cancelled')
                     AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3)))
                 ORDER BY id DESC LIMIT ?2"
            }
            None => {
                "SELECT * FROM jobs
                 WHERE (?1 IS NULL OR id < ?1)
                     AND state NOT IN ('uploading', 'cancelled')
                     AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3)))
                 ORDER BY id DESC LIMIT ?2"
            }
        };
        let words: Vec<_> = states.iter().map(|state| state.as_str()).collect();
        let mut statement = query(sql)
            .bind(before.map(|id| id.to_string()))
            .bind(limit)
            .bind((!words.is_empty()).then(|| serde_json::json!(words).to_string()));
        if let Some(owner) = owner {
            statement = statement.bind(owner.as_str());
        }
        let rows = self.rows(statement).await?;
        rows.iter().map(record::job).collect()
    }

    pub(super) async fn changed(
        &self,
        owner: Option<&Username>,
        version: u64,
        after: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        // `id > NULL` is NULL, hence false. Two statements, so that each walks its own index.
        let sql = match owner {
            Some(_) => {
                "SELECT * FROM jobs
                 WHERE owner = ?4 AND version >= ?1 AND (version > ?1 OR id > ?2)
                     AND state <> 'uploading'
                 ORDER BY version, id LIMIT ?3"
            }
            None => {
                "SELECT * FROM jobs
                 WHERE version >= ?1 AND (version > ?1 OR id > ?2) AND state <> 'uploading'
                 ORDER BY version, id LIMIT ?3"
            }
        };
        let mut statement = query(sql)
            .bind(i64::try_from(version).unwrap_or(i64::MAX))
            .bind(after.map(|id| id.to_string()))
            .bind(limit);
        if let Some(owner) = owner {
            statement = statement.bind(owner.as_str());
        }
        let rows = self.rows(statement).await?;
        rows.iter().map(record::job).collect()
    }

    pub(super) async fn first_in_line(&self, limit: u32) -> Result<Vec<InLine>, Error> {
        let rows = self.rows(
            query(
                "SELECT id, owner, state FROM jobs
                 WHERE state IN ('waiting', 'queued')
                 ORDER BY id LIMIT ?",
            )
            .bind(limit),
        );
        rows.await?.iter().map(record::in_line).collect()
    }
}
