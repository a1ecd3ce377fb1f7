use super::report;
use anyhow::{Context, bail};
use rand::{RngCore, rngs::OsRng};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// The folder of all data: who may sign in, what was uploaded, what signs tokens and links, mail that went out.
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Held as long as the system runs: two of them on one folder would work against each other.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder, for its owner's eyes only, and locks it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let failed = || {
            format!(
                "DECANT_DATA: expected a folder that can be written to, got {}",
                path.display()
            )
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(failed)?;
        let path = path.canonicalize().with_context(failed)?;
        let lock = private()
            .create(true)
            .open(path.join("lock"))
            .with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "DECANT_DATA: another `decant up` runs on {}; stop it, or name another folder",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(failed),
        }
    }

    pub(crate) fn signing_key(&self) -> PathBuf {
        self.path.join("signing-key.pem")
    }

    pub(crate) fn public_keys(&self) -> PathBuf {
        self.path.join("public-keys.json")
    }

    pub(crate) fn users(&self) -> String {
        format!("sqlite:{}", self.path.join("users.db").display())
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    pub(crate) fn mail(&self) -> PathBuf {
        self.path.join("mail")
    }

    /// Where `decant status` asks. What a process that was killed left there is in the way, and nobody's: the lock is ours.
    pub(crate) fn listen_for_status(&self) -> anyhow::Result<UnixListener> {
        match fs::remove_file(self.path.join(report::SOCKET)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Ok(report::listen(&File::open(&self.path)?)?)
    }

    /// What signs the links in mails: made once.
    pub(crate) fn link_secret(&self) -> anyhow::Result<String> {
        let path = self.path.join("link-secret");
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let secret = random_hex(32);
                // Written aside, then renamed: a half-written secret would lock everybody out of their links.
                let aside = self.path.join("link-secret.new");
                let mut file = private().create(true).truncate(true).open(&aside)?;
                file.write_all(secret.as_bytes())?;
                file.sync_all()?;
                fs::rename(&aside, &path)?;
                File::open(&self.path)?.sync_all()?;
                Ok(secret)
            }
            secret => secret.with_context(|| format!("can't read {}", path.display())),
        }
    }
}

/// Random bytes from the operating system, as hex.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    OsRng.fill_bytes(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}
