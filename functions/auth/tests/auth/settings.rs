use crate::support::{TestAuth, program, stderr};
use std::fs;

/// What the program says when it is started as a server with these settings beside right ones.
fn complaint(auth: &TestAuth, settings: &[(&str, &str)]) -> String {
    let mut server = program(&[]);
    server
        .env("PORT", "1") // never reached
        .env(
            "DECANT_USERS",
            format!("sqlite:{}", auth.path("users.db").display()),
        )
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
    let auth = TestAuth::start().await;
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
    let auth = TestAuth::start().await;
    let complaint = complaint(
        &auth,
        &[("DECANT_USERS", "oracle://decant:hunter2@db/users")],
    );
    assert!(complaint.contains("DECANT_USERS"), "{complaint}");
    assert!(!complaint.contains("hunter2"), "{complaint}");
}

#[test]
fn missing_settings_are_named() {
    let output = program(&[]).output().expect("a program");
    assert_eq!(output.status.code(), Some(2));
    for name in ["DECANT_USERS", "DECANT_SIGNING_KEY"] {
        assert!(stderr(&output).contains(name));
    }
}
