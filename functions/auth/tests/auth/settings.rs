use crate::place::{Backend, Place};
use crate::place::{program, stderr};
use crate::serving::Serving;
use crate::support::TestAuth;
use std::fs;

/// What the program says when it is started as a server with these settings beside right ones.
fn complaint(auth: &TestAuth, settings: &[(&str, &str)]) -> String {
    let mut server = program(&[]);
    server
        .env("PORT", "1") // never reached
        .env("DECANT_USERS", &auth.place.users)
        .env("DECANT_SIGNING_KEY", auth.path("key.pem"));
    let output = server
        .envs(settings.iter().copied())
        .output()
        .expect("a program");
    assert!(!output.status.success());
    stderr(&output)
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_what_it_expects() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let rubbish = auth.path("rubbish.pem");
    fs::write(&rubbish, "rubbish").expect("a file");
    let rubbish = rubbish.to_str().expect("UTF-8");
    let none = auth.path("none/users.db");
    let none = format!("sqlite:{}", none.display());
    for (name, value, expected) in [
        ("PORT", "http", "invalid"),
        ("SHUTDOWN_GRACE", "soon", "expected a time"),
        ("DECANT_USERS", "users.db", "expected sqlite:PATH"),
        ("DECANT_USERS", "", "expected sqlite:PATH"),
        ("DECANT_USERS", &none, "decant-auth migrate"),
        ("DECANT_USERS", "mysql://db", "mysql://USER:PASSWORD@HOST"),
        ("DECANT_SIGNING_KEY", "/none/key.pem", "decant-auth keygen"),
        ("DECANT_SIGNING_KEY", rubbish, "expected PKCS#8"),
        ("DECANT_TRUSTED_PROXIES", "everyone", "expected addresses"),
    ] {
        let complaint = complaint(&auth, &[(name, value)]);
        assert!(complaint.contains(name), "{complaint}");
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[tokio::test]
async fn a_wrong_setting_doesnt_show_the_databases_password() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for wrong in [
        "oracle://decant:hunter2@db/users",
        "mysql://decant:hunter2@db",
    ] {
        let complaint = complaint(&auth, &[("DECANT_USERS", wrong)]);
        assert!(complaint.contains("DECANT_USERS"), "{complaint}");
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_leaves_it_alive_and_not_ready() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let logged = alive_but_not_ready(&auth, "mysql://decant:hunter2@127.0.0.1:1/auth");
    assert!(logged.contains("DECANT_USERS"), "{logged}");
    assert!(logged.contains("no connection to"), "{logged}");
    assert!(!logged.contains("hunter2"), "{logged}");
}

#[tokio::test]
async fn without_tables_it_is_not_ready_and_says_what_makes_them() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for on in [Backend::Sqlite, Backend::MySql] {
        let empty = Place::new(on).await;
        fs::write(empty.path("users.db"), "").expect("a file");
        let logged = alive_but_not_ready(&auth, &empty.users);
        assert!(logged.contains("lacks tables"), "{logged}");
        assert!(logged.contains("decant-auth migrate"), "{logged}");
    }
}

/// What the program logs when it has been asked whether it is ready, which it must not be, with these users.
fn alive_but_not_ready(auth: &TestAuth, users: &str) -> String {
    let server = Serving::start(users, &auth.path("key.pem"));
    let alive = server.ask("GET", "/health/liveness", "");
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
    let ready = server.ask("GET", "/health/readiness", "");
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.contains("not-ready"), "{ready}");
    server.end()
}

#[test]
fn missing_settings_are_named() {
    let output = program(&[]).output().expect("a program");
    assert_eq!(output.status.code(), Some(2));
    for name in ["DECANT_USERS", "DECANT_SIGNING_KEY"] {
        assert!(stderr(&output).contains(name));
    }
}
