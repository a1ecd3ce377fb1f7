use super::{StoredPassword, User};
use chrono::DateTime;

/// A row of the table `users`, in any database.
#[derive(sqlx::FromRow)]
pub(super) struct UserRow {
    username: String,
    password_hash: String,
    admin: bool,
    /// In milliseconds since 1970.
    created_at: i64,
}

impl TryFrom<UserRow> for User {
    type Error = super::Error;

    fn try_from(row: UserRow) -> Result<Self, Self::Error> {
        let username = row.username.parse();
        Ok(Self {
            username: username.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            password: StoredPassword::Hash(row.password_hash),
            admin: row.admin,
            created_at: DateTime::from_timestamp_millis(row.created_at),
        })
    }
}
