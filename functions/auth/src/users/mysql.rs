use super::{Database, Error, OlderUsers, StoredPassword, User, Users, older, row::UserRow};
use crate::{
    mysql::{Connections, MySqlUrl, has_tables, now},
    throttle::{Clock, MySqlThrottle},
};
use async_trait::async_trait;
use decant_events::Username;
use secrecy::ExposeSecret;
use sqlx::MySqlConnection;
use std::{collections::HashSet, sync::Arc};

pub(super) async fn open(url: &MySqlUrl, clock: Clock) -> Result<Database, Error> {
    let connections = Connections::open(url).await?;
    Ok(Database {
        users: Arc::new(MySqlUsers(connections.clone())),
        throttle: Arc::new(MySqlThrottle::new(connections, clock)),
    })
}

/// The users in MySQL: in our own table, and in that of the older system, where there is one. Who is in both is who our
/// own table says. Whatever changes a user takes them out of the older table, so that nobody comes back by it.
struct MySqlUsers(Connections);

#[async_trait]
impl Users for MySqlUsers {
    async fn ping(&self) -> Result<(), Error> {
        self.0
            .run(async |connection| Ok(has_tables(connection).await?))
            .await
    }

    async fn find(&self, username: &Username) -> Result<Option<User>, Error> {
        self.0
            .run(async |connection| {
                // Both are always asked, so that nobody can tell by the time who is where; in this order, so that who is
                // taken over in between is found.
                let older = older::find(connection, username).await?;
                let ours = find(connection, username).await?;
                Ok(ours.or_else(|| older.into_iter().next().map(User::from)))
            })
            .await
    }

    async fn add(
        &self,
        username: &Username,
        password_hash: &str,
        admin: bool,
    ) -> Result<bool, Error> {
        self.0
            .alone(async |connection| {
                if !older::find(connection, username).await?.is_empty() {
                    return Ok(false);
                }
                insert(connection, username, password_hash, admin).await
            })
            .await
    }

    async fn list(&self) -> Result<Vec<User>, Error> {
        let (older, ours) = self
            .0
            .run(async |connection| {
                let older = older::all(connection).await?.unwrap_or_default();
                Ok((older.users, all(connection).await?))
            })
            .await?;
        let mut names: HashSet<Username> = ours.iter().map(|user| user.username.clone()).collect();
        let older = older.into_iter().map(User::from);
        let only_older: Vec<User> = older
            .filter(|user| names.insert(user.username.clone()))
            .collect();
        let mut users = [ours, only_older].concat();
        users.sort_by(|one, other| one.username.cmp(&other.username));
        Ok(users)
    }

    async fn set_password(&self, username: &Username, password_hash: &str) -> Result<bool, Error> {
        self.0
            .alone(async |connection| {
                let was_older = older::remove(connection, username).await?;
                let changed = sqlx::query("UPDATE users SET password_hash = ? WHERE username = ?")
                    .bind(password_hash)
                    .bind(username.as_str())
                    .execute(&mut *connection)
                    .await?;
                if changed.rows_affected() == 1 {
                    return Ok(true);
                }
                Ok(was_older && insert(connection, username, password_hash, false).await?)
            })
            .await
    }

    async fn remove(&self, username: &Username) -> Result<bool, Error> {
        self.0
            .alone(async |connection| {
                let was_older = older::remove(connection, username).await?;
                let removed = sqlx::query("DELETE FROM users WHERE username = ?")
                    .bind(username.as_str())
                    .execute(connection)
                    .await?;
                Ok(was_older || removed.rows_affected() == 1)
            })
            .await
    }

    async fn take_over(&self, user: &User, password_hash: &str) -> Result<bool, Error> {
        let StoredPassword::PlainText(password) = &user.password else {
            return Ok(false);
        };
        self.0
            .alone(async |connection| {
                let older = older::find(connection, &user.username).await?;
                let unchanged = older.first().is_some_and(|older| {
                    older.password.expose_secret() == password.expose_secret()
                });
                if !unchanged {
                    return Ok(false);
                }
                let inserted =
                    insert(connection, &user.username, password_hash, user.admin).await?;
                older::remove(connection, &user.username).await?;
                Ok(inserted)
            })
            .await
    }

    async fn older(&self) -> Result<Option<OlderUsers>, Error> {
        let read = self.0.run(async |connection| {
            let older = older::all(connection).await?;
            Ok((older, all(connection).await?))
        });
        let (Some(older), ours) = read.await? else {
            return Ok(None);
        };
        let names: HashSet<Username> = ours.into_iter().map(|user| user.username).collect();
        let mut seen = HashSet::new();
        let mut to_import = Vec::new();
        let mut here_already = 0;
        for user in older.users {
            // Rows of one person stand in the order in which they count.
            let is_first = seen.insert(user.username.clone());
            if names.contains(&user.username) {
                // Each by itself: however many there are, none waits for all, nor does a login.
                let removed = self
                    .0
                    .run(async |connection| older::remove_row(connection, user.id).await);
                removed.await?;
                here_already += usize::from(is_first);
            } else if is_first {
                to_import.push(User::from(user));
            }
        }
        Ok(Some(OlderUsers {
            to_import,
            here_already,
            without_address: older.without_address,
        }))
    }
}

async fn find(
    connection: &mut MySqlConnection,
    username: &Username,
) -> Result<Option<User>, Error> {
    let row: Option<UserRow> = sqlx::query_as("SELECT * FROM users WHERE username = ?")
        .bind(username.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(User::try_from).transpose()
}

async fn all(connection: &mut MySqlConnection) -> Result<Vec<User>, Error> {
    let rows: Vec<UserRow> = sqlx::query_as("SELECT * FROM users")
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(User::try_from).collect()
}

/// `false` if there is one of this name.
async fn insert(
    connection: &mut MySqlConnection,
    username: &Username,
    password_hash: &str,
    admin: bool,
) -> Result<bool, Error> {
    let now = now(connection).await?;
    let inserted = sqlx::query(
        "INSERT INTO users (username, password_hash, admin, created_at) VALUES (?, ?, ?, ?)",
    )
    .bind(username.as_str())
    .bind(password_hash)
    .bind(admin)
    .bind(now)
    .execute(connection)
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
