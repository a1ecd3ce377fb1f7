use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The program under test: it lies in the folder above a test's own, and beside a program such as `decant-e2e-local`.
pub(crate) fn decant() -> PathBuf {
    let own = env::current_exe().expect("one's own program");
    let folder = own.parent().expect("target/PROFILE or target/PROFILE/deps");
    let profile = match folder.ends_with("deps") {
        true => folder.parent().expect("target/PROFILE"),
        false => folder,
    };
    for name in [
        "decant",
        "decant-auth",
        "decant-upload",
        "decant-convert",
        "decant-decode",
        "decant-notify",
    ] {
        assert!(
            profile.join(name).is_file(),
            "there is no {} yet: run ./test, or `cargo build --workspace --bins` first",
            profile.join(name).display()
        );
    }
    profile.join("decant")
}

/// Adds somebody who may sign in, in the database at `users`.
pub fn add_user(users: &str, email: &str, password: &str) {
    let auth = decant().with_file_name("decant-auth");
    let added = Command::new(auth)
        .args(["user", "add", email])
        .env("DECANT_USERS", users)
        .env("DECANT_PASSWORD", password)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(added.status.success(), "{added:?}");
}
