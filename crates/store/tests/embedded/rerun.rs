//! A test that needs a process of its own runs itself again, with a role in its environment.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const FOLDER: &str = "DECANT_TEST_FOLDER";

/// The folder to work in, if this process is a rerun.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs `test` (its full name) again, in `folder`. `wrapper` is a program in front of it, with its arguments.
pub(crate) fn rerun(wrapper: &[&str], test: &str, folder: &Path) -> Command {
    let this = env::current_exe().unwrap();
    let mut words = wrapper.iter().map(Path::new).chain([this.as_path()]);
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder);
    command
}
