use crate::failure::Failure;
use decant_audio::{Decoder, Pipe};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::{fd::AsFd, unix::fs::FileTypeExt},
    path::{Path, PathBuf},
};

/// The file that a command reads, and what reads it.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// A video or sound file, or - for standard input. Pipes work for containers that are made to be streamed: MKV, WebM,
    /// MPEG-TS, FLV, MP3, MP4 with its index first (faststart)
    #[arg(value_name = "IN")]
    path: PathBuf,
    /// The program that demuxes and decodes in a box; by default `decant-decode` beside this program
    #[arg(long, env = "DECANT_DECODER", value_name = "DECANT_DECODER")]
    decoder: Option<PathBuf>,
}

impl Source {
    pub(crate) fn decoder(&self) -> Decoder {
        Decoder::at_or_beside(self.decoder.clone())
    }

    pub(crate) fn open(&self) -> Result<Input, Failure> {
        open(&self.path).map_err(|error| Failure::of_file(&self.path, error))
    }

    /// The file's name without what tells its kind.
    pub(crate) fn title(&self) -> Option<String> {
        let title = self.path.file_stem().filter(|_| !is_standard(&self.path))?;
        Some(title.to_string_lossy().into_owned())
    }
}

/// Whether standard input or output is meant.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == "-"
}

fn open(path: &Path) -> io::Result<Input> {
    let file = if is_standard(path) {
        File::from(io::stdin().as_fd().try_clone_to_owned()?)
    } else {
        File::open(path)?
    };
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(if kind.is_file() || kind.is_block_device() {
        Input::File(file)
    } else {
        Input::Pipe(Pipe::new(file))
    })
}

/// What can seek, and what can't.
#[derive(Debug)]
pub(crate) enum Input {
    File(File),
    Pipe(Pipe<File>),
}

impl Input {
    /// What can be read twice: a pipe is written into a file without a name first.
    pub(crate) fn spooled(self) -> io::Result<Self> {
        let Self::Pipe(mut pipe) = self else {
            return Ok(self);
        };
        let mut file = tempfile::tempfile()?;
        io::copy(&mut pipe, &mut file)?;
        Ok(Self::File(file))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Pipe(pipe) => pipe.read(buffer),
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Pipe(pipe) => pipe.seek(to),
        }
    }
}
