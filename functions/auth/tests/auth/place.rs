//! Where the users of a test live, in each kind of database.

use decant_test_servers::MySqlServer;
use sqlx::{Connection, MySqlConnection, SqliteConnection};
use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;

/// Makes two tests of each named function: `on_sqlite::…` and `on_mysql::…`.
macro_rules! on_each_database {
    ($($test:ident)+) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::place::Backend::Sqlite).await;
            })+
        }
        mod on_mysql {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::place::Backend::MySql).await;
            })+
        }
    };
}
pub(crate) use on_each_database;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Sqlite,
    MySql,
}

/// An empty database of one's own, and a folder.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    /// The value of DECANT_USERS.
    pub(crate) users: String,
}

impl Place {
    pub(crate) async fn new(on: Backend) -> Self {
        let folder = TempDir::new().expect("a folder");
        let users = match on {
            Backend::Sqlite => format!("sqlite:{}", folder.path().join("users.db").display()),
            Backend::MySql => {
                // The first one waits for the server to start.
                let server = tokio::task::spawn_blocking(MySqlServer::shared).await;
                new_database(server.expect("a server")).await
            }
        };
        Self { folder, users }
    }

    /// One that has its tables.
    pub(crate) async fn migrated(on: Backend) -> Self {
        let place = Self::new(on).await;
        place.done(&["migrate"]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `decant-auth` with these users and none of the server's settings.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.env("DECANT_USERS", &self.users);
        command
    }

    /// `decant-auth user …`
    pub(crate) fn user(&self, arguments: &[&str], password: &str) -> Output {
        self.program(&[&["user"], arguments].concat())
            .env("DECANT_PASSWORD", password)
            .output()
            .expect("a program")
    }

    /// Runs `decant-auth`, which must succeed, and gives what it printed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.program(arguments).output().expect("a program");
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    }

    /// Does something to the database behind auth's back.
    pub(crate) async fn execute(&self, sql: &'static str) {
        if self.users.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.users).await;
            let connection = connection.as_mut().expect("a database");
            let done = sqlx::raw_sql(sql).execute(connection).await;
            done.expect("done");
        } else {
            let mut connection = MySqlConnection::connect(&self.users).await;
            let connection = connection.as_mut().expect("a database");
            let done = sqlx::raw_sql(sql).execute(connection).await;
            done.expect("done");
        }
    }

    /// Asks the database for a number behind auth's back.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let count = if self.users.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.users).await;
            let connection = connection.as_mut().expect("a database");
            sqlx::query_scalar(sql).fetch_one(connection).await
        } else {
            let mut connection = MySqlConnection::connect(&self.users).await;
            let connection = connection.as_mut().expect("a database");
            sqlx::query_scalar(sql).fetch_one(connection).await
        };
        count.expect("a number")
    }
}

/// The address of a new, empty database.
pub(crate) async fn new_database(server: &MySqlServer) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("auth_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    execute_as_root(server, &format!("CREATE DATABASE {name}")).await;
    server.url(&name)
}

/// Does something to the whole server.
pub(crate) async fn execute_as_root(server: &MySqlServer, sql: &str) {
    let url = server.url("mysql");
    let connection = MySqlConnection::connect(&url).await;
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection.expect("a connection"))
        .await;
    done.expect("done");
}

/// The program itself, with nothing in its environment.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_decant-auth"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
