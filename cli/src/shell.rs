//! What shells and manuals know of the command.

use crate::{Command as Decant, failure::Failure};
use clap::CommandFactory;
use clap_complete::Shell;
use std::{fs, io, path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print what a shell needs to complete this command: `decant completions bash >~/.local/share/bash-completion/completions/decant`
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write man pages into a folder: `decant man ~/.local/share/man/man1`
    Man {
        /// The folder, made if it isn't there
        folder: PathBuf,
    },
}

pub(crate) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Decant::command(), "decant", &mut io::stdout());
        }
        Command::Man { folder } => {
            let written = fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Decant::command(), folder));
            if let Err(error) = written {
                return Failure::of_file(folder, error).report(false, &mut io::stdout());
            }
        }
    }
    ExitCode::SUCCESS
}
