use crate::{failure::Failure, source::is_standard};
use std::{
    fs::{self, File, Permissions},
    io::{self, IsTerminal, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempPath;

/// Where an MP3 goes when it is whole. What isn't finished is removed when this is dropped.
#[derive(Debug)]
pub(crate) enum Output {
    /// Written beside it, then renamed.
    File {
        part: TempPath,
        path: PathBuf,
        force: bool,
    },
    /// A pipe can't be patched at its start when the end is known: written into a file without a name, then copied.
    Standard,
}

impl Output {
    /// And the file that the engine writes to.
    pub(crate) fn create(path: &Path, force: bool) -> Result<(File, Self), Failure> {
        if is_standard(path) {
            if io::stdout().is_terminal() {
                return Err(Failure::usage(
                    "an MP3 is nothing for a terminal: name a file, or send it on with | or >",
                ));
            }
            let spool = tempfile::tempfile();
            let spool = spool.map_err(|error| Failure::of_file(&std::env::temp_dir(), error))?;
            return Ok((spool, Self::Standard));
        }
        let failed = |error| Failure::of_file(path, error);
        let path = match fs::metadata(path) {
            Ok(there) if !there.is_file() => {
                return Err(failed(io::Error::other(
                    "is no file (- is standard output)",
                )));
            }
            Ok(_) if !force => {
                return Err(failed(io::Error::other(
                    "is there already: --force overwrites it",
                )));
            }
            // What a link leads to is overwritten, not the link.
            Ok(_) => fs::canonicalize(path).map_err(failed)?,
            Err(_) => path.to_owned(),
        };
        let folder = path.parent().filter(|folder| *folder != "");
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let missing = io::Error::other("there is no such folder");
            return Err(Failure::of_file(folder, missing));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = tempfile::Builder::new()
            .prefix(&name)
            // As any new file, of which the umask takes its share.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(failed)?;
        let (file, part) = part.into_parts();
        Ok((file, Self::File { part, path, force }))
    }

    /// The MP3 is whole but for its head.
    pub(crate) fn finish(self, mut file: File, head: &[u8]) -> Result<(), Failure> {
        let write_head = |file: &mut File| {
            file.rewind()?;
            file.write_all(head)
        };
        match self {
            Self::File { part, path, force } => {
                let failed = |error| Failure::of_file(&path, error);
                write_head(&mut file).map_err(failed)?;
                let moved = if force {
                    part.persist(&path)
                } else {
                    part.persist_noclobber(&path)
                };
                moved.map_err(|error| failed(error.error))
            }
            Self::Standard => {
                let copied = write_head(&mut file).and_then(|()| {
                    file.rewind()?;
                    let mut stdout = io::stdout().lock();
                    io::copy(&mut file, &mut stdout)?;
                    stdout.flush()
                });
                copied.map_err(|error| Failure::of_file(Path::new("standard output"), error))
            }
        }
    }
}
