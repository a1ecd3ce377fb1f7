//! A wrong setting ends the program before it binds, and names itself.

use crate::notify_process::run;
use clap::Parser;
use decant_notify::{Config, Encryption, Outbox};

const RIGHT: [(&str, &str); 5] = [
    ("DECANT_STORE", "/nowhere/to/be/reached"),
    ("DECANT_SMTP", "file:/nowhere"),
    ("DECANT_PUBLIC_URL", "https://decant.example.com"),
    ("LINK_SECRET", "0123456789abcdef0123456789abcdef"),
    ("K_SINK", "http://broker"),
];

/// What the binary says when one setting is `value`, or missing.
fn complaint(name: &str, value: Option<&str>) -> String {
    let mut settings = Vec::from(RIGHT);
    settings.retain(|setting| setting.0 != name);
    settings.extend(value.map(|value| (name, value)));
    let output = run(&settings);
    assert!(!output.status.success(), "{name}={value:?} was taken");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn a_wrong_setting_names_itself_and_says_what_is_expected() {
    for (name, value, expected) in [
        ("DECANT_STORE", "postgres://x", "expected a folder"),
        ("DECANT_SMTP", "mail.example.com", "expected smtp://"),
        ("GMAIL_ADDRESS", "nobody", "expected a mail address"),
        ("DECANT_MAIL_FROM", "nobody", "expected a mail address"),
        (
            "DECANT_PUBLIC_URL",
            "decant.example.com",
            "expected an address",
        ),
        ("DECANT_PUBLIC_URL", "https://x/?y", "expected an address"),
        ("LINK_SECRET", "short", "expected at least 32 characters"),
        ("DECANT_LINK_TTL", "a week", "expected a time"),
        ("K_SINK", "broker", "expected an address"),
        ("DECANT_SWEEP_GRACE", "-1", "expected a time"),
        ("DECANT_KEEP_VIDEO", "a week", "expected a time"),
        ("DECANT_KEEP_MP3", "-7d", "expected a time"),
        ("PORT", "http", "expected a port"),
    ] {
        let said = complaint(name, Some(value));
        assert!(said.contains(name), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn a_missing_setting_names_itself() {
    for (name, _) in RIGHT {
        let said = complaint(name, None);
        assert!(said.contains(name), "{name}: {said}");
    }
    let said = complaint("GMAIL_ADDRESS", Some("kevin@gmail.com"));
    assert!(said.contains("GMAIL_PASSWORD"), "{said}");
}

#[test]
fn a_wrong_secret_is_not_shown() {
    for (name, value) in [
        ("DECANT_SMTP", "smtp://kevin:hunter2@host?tls=none"),
        ("LINK_SECRET", "hunter2"),
    ] {
        let said = complaint(name, Some(value));
        assert!(!said.contains("hunter2"), "{name}: {said}");
    }
}

#[test]
fn a_store_or_folder_that_can_not_be_made_names_its_setting() {
    let said = complaint("DECANT_STORE", Some("/proc/nothing/here"));
    assert!(said.contains("DECANT_STORE"), "{said}");
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let mut settings = Vec::from(RIGHT);
    settings[0].1 = store.to_str().expect("a path");
    settings[1].1 = "file:/proc/nothing/here";
    let said = String::from_utf8(run(&settings).stderr).expect("text");
    assert!(said.contains("DECANT_SMTP"), "{said}");
}

#[test]
fn gmails_short_form_is_its_server_and_the_sender() {
    let config = Config::try_parse_from([
        "decant-notify",
        "--store=store",
        "--gmail-address=kevin@gmail.com",
        "--gmail-password=abcd efgh",
        "--public-url=http://localhost:8080",
        "--link-secret=0123456789abcdef0123456789abcdef",
        "--sink=http://localhost",
    ])
    .expect("settings");
    assert_eq!(config.sender().to_string(), "Decant <kevin@gmail.com>");
    match config.outbox() {
        Ok(Outbox::Smtp(server)) => {
            assert_eq!((server.host.as_str(), server.port), ("smtp.gmail.com", 587));
            assert_eq!(server.encryption, Encryption::StartTls);
            assert!(server.login.is_some());
        }
        other => panic!("{other:?}"),
    }
}
