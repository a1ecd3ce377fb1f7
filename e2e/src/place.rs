use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The program under test: it lies in the folder above the test's own.
pub(crate) fn decant() -> PathBuf {
    let test = env::current_exe().expect("the test's own program");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/test");
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
