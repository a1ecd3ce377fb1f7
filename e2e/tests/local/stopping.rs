//! SIGTERM.

use crate::{SOON, clips};
use decant_e2e::System;
use std::time::Duration;

#[tokio::test]
async fn a_stop_lets_the_conversion_in_flight_end_and_leaves_nothing_running() {
    let mut system = System::new();
    system.set("SHUTDOWN_GRACE", "60s").start().await;
    let client = system.client().await;
    let job = client.upload("Rauschen.mkv", clips::long()).await;
    client.wait_for(&job.id, "converting", SOON).await;
    assert!(system.mp3s().is_empty());
    system.stop(Duration::from_secs(90)).await;
    assert_eq!(system.mp3s().len(), 1, "the job in flight was done");

    system.start().await;
    let job = client.wait_for(&job.id, "ready", SOON).await;
    assert_eq!(system.mp3s(), [job.mp3()]);
    system.mailbox().wait_for("Rauschen", SOON).await;
    assert_eq!(system.mailbox().mails().len(), 1);
}

#[tokio::test]
async fn an_idle_system_stops_at_once() {
    let mut system = System::started().await;
    system.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_second_ctrl_c_stops_at_once() {
    let mut system = System::new();
    system.set("SHUTDOWN_GRACE", "10m").start().await;
    let client = system.client().await;
    let job = client.upload("Rauschen.mkv", clips::long()).await;
    client.wait_for(&job.id, "converting", SOON).await;
    system.interrupt_twice(Duration::from_secs(10)).await;
    assert!(system.mp3s().is_empty(), "nobody waited for the conversion");
}
