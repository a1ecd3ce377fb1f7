use crate::{
    failure::Failure,
    remote::account::{load, save},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Where uploads that haven't ended go on: `uploads.json` in the user's state folder (XDG). What tells an upload from
/// others is its key, what it names its address on the server.
type Unfinished = BTreeMap<String, String>;

/// Uploads at the same time of this program; those of two programs may forget one another, and then begin anew.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(super) fn find(key: &str) -> Result<Option<String>, Failure> {
    Ok(load::<Unfinished>(&path()?)?.remove(key))
}

pub(super) fn note(key: &str, address: &str) -> Result<(), Failure> {
    change(|uploads| {
        uploads.insert(key.to_owned(), address.to_owned());
    })
}

pub(super) fn forget(key: &str) -> Result<(), Failure> {
    change(|uploads| {
        uploads.remove(key);
    })
}

fn change(how: impl FnOnce(&mut Unfinished)) -> Result<(), Failure> {
    let _one = ONE_AT_A_TIME.lock();
    let path = path()?;
    let mut uploads = load(&path)?;
    how(&mut uploads);
    save(&path, &uploads)
}

fn path() -> Result<PathBuf, Failure> {
    let home = xdg::BaseDirectories::with_prefix("decant");
    home.place_state_file("uploads.json")
        .map_err(|error| Failure::of_file(Path::new("uploads.json"), error))
}
