//! The suite that clusters are tested with, on this machine.

use std::time::Duration;
use tokio::{process::Command, time::timeout};

/// Alone it takes about a minute.
const LIMIT: Duration = Duration::from_secs(900);

#[tokio::test]
async fn the_suite_of_the_cluster_passes_on_real_servers() {
    let suite = Command::new(env!("CARGO_BIN_EXE_decant-e2e-local"))
        .arg("--short")
        .kill_on_drop(true)
        .output();
    let suite = timeout(LIMIT, suite).await.expect("an end in time");
    let suite = suite.expect("the program");
    let said = String::from_utf8_lossy(&suite.stdout);
    let complained = String::from_utf8_lossy(&suite.stderr);
    assert!(suite.status.success(), "{said}\n{complained}");
    assert!(said.contains(" 0 failed"), "{said}");
    // Without them it would look at less, and pass.
    assert!(said.contains("passed  Mails can be read"), "{said}");
}
