//! What the accounts of the grants' files may do, and what not. The files name the database `auth`: this is the one test
//! that uses it.

use crate::place::{Place, execute_as_root, stderr};
use crate::support::{KEVIN, PASSWORD, TestAuth, quick};
use decant_test_servers::MySqlServer;
use sqlx::{Connection, MySqlConnection};
use tempfile::TempDir;

const MIGRATING: &str = include_str!("../../grants/1-migrating.sql");
const SERVING: &str = include_str!("../../grants/2-serving.sql");
const OLDER: &str = include_str!("../../grants/3-older-system.sql");

fn place(server: &MySqlServer, user: &str) -> Place {
    Place {
        folder: TempDir::new().expect("a folder"),
        users: server.url_as(user, "hunter2", "auth"),
    }
}

async fn grant(server: &MySqlServer, sql: &str) {
    execute_as_root(server, &sql.replace("change me", "hunter2")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_may_do_its_own_and_nothing_else() {
    let server = tokio::task::spawn_blocking(MySqlServer::shared).await;
    let server = server.expect("a server");
    execute_as_root(
        server,
        "CREATE DATABASE other; CREATE TABLE other.t (id INT)",
    )
    .await;

    grant(server, MIGRATING).await;
    let migrator = place(server, "auth_migrator");
    migrator.done(&["migrate"]);
    let output = migrator.user(&["add", KEVIN], PASSWORD);
    assert!(output.status.success(), "{}", stderr(&output));

    // An account that sees nothing of ours is told that it can't make it.
    let nobody = "CREATE USER nobody IDENTIFIED BY 'change me'; GRANT EXECUTE ON auth.* TO nobody";
    grant(server, nobody).await;
    let output = place(server, "nobody").program(&["migrate"]).output();
    let output = output.expect("a program");
    assert!(stderr(&output).contains("denied"), "{}", stderr(&output));
    assert!(!output.status.success());
    // One that sees that all is there has nothing to make.
    grant(server, "GRANT SELECT ON auth.* TO nobody").await;
    place(server, "nobody").done(&["migrate"]);

    grant(server, SERVING).await;
    let serving = place(server, "auth_user");
    // What `decant up` does at each start: this, and the user that it is told of.
    let output = serving.program(&["migrate"]).output().expect("a program");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("tables are there"),
        "{}",
        stderr(&output)
    );
    assert!(serving.done(&["user", "list"]).contains(KEVIN));
    for name in [KEVIN, "admin@localhost"] {
        let output = serving.user(&["add", name, "--admin", "--if-absent"], PASSWORD);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    // It has its tables, but not the right to add anybody behind migrate's back: the test's own user is Kevin.
    let auth = TestAuth::open(serving, quick()).await;
    assert_eq!(auth.login(KEVIN, "wrong").await.status, 401);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
    assert_eq!(
        auth.login("georgio@email.com", "Admin123").await.status,
        401
    );

    execute_as_root(
        server,
        "CREATE TABLE auth.user (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
             email VARCHAR(255) NOT NULL UNIQUE, password VARCHAR(255) NOT NULL);
         INSERT INTO auth.user (email, password) VALUES ('georgio@email.com', 'Admin123')",
    )
    .await;
    // Without the right to it, it is as if it weren't there.
    assert_eq!(
        auth.login("georgio@email.com", "Admin123").await.status,
        401
    );
    grant(server, OLDER).await;
    assert_eq!(
        auth.login("georgio@email.com", "Admin123").await.status,
        200
    );
    let left = migrator.count("SELECT count(*) FROM auth.user").await;
    assert_eq!(left, 0);

    for sql in [
        "SELECT * FROM other.t",
        "SELECT * FROM mysql.user",
        "SELECT * FROM auth._sqlx_migrations",
        "CREATE TABLE auth.t (id INT)",
        "DROP TABLE auth.users",
        "UPDATE auth.users SET admin = TRUE",
        "DELETE FROM auth.users",
        "TRUNCATE auth.login_attempts",
        "UPDATE auth.user SET password = ''",
        "CREATE DATABASE mine",
    ] {
        refused(&auth.place, sql).await;
    }
    for sql in [
        "SELECT * FROM other.t",
        "SELECT * FROM mysql.user",
        "CREATE DATABASE mine",
    ] {
        refused(&migrator, sql).await;
    }
}

async fn refused(place: &Place, sql: &'static str) {
    let connection = MySqlConnection::connect(&place.users).await;
    let mut connection = connection.expect("a connection");
    let done = sqlx::raw_sql(sql).execute(&mut connection).await;
    let error = done.expect_err(sql).to_string();
    assert!(error.contains("denied"), "{sql}: {error}");
}
