//! The decoder's process as its parent sees it: started, spoken with, and ended.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::Signal;

use crate::Error;
use crate::decoder::{Decoder, Limits, Stop};
use crate::native::confine::{NO_LIBRARIES, OUT_OF_MEMORY};
use crate::pcm::Wish;
use crate::protocol::{HEADER_BYTES, MAX_PAYLOAD_BYTES, Order, Said};

/// What a pipe holds where the system allows it: about three seconds of PCM, so that decoding goes on while LAME works.
const PIPE_BYTES: usize = 1024 * 1024;

/// A process whose pipe has ended is about to end too. Otherwise it is made to.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// A decoder at work. It ends with this, and with the thread that started it.
pub(crate) struct Process {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    stop: Option<Stop>,
    limits: Limits,
    payload: Vec<u8>,
}

impl Process {
    /// With an empty environment, and nothing but its two pipes.
    pub(crate) fn start(
        decoder: &Decoder,
        input_bytes: u64,
        in_fragments: bool,
        wish: Wish,
    ) -> Result<Self, Error> {
        let limits = decoder.limits;
        let program = decoder.program.display();
        let failed = |error: io::Error| Error::engine(format!("{program} doesn't start: {error}"));
        let mut child = Command::new(&decoder.program)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::engine("the decoder has no pipes"));
        };
        // Smaller pipes work too: somebody without rights has only so many large ones.
        let _larger = fcntl_setpipe_size(&from, PIPE_BYTES);
        fcntl_setfl(&to, OFlags::NONBLOCK).map_err(|error| failed(error.into()))?;
        let mut process = Self {
            child,
            to,
            from,
            stop: decoder.stop.clone(),
            limits,
            payload: Vec::with_capacity(MAX_PAYLOAD_BYTES),
        };
        let order = Order {
            input_bytes,
            memory_bytes: limits.memory_bytes,
            cpu_seconds: limits.cpu.as_secs().max(1),
            streams: limits.streams,
            parent: std::process::id(),
            in_fragments,
            wish,
        };
        process.tell(&order.encode())?;
        Ok(process)
    }

    /// The next message. Its payload stays in [`payload`](Self::payload).
    pub(crate) fn hear(&mut self) -> Result<Said, Error> {
        let deadline = Instant::now() + self.limits.silence;
        let mut header = [0; HEADER_BYTES];
        self.read(&mut header, deadline)?;
        let Some((kind, length)) = Said::decode_header(header) else {
            return Err(self.lied("sent a message that doesn't exist"));
        };
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(length, 0);
        let read = self.read(&mut payload, deadline);
        self.payload = payload;
        read?;
        match Said::decode(kind, &self.payload) {
            Some(said) => Ok(said),
            None => Err(self.lied("sent a message that is out of shape")),
        }
    }

    /// What came with the last message.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) fn tell(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let deadline = Instant::now() + self.limits.silence;
        while !bytes.is_empty() {
            match self.to.write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => self.wait(PollFlags::OUT, deadline)?,
                    io::ErrorKind::Interrupted => {}
                    // It has ended. Why, it may have said before: that is still to be heard.
                    _ => return Ok(()),
                },
            }
        }
        Ok(())
    }

    /// Why a child that doesn't keep to the protocol is listened to no longer.
    pub(crate) fn lied(&self, how: &str) -> Error {
        Error::Crashed(format!("the decoder {how}"))
    }

    fn read(&mut self, mut buffer: &mut [u8], deadline: Instant) -> Result<(), Error> {
        while !buffer.is_empty() {
            self.wait(PollFlags::IN, deadline)?;
            match self.from.read(buffer) {
                Ok(0) => return Err(self.ended()),
                Ok(read) => buffer = buffer.get_mut(read..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.ended()),
            }
        }
        Ok(())
    }

    /// Until the pipe is ready or closed, the conversion is stopped, or the time is over.
    fn wait(&self, readiness: PollFlags, deadline: Instant) -> Result<(), Error> {
        let pipe: BorrowedFd<'_> = match readiness {
            PollFlags::OUT => self.to.as_fd(),
            _ => self.from.as_fd(),
        };
        let stop = self.stop.as_ref().map_or(pipe, |stop| stop.as_fd());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(Error::engine)?;
            let mut ready = [
                PollFd::from_borrowed_fd(pipe, readiness),
                PollFd::from_borrowed_fd(stop, PollFlags::IN),
            ];
            match poll(&mut ready, Some(&left)) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(Error::engine(error)),
                Ok(0) => return Err(Error::Stalled(self.limits.silence)),
                Ok(_) => {}
            }
            let is_stopped = self.stop.is_some() && !ready[1].revents().is_empty();
            return if is_stopped {
                Err(Error::Stopped)
            } else {
                Ok(())
            };
        }
    }

    /// Why the child speaks no more.
    fn ended(&mut self) -> Error {
        let since = Instant::now();
        while since.elapsed() < LAST_MOMENTS {
            match self.child.try_wait() {
                Ok(Some(status)) => return self.of_status(status),
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Error::engine(error),
            }
        }
        self.lied("closed its pipe and went on")
    }

    fn of_status(&self, status: ExitStatus) -> Error {
        let is = |signal: Signal| status.signal() == Some(signal.as_raw());
        if is(Signal::XCPU) {
            return Error::TooMuchWork(self.limits.cpu);
        }
        // None of these comes from the program itself.
        if [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP]
            .into_iter()
            .any(is)
        {
            return Error::Killed;
        }
        match status.code() {
            Some(OUT_OF_MEMORY) => return Error::TooMuchMemory,
            // With no descriptor left, a program that could be started inside gets no further than this either.
            Some(NO_LIBRARIES) => {
                let reason = "a program can be started inside, or its libraries are missing";
                return Error::Unconfined(reason.to_owned());
            }
            _ => {}
        }
        Error::Crashed(format!("the decoder ended with {status}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
