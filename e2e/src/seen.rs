use crate::{Client, EMAIL, Mailbox, PASSWORD, Process, System};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is to be seen of a system.
impl System {
    /// Its running processes.
    pub fn processes(&self) -> Vec<Process> {
        Process::all_on(&self.data())
    }

    /// The one running process of a function, such as `convert`.
    pub fn function(&self, name: &str) -> Process {
        let name = format!("decant-{name}");
        let mut running = self.processes();
        running.retain(|process| process.name == name);
        assert_eq!(running.len(), 1, "{name} runs once: {running:?}");
        running.remove(0)
    }

    /// A client that has signed in as its user.
    pub async fn client(&self) -> Client {
        Client::sign_in(self.port, EMAIL, PASSWORD).await
    }

    /// Its mails.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.mail_folder())
    }

    /// Where it was told to keep its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The names of all MP3s in its store, without those that nobody finished.
    pub fn mp3s(&self) -> Vec<String> {
        let names = self.payloads("mp3s").into_iter().map(|(name, _)| name);
        names.filter(|name| !name.ends_with(".part")).collect()
    }

    /// The names and sizes of all videos in its store, finished or not.
    pub fn videos(&self) -> Vec<(String, u64)> {
        self.payloads("videos")
    }

    /// The names of all payloads in its store that nobody finished, or not yet.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = [self.payloads("mp3s"), self.payloads("videos")].concat();
        parts.retain(|(name, _)| name.ends_with(".part"));
        parts.into_iter().map(|(name, _)| name).collect()
    }

    /// A folder that goes when the system does, for whatever a test needs.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// What it said on standard output since its last start.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }

    /// What it said on standard error, over all starts: JSON lines, and sentences about settings.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The log's JSON lines.
    pub fn log_lines(&self) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    fn payloads(&self, bucket: &str) -> Vec<(String, u64)> {
        let folder = self.data().join("store").join(bucket);
        let entries = fs::read_dir(folder).expect("a store");
        entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let size_bytes = entry.metadata().ok()?.len();
                Some((entry.file_name().to_string_lossy().into_owned(), size_bytes))
            })
            .collect()
    }
}
