use crate::input::Input;
use bytes::BytesMut;
use decant_audio::{Decoder, Mp3, Options, Stop};
use decant_store::{CHUNK_BYTES, Error as StoreError, PayloadReader, PayloadWriter, Progress};
use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Why the engine made no MP3.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The store could not give the video.
    Video(StoreError),
    /// The store could not take the MP3.
    Mp3(StoreError),
    Audio(decant_audio::Error),
    Panicked,
}

/// How long a stopped engine may take to notice.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Before that, what starting costs would be taken for the pace.
const PACE_AFTER: Duration = Duration::from_secs(1);

type Made = Result<(Mp3, Box<dyn PayloadWriter>), Failed>;

/// The audio engine at work on a thread of its own.
pub(crate) struct Engine {
    thread: JoinHandle<Made>,
    stop: CancellationToken,
    /// For where the engine waits for its decoder and no read or write would fail.
    decoder_stop: Stop,
    began: Instant,
    reached: Arc<Reached>,
}

/// How far the thread is.
#[derive(Default)]
struct Reached {
    /// In parts of ten thousand.
    part: AtomicU32,
    /// The sound that is converted, in milliseconds.
    sound_ms: AtomicU64,
}

/// Begins to convert `video` into `output` as `options` say, straight from and to the store.
pub(crate) fn start(
    video: Arc<dyn PayloadReader>,
    output: Box<dyn PayloadWriter>,
    options: Options,
    decoder: &Decoder,
) -> Result<Engine, Failed> {
    let stop = CancellationToken::new();
    let decoder_stop = Stop::new()
        .map_err(|error| Failed::Audio(decant_audio::Error::Engine(error.to_string())))?;
    let decoder = Decoder {
        stop: Some(decoder_stop.clone()),
        ..decoder.clone()
    };
    let reached = Arc::new(Reached::default());
    let input = Input::new(video, Handle::current(), stop.clone());
    let mut output = Output {
        payload: output,
        pending: BytesMut::new(),
        runtime: Handle::current(),
        stop: stop.clone(),
    };
    let began = Instant::now();
    let now_at = Arc::clone(&reached);
    let thread = tokio::task::spawn_blocking(move || {
        let mp3 = decant_audio::convert(input, &decoder, &options, &mut output, &mut |now| {
            let whole = now.duration.filter(|whole| !whole.is_zero());
            let part = whole.map_or(0.0, |whole| {
                now.position.as_secs_f64() / whole.as_secs_f64()
            });
            let sound_ms = u64::try_from(now.position.as_millis()).unwrap_or(u64::MAX);
            now_at.sound_ms.store(sound_ms, Ordering::Relaxed);
            let part = (part.clamp(0.0, 1.0) * 10_000.0) as u32;
            now_at.part.store(part, Ordering::Relaxed);
        })
        .map_err(Failed::from)?;
        output.flush().map_err(decant_audio::Error::Output)?;
        Ok((mp3, output.payload))
    });
    Ok(Engine {
        thread,
        stop,
        decoder_stop,
        began,
        reached,
    })
}

impl Engine {
    /// The MP3's particulars and its payload, written but not finished.
    pub(crate) async fn result(&mut self) -> Made {
        (&mut self.thread).await.unwrap_or(Err(Failed::Panicked))
    }

    /// How much is converted, and how fast so far.
    pub(crate) fn progress(&self) -> Progress {
        let part = f64::from(self.reached.part.load(Ordering::Relaxed)) / 10_000.0;
        let sound_ms = self.reached.sound_ms.load(Ordering::Relaxed);
        paced(part, Duration::from_millis(sound_ms), self.began.elapsed())
    }

    /// Ends the work: the decoder at once, the engine with its next read or write. Back when the thread has ended, or doesn't for long: then
    /// it hangs where nothing reaches it, and whoever waits for the job must not hang too.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.decoder_stop.stop();
        if tokio::time::timeout(LAST_WORDS, self.result())
            .await
            .is_err()
        {
            tracing::error!("the audio engine hangs: its thread is left behind");
        }
    }
}

/// The pace is what it was from the start on: that of the last seconds jumps with every segment that is done.
fn paced(part: f64, sound: Duration, elapsed: Duration) -> Progress {
    let elapsed_s = elapsed.as_secs_f64();
    let has_pace = part > 0.0 && elapsed >= PACE_AFTER;
    Progress {
        percent: part * 100.0,
        speed: has_pace.then(|| sound.as_secs_f64() / elapsed_s),
        time_left_s: has_pace.then(|| elapsed_s * (1.0 - part) / part),
    }
}

impl From<decant_audio::Error> for Failed {
    fn from(error: decant_audio::Error) -> Self {
        match error {
            decant_audio::Error::Input(error) => Self::Video(of_the_store(error)),
            decant_audio::Error::Output(error) => Self::Mp3(of_the_store(error)),
            other => Self::Audio(other),
        }
    }
}

/// The store's own error, in which the engine's I/O failed.
fn of_the_store(error: io::Error) -> StoreError {
    error
        .downcast()
        .unwrap_or_else(|error| StoreError::Unavailable(error.into()))
}

/// A payload as the engine writes it, a chunk at a time.
struct Output {
    payload: Box<dyn PayloadWriter>,
    pending: BytesMut,
    runtime: Handle,
    stop: CancellationToken,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = self.pending.split().freeze();
        wait(&self.runtime, &self.stop, self.payload.write(bytes))
    }
}

/// Waits for the store on the engine's thread, or for the order to stop.
pub(crate) fn wait<T>(
    runtime: &Handle,
    stop: &CancellationToken,
    call: impl Future<Output = Result<T, StoreError>>,
) -> io::Result<T> {
    runtime.block_on(async {
        tokio::select! {
            () = stop.cancelled() => Err(io::Error::other("stopped")),
            result = call => result.map_err(io::Error::other),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_known_after_a_while() {
        let second = Duration::from_secs(1);
        let early = paced(0.5, 30 * second, second / 2);
        assert_eq!((early.percent, early.speed), (50.0, None));
        let nothing = paced(0.0, Duration::ZERO, 10 * second);
        assert_eq!((nothing.speed, nothing.time_left_s), (None, None));
        let known = paced(0.75, 300 * second, 3 * second);
        assert_eq!((known.speed, known.time_left_s), (Some(100.0), Some(1.0)));
        assert_eq!(paced(1.0, 400 * second, 4 * second).time_left_s, Some(0.0));
    }
}
