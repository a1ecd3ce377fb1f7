use decant_audio::Error;
use decant_function::reasons;
use serde_json::json;
use std::{io, path::Path, process::ExitCode};

/// What the commands that read a file end with, for their help.
pub(crate) const EXIT_STATUS: &str = "Exit status:
  0  it is done
  1  it failed for reasons of this machine: a file can't be read or written, the decoder doesn't start
  2  wrong usage
  3  bad input: the file is damaged, has no sound, or isn't what was asked for; trying again can't help";

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    detail: String,
    status: u8,
}

impl Failure {
    /// A flag that can't be, told only when all of them are known.
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Self {
            code: "usage",
            detail: detail.into(),
            status: 2,
        }
    }

    /// A file that can't be read or written.
    pub(crate) fn of_file(path: &Path, error: impl Into<io::Error>) -> Self {
        Self {
            code: "file",
            detail: format!("{}: {}", path.display(), error.into()),
            status: 1,
        }
    }

    /// Says it, to scripts as one JSON object.
    pub(crate) fn report(&self, json: bool, to: &mut dyn io::Write) -> ExitCode {
        let Self { code, detail, .. } = self;
        if json {
            let error = json!({ "error": { "code": code, "detail": detail } });
            let _reader_went = writeln!(to, "{error}");
        } else {
            eprintln!("decant: {detail}");
        }
        self.status.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            detail: reasons(&error),
            status: if error.is_hopeless() { 3 } else { 1 },
        }
    }
}
