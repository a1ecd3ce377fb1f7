//! The program that decodes in a box, and what it may use.

use std::env;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use crate::Error;
use crate::pcm::Wish;
use crate::process::Process;
use crate::protocol::Said;

/// Where the decoder is and what each conversion may use of it.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// The program `decant-decode`.
    pub program: PathBuf,
    /// What one file may take.
    pub limits: Limits,
    /// Ends the conversions that have it.
    pub stop: Option<Stop>,
}

impl Decoder {
    /// This program, with the limits that are sane.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            limits: Limits::default(),
            stop: None,
        }
    }

    /// This program, or `decant-decode` beside the one that runs.
    pub fn at_or_beside(program: Option<PathBuf>) -> Self {
        let beside = || {
            let this = env::current_exe().unwrap_or_default();
            this.with_file_name("decant-decode")
        };
        Self::new(program.unwrap_or_else(beside))
    }

    /// Starts the decoder once, for nothing but to see whether its box holds. Says what the kernel lacks for it.
    ///
    /// # Errors
    /// [`Error::Unconfined`] where `open`, `socket` or `execve` work inside, [`Error::Engine`] where it can't be started.
    pub fn check(&self) -> Result<Missing, Error> {
        let mut process = Process::start(self, 0, false, Wish::default())?;
        match process.hear()? {
            Said::Confined(missing) => Ok(missing),
            Said::Unconfined(reason) => Err(Error::Unconfined(reason)),
            _ => Err(process.lied("spoke before it was confined")),
        }
    }
}

/// What one file may take. Whoever needs more isn't a video that people have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Decoded sound: 12 hours.
    pub sound: Duration,
    /// The MP3: 2 GiB.
    pub mp3_bytes: u64,
    /// Time on a processor to demux, decode and resample, in whole seconds: 5 minutes.
    pub cpu: Duration,
    /// Address space of the decoder: 512 MiB. It needs about 20.
    pub memory_bytes: u64,
    /// Tracks of all kinds: 100.
    pub streams: u32,
    /// Time without a word from the decoder: 30 seconds.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sound: Duration::from_secs(12 * 3600),
            mp3_bytes: 2 << 30,
            cpu: Duration::from_secs(300),
            memory_bytes: 512 << 20,
            streams: 100,
            silence: Duration::from_secs(30),
        }
    }
}

/// What the kernel lacks for the box. The rest of it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missing {
    /// Landlock: files are closed by seccomp and by limits alone.
    pub landlock: bool,
    /// Seccomp: files are closed by Landlock, sockets by a limit; other system calls are open.
    pub seccomp: bool,
}

impl Missing {
    /// Whether the box is all there.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.landlock, self.seccomp) {
            (false, false) => "nothing",
            (true, false) => "landlock",
            (false, true) => "seccomp",
            (true, true) => "landlock and seccomp",
        })
    }
}

/// Ends conversions from another thread, at once, also while they wait for their decoder. Clones are one.
#[derive(Debug, Clone)]
pub struct Stop(Arc<OwnedFd>);

impl Stop {
    /// One that hasn't been used.
    ///
    /// # Errors
    /// The system's, when it is out of descriptors.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(event)))
    }

    /// Ends the conversions that have this, and those that come to have it. They fail with [`Error::Stopped`].
    pub fn stop(&self) {
        // Fails only where its counter is full: then it is stopped already.
        let _stopped = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// Readable once it is stopped.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
