//! What only a server can do: be away, hang, be migrated by many, want TLS.

use crate::place::{Backend, Place, execute_as_root, new_database, stderr};
use crate::support::{Call, KEVIN, PASSWORD, TestAuth, quick};
use chrono::{DateTime, Utc};
use decant_test_servers::MySqlServer;
use sqlx::{Connection, MySqlConnection};
use std::{
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Auth on a server of its own.
async fn start(options: &[&str]) -> (TestAuth, MySqlServer) {
    let folder = TempDir::new().expect("a folder");
    let server = MySqlServer::start_with(folder.path(), options);
    let users = new_database(&server).await;
    let auth = TestAuth::start_in(Place { folder, users }, quick(), quick()).await;
    (auth, server)
}

/// 503, soon, and said as it is when SQLite fails.
async fn assert_away(auth: &TestAuth) {
    let begin = Instant::now();
    let answer = auth.login(KEVIN, PASSWORD).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.code(), "users-unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(
        begin.elapsed() < Duration::from_secs(8),
        "{:?}",
        begin.elapsed()
    );
    let answer = auth.send(Call::new("GET", "/health/readiness")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("users' database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_away_is_used_again_at_once() {
    let (auth, mut server) = start(&[]).await;
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
    server.stop();
    server.start_again();
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);

    assert_eq!(auth.login(KEVIN, "wrong").await.status, 401);
    server.kill();
    assert_away(&auth).await;
    server.start_again();
    for _ in 0..4 {
        assert_eq!(auth.login(KEVIN, "wrong").await.status, 401);
    }
    let answer = auth.login(KEVIN, PASSWORD).await;
    assert_eq!(answer.status, 429, "the failure before the crash counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_utc_whatever_the_server_shows_people() {
    let begin = Utc::now();
    let (auth, _server) = start(&["--default-time-zone=+09:00"]).await;
    let list = auth.place.done(&["user", "list"]);
    let added = list.trim_end().rsplit('\t').next().expect("a time");
    let added: DateTime<Utc> = added.parse().expect("a time");
    let about = begin - Duration::from_secs(1)..=Utc::now() + Duration::from_secs(1);
    assert!(about.contains(&added), "{added}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_nobody_up() {
    let (auth, server) = start(&[]).await;
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
    server.pause();
    assert_away(&auth).await;
    server.resume();
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_whose_holder_is_stuck_holds_up_for_seconds() {
    let auth = TestAuth::start(Backend::MySql).await;
    let stuck = MySqlConnection::connect(&auth.place.users).await;
    let mut stuck = stuck.expect("a connection");
    let mut transaction = stuck.begin().await.expect("a transaction");
    sqlx::query("SELECT id FROM write_lock FOR UPDATE")
        .fetch_one(&mut *transaction)
        .await
        .expect("the lock");
    let begin = Instant::now();
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 503);
    assert!(begin.elapsed() < Duration::from_secs(8));
    transaction.rollback().await.expect("an end");
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_leaves_no_lock_behind() {
    let auth = TestAuth::start(Backend::MySql).await;
    for i in 0..40 {
        let name = format!("nobody-{i}@email.com");
        // Ever later, so that each step is broken off once.
        let patience = Duration::from_micros(i * 250);
        let _ = tokio::time::timeout(patience, auth.login(&name, PASSWORD)).await;
    }
    // A lock that stayed would make it 503.
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_killed_goes_on() {
    let place = Place::migrated(Backend::MySql).await;
    // As it is when the second one's CREATE TABLE has committed what stood before it.
    place
        .execute(
            "DELETE FROM _sqlx_migrations WHERE version > 2;
             UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2;
             DROP TABLE write_lock",
        )
        .await;
    place.done(&["migrate"]);
    let done = "SELECT count(*) FROM _sqlx_migrations WHERE success";
    assert_eq!(place.count(done).await, 4);
    assert_eq!(place.count("SELECT count(*) FROM write_lock").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_anothers() {
    let place = Place::new(Backend::MySql).await;
    let other = MySqlConnection::connect(&place.users).await;
    let mut other = other.expect("a connection");
    sqlx::query("DO GET_LOCK(CONCAT('decant-auth ', LEFT(SHA2(DATABASE(), 256), 32)), 0)")
        .execute(&mut other)
        .await
        .expect("the lock");
    let mut waiting = place.program(&["migrate"]).spawn().expect("a program");
    let in_line = "SELECT count(*) FROM information_schema.processlist
        WHERE state = 'User lock' AND db = DATABASE()";
    while place.count(in_line).await == 0 {
        assert!(
            waiting.try_wait().expect("a status").is_none(),
            "it didn't wait"
        );
    }
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()";
    assert_eq!(place.count(tables).await, 0);
    drop(other);
    assert!(waiting.wait().expect("an end").success());
    assert_eq!(place.count(tables).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_may_come_by_itself() {
    let place = Place::migrated(Backend::MySql).await;
    let database = place.users.rsplit('/').next().expect("a database");
    let server = MySqlServer::shared();
    let list = |users: &str, password: &str| {
        let mut command = place.program(&["user", "list"]);
        command
            .env("DECANT_USERS", users)
            .env("MYSQL_PASSWORD", password);
        command.output().expect("a program")
    };
    let bare = format!("mysql://tester@127.0.0.1:{}/{database}", server.port);
    let output = list(&bare, "p/ss:w#rd");
    assert!(output.status.success(), "{}", stderr(&output));
    // The address' own comes first.
    assert!(list(&place.users, "hunter2").status.success());
    let output = list(&bare, "hunter2");
    let said = stderr(&output);
    assert!(said.contains("Access denied"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

fn make_certificate(folder: &TempDir) {
    let made = Command::new("openssl")
        .current_dir(folder.path())
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output();
    assert!(made.expect("openssl").status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_used_where_the_server_offers_it_and_its_certificate_checked_when_asked() {
    let folder = TempDir::new().expect("a folder");
    make_certificate(&folder);
    let path = |name| folder.path().join(name).display().to_string();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let (auth, server) = start(&[
        &format!("--ssl-cert={certificate}"),
        &format!("--ssl-key={key}"),
    ])
    .await;
    execute_as_root(&server, "ALTER USER 'tester'@'%' REQUIRE SSL").await;
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);

    let users = auth.place.users.replace("127.0.0.1", "localhost");
    let list = |options: &str| {
        let mut command = auth.place.program(&["user", "list"]);
        command.env("DECANT_USERS", format!("{users}?{options}"));
        command.output().expect("a program")
    };
    let output = list(&format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={certificate}"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!list("ssl-mode=VERIFY_IDENTITY").status.success());
    assert!(!list("ssl-mode=DISABLED").status.success());
}
