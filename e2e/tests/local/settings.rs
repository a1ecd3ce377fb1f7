//! Settings of `decant up` that are wrong, and places that are taken.

use crate::{SOON, clips};
use decant_e2e::System;
use std::net::TcpListener;

#[tokio::test]
async fn a_wrong_setting_is_named_before_anything_is_bound() {
    let system = System::new();
    // Whoever got as far as binding the door would name PORT.
    let taken = TcpListener::bind(("0.0.0.0", system.port)).expect("a free port");
    for (name, wrong) in [
        ("DECANT_ADMIN", "x"),
        ("DECANT_MAX_UPLOAD", "lots"),
        ("DECANT_SMTP", "mail.example.com"),
        ("DECANT_PUBLIC_URL", "x"),
        ("SHUTDOWN_GRACE", "soon"),
    ] {
        let ended = system.start_in_vain(&[(name, wrong)]).await;
        let said = ended.said;
        assert!(!ended.status.success(), "{name}={wrong}: {said}");
        assert!(said.contains(name), "{name}={wrong}: {said}");
        assert!(said.contains("expected"), "{name}={wrong}: {said}");
        assert!(!said.contains("PORT:"), "{name}={wrong}: {said}");
        assert_eq!(system.processes(), [], "{name}={wrong}");
    }
    drop(taken);
    for wrong in ["http", "99999", ""] {
        let ended = system.start_in_vain(&[("PORT", wrong)]).await;
        assert!(!ended.status.success(), "PORT={wrong}: {}", ended.said);
        assert!(ended.said.contains("PORT"), "PORT={wrong}: {}", ended.said);
        assert!(
            ended.said.contains("expected"),
            "PORT={wrong}: {}",
            ended.said
        );
    }
}

#[tokio::test]
async fn a_secret_in_a_wrong_setting_is_not_repeated() {
    let system = System::new();
    let password = "Pa55word-that-nobody-may-see";
    for (name, wrong) in [
        ("DECANT_ADMIN", format!("not an address:{password}")),
        ("DECANT_SMTP", format!("smtp://kevin:{password}@host:99999")),
    ] {
        let ended = system.start_in_vain(&[(name, &wrong)]).await;
        assert!(!ended.status.success());
        assert!(ended.said.contains(name), "{}", ended.said);
        assert!(!ended.said.contains(password), "{}", ended.said);
    }
}

#[tokio::test]
async fn a_port_or_a_folder_that_is_taken_is_refused_and_its_owner_goes_on() {
    let system = System::started().await;
    let client = system.client().await;

    let other = System::new();
    let ended = other
        .start_in_vain(&[("PORT", &system.port.to_string())])
        .await;
    assert!(!ended.status.success());
    assert!(
        ended.said.contains("PORT: expected a free port"),
        "{}",
        ended.said
    );
    assert_eq!(other.processes(), []);

    let ended = other
        .start_in_vain(&[("DECANT_DATA", &system.data().display().to_string())])
        .await;
    assert!(!ended.status.success());
    assert!(
        ended
            .said
            .contains("DECANT_DATA: another `decant up` runs on"),
        "{}",
        ended.said
    );

    let job = client.upload("Film.mp4", clips::short()).await;
    client.wait_for(&job.id, "ready", SOON).await;
}
