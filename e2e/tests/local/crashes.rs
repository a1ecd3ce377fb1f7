//! SIGKILL, as a power cut does it, and what the next start makes of it.

use crate::{AFTER_A_LEASE, AFTER_A_MAIL_LEASE, SOON, clips, events::sweep, refusals::upload_half};
use decant_e2e::{System, eventually, free_port};

#[tokio::test]
async fn a_kill_in_the_middle_of_an_upload_leaves_no_job_and_harms_no_other() {
    let mut system = System::new();
    system.set("DECANT_SWEEP_GRACE", "0").start().await;
    let client = system.client().await;
    let slow = upload_half(&system, &client).await;
    let accepted = client.upload("Angenommen.mp4", clips::short()).await;
    system.kill_everything().await;
    slow.abort();

    system.start().await;
    let client = system.client().await;
    client.wait_for(&accepted.id, "ready", AFTER_A_LEASE).await;
    system
        .mailbox()
        .wait_for("Angenommen", AFTER_A_MAIL_LEASE)
        .await;
    let jobs = client.jobs().await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_one_of_each(&system).await;
    assert_eq!(system.parts().len(), 1, "half a video");
    nothing_is_left_over(&system).await;
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_conversion_costs_neither_the_mp3_nor_the_mail() {
    let mut system = System::new();
    system.set("DECANT_SWEEP_GRACE", "0").start().await;
    let client = system.client().await;
    let job = client.upload("Rauschen.mkv", clips::long()).await;
    client.wait_for(&job.id, "converting", SOON).await;
    system.kill_everything().await;
    assert_eq!(
        system.mp3s(),
        Vec::<String>::new(),
        "the kill came too late"
    );

    system.start().await;
    let client = system.client().await;
    client.wait_for(&job.id, "ready", AFTER_A_LEASE).await;
    system
        .mailbox()
        .wait_for("Rauschen", AFTER_A_MAIL_LEASE)
        .await;
    nothing_is_left_over(&system).await;
    assert_one_of_each(&system).await;
}

#[tokio::test]
async fn a_kill_before_the_mail_costs_no_mail() {
    let mut system = System::new();
    let to_files = format!("file:{}", system.scratch().join("mail").display());
    let to_nobody = format!("smtp://127.0.0.1:{}?tls=none", free_port());
    system.set("DECANT_SMTP", &to_nobody).start().await;
    let client = system.client().await;
    let job = client.upload("Film.mp4", clips::short()).await;
    client.wait_for(&job.id, "ready", SOON).await;
    assert!(system.mailbox().mails().is_empty());
    system.kill_everything().await;

    system.set("DECANT_SMTP", &to_files).start().await;
    system.mailbox().wait_for("Film", AFTER_A_MAIL_LEASE).await;
    assert_one_of_each(&system).await;
}

#[tokio::test]
async fn a_function_that_dies_at_work_is_started_again_and_the_work_is_done() {
    let system = System::started().await;
    let client = system.client().await;
    let job = client.upload("Rauschen.mkv", clips::long()).await;
    client.wait_for(&job.id, "converting", SOON).await;
    let killed = system.function("convert");
    killed.kill();

    eventually("another decant-convert", SOON, async || {
        let running = system.processes();
        running
            .iter()
            .any(|one| one.name == killed.name && *one != killed)
            .then_some(())
    })
    .await;
    let log = system.log_lines();
    let died = log.iter().find(|line| line["message"] == "function died");
    assert_eq!(died.expect("a line in the log")["function"], "convert");
    client.wait_for(&job.id, "ready", AFTER_A_LEASE).await;
    system
        .mailbox()
        .wait_for("Rauschen", AFTER_A_MAIL_LEASE)
        .await;
    assert_one_of_each(&system).await;
}

#[tokio::test]
async fn kills_in_a_row_lose_nothing_that_was_accepted() {
    let mut system = System::new();
    system.set("DECANT_SWEEP_GRACE", "0");
    let mut accepted = Vec::new();
    for round in 0..3 {
        system.start().await;
        let client = system.client().await;
        for clip in 0..3 {
            let name = format!("Runde {round} Clip {clip}.mp4");
            accepted.push(client.upload(&name, clips::short()).await);
        }
        system.kill_everything().await;
    }
    system.start().await;
    let client = system.client().await;
    for job in &accepted {
        client.wait_for(&job.id, "ready", AFTER_A_LEASE).await;
        system
            .mailbox()
            .wait_for(&job.title, AFTER_A_MAIL_LEASE)
            .await;
    }
    // A kill between an MP3's last byte and its publication leaves it to the sweep: its job gets another one.
    eventually("one MP3 for each job", AFTER_A_LEASE, async || {
        assert_eq!(sweep(&system).await, 200);
        (system.mp3s().len() == accepted.len()).then_some(())
    })
    .await;
    assert_eq!(system.mailbox().mails().len(), accepted.len());
}

/// Waits until sweeps have deleted whatever a kill left half-written: once the lease of its writer has run out, which for
/// an upload takes two minutes.
async fn nothing_is_left_over(system: &System) {
    let mut looks = 0..;
    eventually("no half-written payload", AFTER_A_LEASE, async || {
        if looks.next()? % 40 == 0 {
            assert_eq!(sweep(system).await, 200);
        }
        system.parts().is_empty().then_some(())
    })
    .await;
}

/// One mail, and one MP3 when the sweep has been: a kill between an MP3's last byte and its publication leaves it behind.
async fn assert_one_of_each(system: &System) {
    eventually("one MP3", AFTER_A_LEASE, async || {
        let _ = sweep(system).await;
        (system.mp3s().len() == 1).then_some(())
    })
    .await;
    assert_eq!(system.mailbox().mails().len(), 1);
}

#[tokio::test]
async fn the_functions_never_outlive_the_command() {
    let mut system = System::started().await;
    system.kill_the_command().await;
    system.start().await;
    system.client().await;
}
