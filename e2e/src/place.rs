use std::{env, path::PathBuf};

/// The program under test: it lies in the folder above the test's own.
pub(crate) fn decant() -> PathBuf {
    let test = env::current_exe().expect("the test's own program");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/test");
    for name in [
        "decant",
        "decant-auth",
        "decant-upload",
        "decant-convert",
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
