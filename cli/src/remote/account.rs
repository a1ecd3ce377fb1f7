use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use url::Url;

const HOME: &str = "http://localhost:8080/";

/// Who is signed in where: `account.json` in the user's configuration folder (XDG), readable by its owner alone.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Accounts {
    /// The server of the last login.
    last: Option<Url>,
    /// By the server's address.
    accounts: BTreeMap<Url, Account>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Account {
    username: String,
    token: String,
}

impl Accounts {
    pub(crate) fn load() -> Result<Self, Failure> {
        load(&path()?)
    }

    /// Keeps a login; whatever ends the program meanwhile, the file is the old one or the new one.
    pub(crate) fn keep(
        &mut self,
        server: Url,
        username: String,
        token: String,
    ) -> Result<(), Failure> {
        self.last = Some(server.clone());
        self.accounts.insert(server, Account { username, token });
        save(&path()?, self)
    }

    /// The server that is meant.
    pub(crate) fn address(&self, asked: Option<&Url>) -> Url {
        let last = asked.or(self.last.as_ref()).cloned();
        last.unwrap_or_else(|| Url::parse(HOME).unwrap_or_else(|_| unreachable!("it is a URL")))
    }

    pub(crate) fn token(&self, server: &Url) -> Result<String, Failure> {
        let account = self.accounts.get(server);
        account.map(|account| account.token.clone()).ok_or_else(|| {
            Failure::refused(
                "missing-token",
                format!("not signed in at {server}: decant login EMAIL --server {server}"),
            )
        })
    }
}

fn path() -> Result<PathBuf, Failure> {
    let home = xdg::BaseDirectories::with_prefix("decant");
    home.place_config_file("account.json")
        .map_err(|error| Failure::of_file(Path::new("account.json"), error))
}

/// What a file of ours holds; nothing where there is none.
pub(crate) fn load<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| Failure::of_file(path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(Failure::of_file(path, error)),
    }
}

/// Replaces such a file as a whole. `tempfile` makes it with mode 600.
pub(crate) fn save(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, content)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok::<(), io::Error>(())
    };
    write().map_err(|error| Failure::of_file(path, error))
}
