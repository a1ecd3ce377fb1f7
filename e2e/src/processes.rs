use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// A process of the system, seen through `/proc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its program's name, such as `decant-convert`.
    pub name: String,
    pid: Pid,
}

impl Process {
    /// All running ones in whose environment the folder is named, which is how every process of a system knows its data.
    /// One that has ended and is not reaped yet has no environment any more, so it isn't among them.
    pub(crate) fn all_on(folder: &Path) -> Vec<Self> {
        let entries = fs::read_dir("/proc").expect("/proc is there");
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Pid::from_raw)
            .filter_map(|pid| {
                let environment = fs::read(file(pid, "environ")).ok()?;
                let folder = folder.as_os_str().as_bytes();
                let named = environment.windows(folder.len()).any(|part| part == folder);
                let name = fs::read_to_string(file(pid, "comm")).ok()?;
                named.then(|| Self {
                    name: name.trim_end().to_owned(),
                    pid,
                })
            })
            .collect()
    }

    /// Its running children. One that has ended and is not reaped yet isn't among them.
    pub fn children(&self) -> Vec<Self> {
        let parent = format!("PPid:\t{}", self.pid.as_raw_nonzero());
        let processes = fs::read_dir("/proc").expect("/proc is there");
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Pid::from_raw)
            .filter_map(|pid| {
                let status = fs::read_to_string(file(pid, "status")).ok()?;
                let mut lines = status.lines();
                let is_dead = lines.clone().any(|line| line.starts_with("State:\tZ"));
                let name = lines
                    .clone()
                    .find_map(|line| line.strip_prefix("Name:\t"))?;
                let is_child = lines.any(|line| line == parent) && !is_dead;
                is_child.then(|| Self {
                    name: name.to_owned(),
                    pid,
                })
            })
            .collect()
    }

    /// Ends it at once. One that is gone already is fine.
    pub fn kill(&self) {
        let _ = kill_process(self.pid, Signal::KILL);
    }

    /// Asks it to end, as the system's own stop does. One that is gone already is fine.
    pub fn ask_to_stop(&self) {
        let _ = kill_process(self.pid, Signal::TERM);
    }

    /// The most memory that it ever held.
    pub fn peak_memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(file(self.pid, "status")).expect("the process runs");
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        let kib: u64 = peak.expect("a peak").trim().parse().expect("a number");
        kib * 1024
    }

    /// A variable of its environment.
    pub fn variable(&self, name: &str) -> String {
        let environment = fs::read(file(self.pid, "environ")).expect("the process runs");
        environment
            .split(|byte| *byte == 0)
            .filter_map(|variable| std::str::from_utf8(variable).ok()?.split_once('='))
            .find_map(|(key, value)| (key == name).then(|| value.to_owned()))
            .unwrap_or_else(|| panic!("{} has no {name} in its environment", self.name))
    }
}

fn file(pid: Pid, name: &str) -> PathBuf {
    Path::new("/proc")
        .join(pid.as_raw_nonzero().to_string())
        .join(name)
}
