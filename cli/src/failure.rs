use decant_audio::Error;
use decant_function::reasons;
use serde_json::json;
use std::{borrow::Cow, fmt, io, path::Path, process::ExitCode};

/// What commands end with, for their help.
pub(crate) const EXIT_STATUS: &str = "Exit status:
  0  it is done
  1  it failed for reasons of a machine: a file can't be read or written, the decoder doesn't start, the server can't be
     reached; trying again may help
  2  wrong usage
  3  bad input: the file is damaged, has no sound, isn't what was asked for, or the server refuses it; trying again can't
     help";

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Cow<'static, str>,
    detail: String,
    status: u8,
}

impl Failure {
    /// A flag that can't be, told only when all of them are known.
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Self {
            code: "usage".into(),
            detail: detail.into(),
            status: 2,
        }
    }

    /// A file that can't be read or written.
    pub(crate) fn of_file(path: &Path, error: impl Into<io::Error>) -> Self {
        Self {
            code: "file".into(),
            detail: format!("{}: {}", path.display(), error.into()),
            status: 1,
        }
    }

    /// What may pass: a server that is away.
    pub(crate) fn passing(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            status: 1,
        }
    }

    /// What the same command can't ever do better.
    pub(crate) fn refused(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            status: 3,
        }
    }

    /// Names what failed, where there are several.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.detail = format!("{what}: {}", self.detail);
        self
    }

    /// Several as one, whose status is the first one's.
    pub(crate) fn all(failures: Vec<Self>) -> Result<(), Self> {
        let mut failures = failures.into_iter();
        let Some(mut first) = failures.next() else {
            return Ok(());
        };
        for failure in failures {
            first.detail += &format!("\ndecant: {failure}");
        }
        Err(first)
    }

    /// Whether trying again may help.
    pub(crate) fn may_pass(&self) -> bool {
        self.status == 1
    }

    /// What the program ends with.
    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// Says it, to scripts as one JSON object.
    pub(crate) fn report(&self, json: bool, to: &mut dyn io::Write) -> ExitCode {
        if json {
            let Self { code, detail, .. } = self;
            let error = json!({ "error": { "code": code, "detail": detail } });
            let _reader_went = writeln!(to, "{error}");
        } else {
            eprintln!("decant: {self}");
        }
        self.status.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.code().into(),
            detail: reasons(&error),
            status: if error.is_hopeless() { 3 } else { 1 },
        }
    }
}
