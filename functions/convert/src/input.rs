use bytes::Bytes;
use decant_store::{CHUNK_BYTES, Error as StoreError, PayloadReader};
use std::{
    collections::VecDeque,
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::engine::wait;

/// How many chunks that were read are kept: the engine comes back to the start and to the index.
const KEPT: usize = 3;

/// The most chunks that are read ahead.
const MOST_AHEAD: u64 = 4;

/// So many chunks have to be read for each that may be read in vain.
const READ_PER_WASTED: u64 = 32;

/// A stored video as the engine reads it, chunk by chunk. While the engine works on one, those after it are read.
///
/// Those after it are as far away as it was from the one before: the next ones in most files, every seventh where between two
/// stretches of sound there are pictures. A guess may be wrong, so few are made until many chunks were read: no more than one
/// chunk in 32 is read in vain, and one more.
pub(crate) struct Input {
    video: Arc<dyn PayloadReader>,
    position: u64,
    kept: VecDeque<(u64, Bytes)>,
    ahead: Option<Ahead>,
    steps: Steps,
    runtime: Handle,
    stop: CancellationToken,
}

impl Input {
    /// To be read on a thread where one may wait, from within `runtime`.
    pub(crate) fn new(
        video: Arc<dyn PayloadReader>,
        runtime: Handle,
        stop: CancellationToken,
    ) -> Self {
        let chunks = video.size_bytes().div_ceil(CHUNK_BYTES as u64);
        Self {
            video,
            position: 0,
            kept: VecDeque::new(),
            ahead: None,
            steps: Steps::new(chunks),
            runtime,
            stop,
        }
    }

    fn chunk(&mut self, number: u64) -> io::Result<Bytes> {
        if let Some(at) = self.kept.iter().position(|(kept, _)| *kept == number) {
            // What is needed again is kept longest.
            let kept = self.kept.remove(at);
            self.kept.extend(kept);
        } else {
            let chunk = self.fetch(number)?;
            self.kept.push_back((number, chunk));
            let forgotten = self.kept.len().saturating_sub(KEPT);
            self.kept.drain(..forgotten);
        }
        let chunk = self.kept.back().map(|(_, chunk)| chunk.clone());
        Ok(chunk.unwrap_or_default())
    }

    fn fetch(&mut self, number: u64) -> io::Result<Bytes> {
        let mut ahead = self.ahead.take();
        let on_its_way = ahead
            .as_ref()
            .and_then(|ahead| ahead.numbers.iter().position(|ahead| *ahead == number));
        let chunk = match (&mut ahead, on_its_way) {
            (Some(ahead), Some(before)) => {
                self.steps.wasted += before as u64;
                wait(&self.runtime, &self.stop, ahead.take(number))?
            }
            (wrong, _) => {
                self.steps.wasted += wrong.take().map_or(0, |wrong| wrong.numbers.len() as u64);
                wait(&self.runtime, &self.stop, read(&*self.video, number))?
            }
        };
        let on_their_way = ahead.as_ref().map_or(0, |ahead| ahead.numbers.len());
        for next in self.steps.after(number, on_their_way as u64) {
            let ahead = ahead.get_or_insert_with(|| Ahead::of(&self.video, &self.runtime));
            ahead.ask(next);
        }
        self.ahead = ahead;
        Ok(chunk)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.video.size_bytes() {
            return Ok(0);
        }
        let chunk_bytes = CHUNK_BYTES as u64;
        let chunk = self.chunk(self.position / chunk_bytes)?;
        let offset = usize::try_from(self.position % chunk_bytes).unwrap_or(usize::MAX);
        let bytes = chunk.get(offset..).unwrap_or_default();
        if bytes.is_empty() {
            return Err(io::Error::other(StoreError::Corrupt(
                "a payload ends before its size".into(),
            )));
        }
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.video.size_bytes().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

async fn read(video: &dyn PayloadReader, number: u64) -> Result<Bytes, StoreError> {
    video
        .read_at(number * CHUNK_BYTES as u64, CHUNK_BYTES)
        .await
}

/// Chunks on their way, read one after the other by a task that ends with this.
struct Ahead {
    numbers: VecDeque<u64>,
    asks: UnboundedSender<u64>,
    chunks: UnboundedReceiver<Result<Bytes, StoreError>>,
    _task: AbortOnDropHandle<()>,
}

impl Ahead {
    fn of(video: &Arc<dyn PayloadReader>, runtime: &Handle) -> Self {
        let (asks, mut asked) = mpsc::unbounded_channel();
        let (give, chunks) = mpsc::unbounded_channel();
        let video = Arc::clone(video);
        let task = runtime.spawn(async move {
            while let Some(number) = asked.recv().await {
                if give.send(read(&*video, number).await).is_err() {
                    break;
                }
            }
        });
        Self {
            numbers: VecDeque::new(),
            asks,
            chunks,
            _task: AbortOnDropHandle::new(task),
        }
    }

    fn ask(&mut self, number: u64) {
        self.numbers.push_back(number);
        // Fails only where the task has panicked, and then so does what is asked for next.
        let _asked = self.asks.send(number);
    }

    /// Passes over those before it.
    async fn take(&mut self, number: u64) -> Result<Bytes, StoreError> {
        loop {
            let stopped = || StoreError::Unavailable("the reading ahead was stopped".into());
            let chunk = self.chunks.recv().await.ok_or_else(stopped)?;
            if self.numbers.pop_front() == Some(number) {
                return chunk;
            }
        }
    }
}

/// Where the engine has read, and where it will.
struct Steps {
    last: Option<u64>,
    step: u64,
    /// How often in a row a step was as long as the one before.
    same: u64,
    /// Of all chunks, those that were read, since the engine last began anew.
    seen: Vec<bool>,
    read: u64,
    wasted: u64,
}

impl Steps {
    fn new(chunks: u64) -> Self {
        Self {
            last: None,
            step: 0,
            same: 0,
            seen: vec![false; usize::try_from(chunks).unwrap_or(0)],
            read: 0,
            wasted: 0,
        }
    }

    /// What to ask for now that `number` is read, besides the `on_their_way` that come next already.
    fn after(&mut self, number: u64, on_their_way: u64) -> impl Iterator<Item = u64> + use<> {
        let step = self.last.map_or(0, |last| number.saturating_sub(last));
        self.same = if step == self.step { self.same + 1 } else { 0 };
        self.step = step;
        self.last = Some(number);
        self.read += 1;
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if self.seen.get(index) == Some(&true) {
            self.seen.fill(false);
        }
        if let Some(seen) = self.seen.get_mut(index) {
            *seen = true;
        }
        let allowed = (1 + self.read / READ_PER_WASTED).saturating_sub(self.wasted);
        let believed = match step {
            0 => 0,
            1 => self.same,
            _ => self.same.saturating_sub(2),
        };
        let most = believed.min(allowed).min(MOST_AHEAD);
        let nexts = (on_their_way + 1..=most).map(|further| number + further * step);
        let new = |next: &u64| {
            let seen = usize::try_from(*next).ok().and_then(|n| self.seen.get(n));
            seen == Some(&false)
        };
        nexts.take_while(new).collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests;
