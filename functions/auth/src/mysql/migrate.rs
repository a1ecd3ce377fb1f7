use super::{MySqlUrl, connect};
use crate::users::Error;
use sqlx::{Connection, MySqlConnection};

/// How long another's migration is waited for, in seconds.
const LOCK_WAIT_S: u32 = 60;

/// Brings the tables up to date, one process at a time.
pub(crate) async fn migrate(url: &MySqlUrl) -> Result<(), Error> {
    let mut connection = connect(url).await?;
    lock(&mut connection).await?;
    forget_half_run(&mut connection).await?;
    let mut migrations = sqlx::migrate!("migrations/mysql");
    migrations.set_locking(false);
    migrations.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// The lock ends with the connection. sqlx would ask for one without a time limit; MariaDB gives none then, and sqlx
/// doesn't look.
async fn lock(connection: &mut MySqlConnection) -> Result<(), Error> {
    let locked: Option<i64> =
        sqlx::query_scalar("SELECT GET_LOCK(CONCAT('decant-auth ', MD5(DATABASE())), ?)")
            .bind(LOCK_WAIT_S)
            .fetch_one(connection)
            .await?;
    match locked {
        Some(1) => Ok(()),
        _ => Err(Error::MigrationUnderWay),
    }
}

/// What was killed in the middle is noted as begun, and sqlx would never touch it again. All migrations may run twice.
async fn forget_half_run(connection: &mut MySqlConnection) -> Result<(), Error> {
    let has_table: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM information_schema.tables
         WHERE table_schema = DATABASE() AND table_name = '_sqlx_migrations'",
    )
    .fetch_optional(&mut *connection)
    .await?;
    if has_table.is_some() {
        sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE")
            .execute(connection)
            .await?;
    }
    Ok(())
}
