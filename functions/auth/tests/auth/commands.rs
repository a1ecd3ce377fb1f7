use crate::place::{Backend, Place, on_each_database};
use crate::place::{stderr, stdout};
use crate::support::{KEVIN, PASSWORD, TestAuth};
use std::{fs, io::Write, os::unix::fs::PermissionsExt, process::Stdio};

on_each_database! {
    a_user_who_was_added_can_sign_in
    a_password_can_come_from_standard_input
    adding_a_user_twice_is_an_error_unless_it_may_be
    adding_the_same_user_at_once_makes_one
    a_changed_password_replaces_the_old_one_and_ends_the_throttle
    a_removed_user_cant_sign_in
    what_cant_be_done_is_said
    many_can_migrate_at_once
}

async fn a_user_who_was_added_can_sign_in(on: Backend) {
    let auth = TestAuth::start(on).await;
    let output = auth.place.user(&["add", "Anna@Email.com"], "pa:ss");
    assert!(output.status.success(), "{}", stderr(&output));
    let answer = auth.login("anna@email.com", "pa:ss").await;
    let claims = auth.validate(&answer.text()).await.json();
    assert_eq!(claims["username"], "anna@email.com");
    assert_eq!(claims["admin"], false);

    let list = stdout(&auth.place.user(&["list"], ""));
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("anna@email.com\tuser\t20"), "{list}");
    assert!(lines[1].starts_with("kevin@email.com\tadmin\t20"), "{list}");
}

async fn a_password_can_come_from_standard_input(on: Backend) {
    let auth = TestAuth::start(on).await;
    let mut adding = auth
        .place
        .program(&["user", "add", "--admin", "a@b.c"])
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

async fn adding_a_user_twice_is_an_error_unless_it_may_be(on: Backend) {
    let auth = TestAuth::start(on).await;
    let output = auth.place.user(&["add", KEVIN], "another");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("already"), "{}", stderr(&output));
    let output = auth.place.user(&["add", "--if-absent", KEVIN], "another");
    assert!(output.status.success());
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200, "unchanged");
}

async fn adding_the_same_user_at_once_makes_one(on: Backend) {
    let place = Place::migrated(on).await;
    let running: Vec<_> = (0..4)
        .map(|_| {
            place
                .program(&["user", "add", "--if-absent", KEVIN])
                .env("DECANT_PASSWORD", PASSWORD)
                .spawn()
                .expect("a program")
        })
        .collect();
    for mut one in running {
        assert!(one.wait().expect("an end").success());
    }
    let list = stdout(&place.user(&["list"], ""));
    assert_eq!(list.lines().count(), 1);
}

async fn a_changed_password_replaces_the_old_one_and_ends_the_throttle(on: Backend) {
    let auth = TestAuth::start(on).await;
    for _ in 0..5 {
        assert_eq!(auth.login(KEVIN, "forgotten").await.status, 401);
    }
    let output = auth.place.user(&["passwd", KEVIN], "new");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 401);
    assert_eq!(auth.login(KEVIN, "new").await.status, 200);
}

async fn a_removed_user_cant_sign_in(on: Backend) {
    let auth = TestAuth::start(on).await;
    assert!(auth.place.user(&["remove", KEVIN], "").status.success());
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 401);
}

async fn what_cant_be_done_is_said(on: Backend) {
    let place = Place::migrated(on).await;
    let long = "x".repeat(1025);
    for (arguments, password, expected) in [
        (["passwd", KEVIN], "new", "there is no user"),
        (["remove", KEVIN], "", "there is no user"),
        (["add", KEVIN], "", "1 to 1024 bytes"),
        (["add", KEVIN], &long, "1 to 1024 bytes"),
        (["add", "a:b@email.com"], "new", "colon"),
    ] {
        let output = place.user(&arguments, password);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let output = place.user(&["add", "kevin"], "new");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected a mail address"));
}

async fn many_can_migrate_at_once(on: Backend) {
    for _ in 0..5 {
        let place = Place::new(on).await;
        let running: Vec<_> = (0..6)
            .map(|_| place.program(&["migrate"]).spawn().expect("a program"))
            .collect();
        for mut one in running {
            assert!(one.wait().expect("an end").success());
        }
        assert!(place.user(&["list"], "").status.success());
    }
}

#[tokio::test]
async fn nobody_else_may_read_the_database() {
    let place = Place::new(Backend::Sqlite).await;
    let migrated = place.program(&["migrate"]).status();
    assert!(migrated.expect("a program").success());
    let metadata = fs::metadata(place.path("users.db")).expect("a database");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}
