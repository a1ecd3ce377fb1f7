use crate::place::{program, stderr};

use decant_auth::KeyPair;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use tempfile::TempDir;

fn keygen(folder: &Path) -> Command {
    let mut command = program(&["keygen"]);
    command
        .arg("--signing-key")
        .arg(folder.join("key.pem"))
        .arg("--public-keys")
        .arg(folder.join("keys.json"));
    command
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a file")
}

fn mode(folder: &TempDir, name: &str) -> u32 {
    let metadata = fs::metadata(folder.path().join(name)).expect("a file");
    metadata.permissions().mode() & 0o777
}

#[test]
fn it_makes_a_private_key_and_the_public_keys_that_belong_to_it() {
    let folder = TempDir::new().expect("a folder");
    assert!(keygen(folder.path()).status().expect("a program").success());
    let key = KeyPair::read(&folder.path().join("key.pem")).expect("a key");
    assert_eq!(read(&folder, "keys.json"), key.public_keys());
    assert_eq!(mode(&folder, "key.pem"), 0o600);
    assert_eq!(mode(&folder, "keys.json"), 0o644);
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 2, "nothing else stays");
}

#[test]
fn a_key_that_is_there_stays_and_its_public_keys_are_written_again() {
    let folder = TempDir::new().expect("a folder");
    assert!(keygen(folder.path()).status().expect("a program").success());
    let before = (read(&folder, "key.pem"), read(&folder, "keys.json"));
    fs::remove_file(folder.path().join("keys.json")).expect("a file");
    assert!(keygen(folder.path()).status().expect("a program").success());
    assert_eq!(
        (read(&folder, "key.pem"), read(&folder, "keys.json")),
        before
    );
}

#[test]
fn what_is_no_key_is_left_alone() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("key.pem"), "precious").expect("a file");
    let output = keygen(folder.path()).output().expect("a program");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("DECANT_SIGNING_KEY"));
    assert_eq!(read(&folder, "key.pem"), "precious");
    assert!(!folder.path().join("keys.json").exists());
}

#[test]
fn of_many_at_once_one_makes_the_key() {
    let folder = TempDir::new().expect("a folder");
    let running: Vec<_> = (0..8)
        .map(|_| keygen(folder.path()).spawn().expect("a program"))
        .collect();
    for mut one in running {
        assert!(one.wait().expect("an end").success());
    }
    let key = KeyPair::read(&folder.path().join("key.pem")).expect("a key");
    assert_eq!(read(&folder, "keys.json"), key.public_keys());
}

#[test]
fn openssl_reads_the_key() {
    let folder = TempDir::new().expect("a folder");
    assert!(keygen(folder.path()).status().expect("a program").success());
    let openssl = Command::new("openssl")
        .args(["pkey", "-noout", "-text", "-in"])
        .arg(folder.path().join("key.pem"))
        .output();
    // Where there is no openssl, there is nothing to ask.
    if let Ok(output) = openssl {
        assert!(String::from_utf8_lossy(&output.stdout).contains("ED25519"));
    }
}
