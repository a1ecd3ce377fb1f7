//! The suite that clusters are tested with, on this machine.

use tokio::process::Command;

#[tokio::test]
async fn the_suite_of_the_cluster_passes_on_real_servers() {
    let suite = Command::new(env!("CARGO_BIN_EXE_decant-e2e-local"))
        .arg("--short")
        .kill_on_drop(true)
        .output();
    let suite = suite.await.expect("the program");
    let said = String::from_utf8_lossy(&suite.stdout);
    let complained = String::from_utf8_lossy(&suite.stderr);
    assert!(suite.status.success(), "{said}\n{complained}");
    assert!(said.contains(" 0 failed"), "{said}");
}
