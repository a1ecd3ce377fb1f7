//! What shells and manuals know of the command.

use crate::Command as Decant;
use clap::CommandFactory;
use clap_complete::Shell;
use std::{io, path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print what a shell needs to complete this command: `decant completions bash >~/.local/share/bash-completion/completions/decant`
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write man pages into a folder: `decant man ~/.local/share/man/man1`
    Man {
        /// The folder; it has to be there
        folder: PathBuf,
    },
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Decant::command(), "decant", &mut io::stdout());
        }
        Command::Man { folder } => clap_mangen::generate_to(Decant::command(), folder)?,
    }
    Ok(ExitCode::SUCCESS)
}
