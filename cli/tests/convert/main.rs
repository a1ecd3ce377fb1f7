//! `decant convert` and `decant probe`, from outside.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod ends;
mod files;
mod pipes;
mod probe;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};
use tempfile::TempDir;

/// A folder of files, and the command in it.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_decant"));
        let decoder = program.with_file_name("decant-decode");
        assert!(
            decoder.is_file(),
            "there is no {} yet: run ./test, or `cargo build --workspace --bins` first",
            decoder.display()
        );
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn with(name: &str, content: &[u8]) -> Self {
        let desk = Self::new();
        desk.put(name, content);
        desk
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_decant"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env_remove("DECANT_DECODER");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// With `input` coming through a pipe.
    fn pipe(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                // It may have seen enough.
                let _ended = to.write_all(input);
            });
            child.wait_with_output().unwrap()
        })
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn succeeds(output: Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[track_caller]
fn fails(output: Output, status: i32, says: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(says), "{said}");
    assert!(output.stdout.is_empty());
}

/// What ffprobe says of a file, one `key=value` per line.
fn ffprobe(file: &Path) -> String {
    let entries = "format=duration:format_tags:stream=codec_name,sample_rate,channels,bit_rate";
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            entries,
            "-of",
            "default=noprint_wrappers=1",
        ])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8(probed.stdout).unwrap()
}
