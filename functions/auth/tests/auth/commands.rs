use crate::support::{KEVIN, PASSWORD, TestAuth, program, stderr, stdout};
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// `decant-auth` with users in the folder. None of the server's settings is there.
fn with_users(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    let users = format!("sqlite:{}", folder.join("users.db").display());
    command.env("DECANT_USERS", users);
    command
}

fn user(folder: &Path, arguments: &[&str], password: &str) -> Output {
    with_users(folder, &[&["user"], arguments].concat())
        .env("DECANT_PASSWORD", password)
        .output()
        .expect("a program")
}

#[tokio::test]
async fn a_user_who_was_added_can_sign_in() {
    let auth = TestAuth::start().await;
    let output = user(auth.folder.path(), &["add", "Anna@Email.com"], "pa:ss");
    assert!(output.status.success(), "{}", stderr(&output));
    let answer = auth.login("anna@email.com", "pa:ss").await;
    let claims = auth.validate(&answer.text()).await.json();
    assert_eq!(claims["username"], "anna@email.com");
    assert_eq!(claims["admin"], false);

    let list = stdout(&user(auth.folder.path(), &["list"], ""));
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("anna@email.com\tuser\t20"), "{list}");
    assert!(lines[1].starts_with("kevin@email.com\tadmin\t20"), "{list}");
}

#[tokio::test]
async fn a_password_can_come_from_standard_input() {
    let auth = TestAuth::start().await;
    let mut adding = with_users(auth.folder.path(), &["user", "add", "--admin", "a@b.c"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a program");
    let mut stdin = adding.stdin.take().expect("a pipe");
    stdin.write_all("Käse  \r\n".as_bytes()).expect("a reader");
    drop(stdin);
    assert!(adding.wait().expect("an end").success());
    let answer = auth.login("a@b.c", "Käse  ").await;
    assert_eq!(auth.validate(&answer.text()).await.json()["admin"], true);
}

#[tokio::test]
async fn adding_a_user_twice_is_an_error_unless_it_may_be() {
    let auth = TestAuth::start().await;
    let output = user(auth.folder.path(), &["add", KEVIN], "another");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("already"), "{}", stderr(&output));
    let output = user(
        auth.folder.path(),
        &["add", "--if-absent", KEVIN],
        "another",
    );
    assert!(output.status.success());
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200, "unchanged");
}

#[test]
fn adding_the_same_user_at_once_makes_one() {
    let folder = TempDir::new().expect("a folder");
    let running: Vec<_> = (0..4)
        .map(|_| {
            with_users(folder.path(), &["user", "add", "--if-absent", KEVIN])
                .env("DECANT_PASSWORD", PASSWORD)
                .spawn()
                .expect("a program")
        })
        .collect();
    for mut one in running {
        assert!(one.wait().expect("an end").success());
    }
    let list = stdout(&user(folder.path(), &["list"], ""));
    assert_eq!(list.lines().count(), 1);
}

#[tokio::test]
async fn a_changed_password_replaces_the_old_one_and_ends_the_throttle() {
    let auth = TestAuth::start().await;
    for _ in 0..5 {
        assert_eq!(auth.login(KEVIN, "forgotten").await.status, 401);
    }
    let output = user(auth.folder.path(), &["passwd", KEVIN], "new");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 401);
    assert_eq!(auth.login(KEVIN, "new").await.status, 200);
}

#[tokio::test]
async fn a_removed_user_cant_sign_in() {
    let auth = TestAuth::start().await;
    assert!(
        user(auth.folder.path(), &["remove", KEVIN], "")
            .status
            .success()
    );
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 401);
}

#[test]
fn what_cant_be_done_is_said() {
    let folder = TempDir::new().expect("a folder");
    let long = "x".repeat(1025);
    for (arguments, password, expected) in [
        (["passwd", KEVIN], "new", "there is no user"),
        (["remove", KEVIN], "", "there is no user"),
        (["add", KEVIN], "", "1 to 1024 bytes"),
        (["add", KEVIN], &long, "1 to 1024 bytes"),
        (["add", "a:b@email.com"], "new", "colon"),
    ] {
        let output = user(folder.path(), &arguments, password);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let output = user(folder.path(), &["add", "kevin"], "new");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected a mail address"));
}

#[test]
fn many_can_migrate_at_once() {
    for _ in 0..5 {
        let folder = TempDir::new().expect("a folder");
        let running: Vec<_> = (0..6)
            .map(|_| {
                with_users(folder.path(), &["migrate"])
                    .spawn()
                    .expect("a program")
            })
            .collect();
        for mut one in running {
            assert!(one.wait().expect("an end").success());
        }
        assert!(user(folder.path(), &["list"], "").status.success());
    }
}

#[test]
fn nobody_else_may_read_the_database() {
    let folder = TempDir::new().expect("a folder");
    let migrated = with_users(folder.path(), &["migrate"]).status();
    assert!(migrated.expect("a program").success());
    let metadata = fs::metadata(folder.path().join("users.db")).expect("a database");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}
