//! What a first start makes, and a second one keeps.

use crate::{SOON, clips};
use decant_e2e::{Client, System};
use reqwest::Method;
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

#[tokio::test]
async fn a_first_user_is_made_and_its_password_printed_once() {
    let mut system = System::new();
    system.unset("DECANT_ADMIN").start().await;
    let said = system.said();
    let line = said.lines().find(|line| line.contains("admin@localhost"));
    let mut words = line.expect("a line with the user").split_whitespace();
    let (email, password) = (
        words.next().expect("a user"),
        words.next().expect("a password"),
    );
    Client::sign_in(system.port, email, password).await;
    assert!(!system.log().contains(password), "it is in the log");
    system.stop(Duration::from_secs(20)).await;

    system.start().await;
    assert!(
        !system.said().contains("admin@localhost"),
        "{}",
        system.said()
    );
    Client::sign_in(system.port, email, password).await;
}

#[tokio::test]
async fn tokens_and_links_outlive_a_restart_and_their_keys_are_for_the_owner_alone() {
    let mut system = System::started().await;
    let client = system.client().await;
    let job = client.upload("Film.mp4", clips::short()).await;
    client.wait_for(&job.id, "ready", SOON).await;
    let link = system.mailbox().wait_for("Film", SOON).await.link();
    system.interrupt(Duration::from_secs(20)).await;
    system.start().await;

    assert_eq!(client.jobs().await.len(), 1);
    let path = format!("/download?{}", link.query().expect("a signature"));
    let answer = client
        .stranger(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    for secret in ["signing-key.pem", "link-secret"] {
        let file = fs::metadata(system.data().join(secret)).expect("it is there");
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{secret}");
    }
}
