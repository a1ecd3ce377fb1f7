//! What the suite may call: bash, curl and coreutils, as on a machine that has little else.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Besides `curl`, all of them are of coreutils.
const TOOLS: [&str; 16] = [
    "bash", "curl", "base64", "cat", "cksum", "cut", "date", "dirname", "head", "mktemp", "rm",
    "sleep", "sort", "timeout", "tr", "wc",
];

/// A folder that has these programs alone, in `scratch`. What the suite uses beyond them fails there, and would fail on a
/// machine without it.
pub(crate) fn folder(scratch: &Path) -> PathBuf {
    let folder = scratch.join("tools");
    fs::create_dir(&folder).expect("a folder");
    let path = env::var_os("PATH").unwrap_or_default();
    for tool in TOOLS {
        let mut places = env::split_paths(&path).map(|place| place.join(tool));
        let found = places.find(|place| place.is_file());
        let found = found.unwrap_or_else(|| panic!("{tool} is on the PATH"));
        symlink(found, folder.join(tool)).expect("a link");
    }
    folder
}
