//! The table of the older system: `user (id, email, password)`, with passwords in plain text.
//!
//! An address there is whatever somebody wrote: it is theirs whom it names in lower case and without the space around
//! it, as everywhere in Decant. Of several rows of one person the one that is written just so counts, else the first.

use super::{Error, StoredPassword, User};
use decant_events::Username;
use secrecy::SecretString;
use sqlx::{MySqlConnection, mysql::MySqlDatabaseError};

/// Somebody who signed in to the older system.
pub(super) struct OlderUser {
    pub(super) username: Username,
    pub(super) password: SecretString,
    pub(super) id: i64,
    written_so: bool,
}

/// All that the table has.
#[derive(Default)]
pub(super) struct Older {
    /// Rows of one person in the order in which they count.
    pub(super) users: Vec<OlderUser>,
    /// How many rows have no mail address: nobody can sign in with those.
    pub(super) without_address: usize,
}

/// (id, email, password)
type Row = (i64, String, String);

/// The rows of one person; none where there is no such table.
pub(super) async fn find(
    connection: &mut MySqlConnection,
    username: &Username,
) -> Result<Vec<OlderUser>, Error> {
    // Whatever character set and collation the column has. This takes too many, and never one too few: the case of ASCII
    // is the collation's business, everything else is `Username`'s.
    let rows = sqlx::query_as(
        "SELECT * FROM (
             SELECT CAST(id AS SIGNED) AS id, COALESCE(CONVERT(email USING utf8mb4), '') AS email,
                 COALESCE(CONVERT(password USING utf8mb4), '') AS password
             FROM user) AS older
         WHERE LOCATE(?, email COLLATE utf8mb4_general_ci) > 0 OR LENGTH(email) > CHAR_LENGTH(email)",
    )
    .bind(username.as_str())
    .fetch_all(connection)
    .await;
    let mut older = Older::from(if_there(rows)?.unwrap_or_default());
    older.users.retain(|user| user.username == *username);
    Ok(older.users)
}

/// Everybody; `None` where there is no such table.
pub(super) async fn all(connection: &mut MySqlConnection) -> Result<Option<Older>, Error> {
    let rows = sqlx::query_as(
        "SELECT CAST(id AS SIGNED), COALESCE(CONVERT(email USING utf8mb4), ''),
             COALESCE(CONVERT(password USING utf8mb4), '')
         FROM user",
    )
    .fetch_all(connection)
    .await;
    Ok(if_there(rows)?.map(Older::from))
}

/// Removes the rows of one person. `false` if there were none.
pub(super) async fn remove(
    connection: &mut MySqlConnection,
    username: &Username,
) -> Result<bool, Error> {
    let users = find(connection, username).await?;
    for user in &users {
        remove_row(connection, user.id).await?;
    }
    Ok(!users.is_empty())
}

/// Removes one row, if it is still there.
pub(super) async fn remove_row(connection: &mut MySqlConnection, id: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM user WHERE id = ?")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// There is no such table; or we have no right to it, which is all that the server says where both are so; or it is
/// somebody else's, with other columns.
fn if_there(rows: Result<Vec<Row>, sqlx::Error>) -> Result<Option<Vec<Row>>, sqlx::Error> {
    const NO_SUCH_TABLE: u16 = 1146;
    const TABLE_DENIED: u16 = 1142;
    const NO_SUCH_COLUMN: u16 = 1054;
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(sqlx::Error::Database(error))
            if error
                .try_downcast_ref::<MySqlDatabaseError>()
                .is_some_and(|error| {
                    [NO_SUCH_TABLE, TABLE_DENIED, NO_SUCH_COLUMN].contains(&error.number())
                }) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl From<Vec<Row>> for Older {
    fn from(rows: Vec<Row>) -> Self {
        let total = rows.len();
        let mut users: Vec<OlderUser> = rows
            .into_iter()
            .filter_map(|(id, email, password)| {
                let username: Username = email.parse().ok()?;
                Some(OlderUser {
                    written_so: username.as_str() == email,
                    username,
                    password: password.into(),
                    id,
                })
            })
            .collect();
        users.sort_by_key(|user| (!user.written_so, user.id));
        Self {
            without_address: total - users.len(),
            users,
        }
    }
}

impl From<OlderUser> for User {
    fn from(user: OlderUser) -> Self {
        Self {
            username: user.username,
            password: StoredPassword::PlainText(user.password),
            admin: false,
            created_at: None,
        }
    }
}
