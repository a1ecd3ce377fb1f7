use super::{MySqlUrl, connect, has_tables};
use crate::users::Error;
use sqlx::{Connection, MySqlConnection, migrate::Migrator, mysql::MySqlDatabaseError};
use std::sync::LazyLock;

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("migrations/mysql");
    migrations.set_locking(false);
    migrations
});

/// How long another's migration is waited for, in seconds.
const LOCK_WAIT_S: u32 = 60;

/// Brings the tables up to date, one process at a time. Where they are, nothing is written: the account that serves may
/// not make tables, and `decant up` migrates at each start.
pub(crate) async fn migrate(url: &MySqlUrl) -> Result<(), Error> {
    let mut connection = connect(url).await?;
    if is_up_to_date(&mut connection).await? {
        connection.close().await?;
        return Ok(());
    }
    lock(&mut connection).await?;
    forget_half_run(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// As far as this account may see.
async fn is_up_to_date(connection: &mut MySqlConnection) -> Result<bool, Error> {
    const NO_SUCH_TABLE: u16 = 1146;
    const TABLE_DENIED: u16 = 1142;
    let done: Result<Vec<(i64, Vec<u8>)>, sqlx::Error> = sqlx::query_as(
        "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version",
    )
    .fetch_all(&mut *connection)
    .await;
    let error = match done {
        Ok(done) => {
            let all = MIGRATIONS.iter();
            return Ok(all
                .map(|one| (one.version, one.checksum.as_ref()))
                .eq(done.iter().map(|(version, sum)| (*version, &sum[..]))));
        }
        Err(error) => error,
    };
    let number = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .map(MySqlDatabaseError::number);
    match number {
        Some(NO_SUCH_TABLE) => Ok(false),
        Some(TABLE_DENIED) => {
            let has_tables = has_tables(connection).await.is_ok();
            if has_tables {
                eprintln!("the tables are there; which version they are, this account may not see");
            }
            Ok(has_tables)
        }
        _ => Err(error.into()),
    }
}

/// The lock ends with the connection. sqlx would ask for one without a time limit; MariaDB gives none then, and sqlx
/// doesn't look.
async fn lock(connection: &mut MySqlConnection) -> Result<(), Error> {
    let locked: Option<i64> = sqlx::query_scalar(
        "SELECT GET_LOCK(CONCAT('decant-auth ', LEFT(SHA2(DATABASE(), 256), 32)), ?)",
    )
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
