use crate::input::Input;
use bytes::BytesMut;
use decant_audio::{Decoder, Mp3, Options, Stop};
use decant_store::{CHUNK_BYTES, Error as StoreError, PayloadReader, PayloadWriter};
use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
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

type Made = Result<(Mp3, Box<dyn PayloadWriter>), Failed>;

/// The audio engine at work on a thread of its own.
pub(crate) struct Engine {
    thread: JoinHandle<Made>,
    stop: CancellationToken,
    /// For where the engine waits for its decoder and no read or write would fail.
    decoder_stop: Stop,
    progress: Arc<AtomicU32>,
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
    let progress = Arc::new(AtomicU32::new(0));
    let input = Input::new(video, Handle::current(), stop.clone());
    let mut output = Output {
        payload: output,
        pending: BytesMut::new(),
        runtime: Handle::current(),
        stop: stop.clone(),
    };
    let reached = Arc::clone(&progress);
    let thread = tokio::task::spawn_blocking(move || {
        let mp3 = decant_audio::convert(input, &decoder, &options, &mut output, &mut |now| {
            let whole = now.duration.filter(|whole| !whole.is_zero());
            let part = whole.map_or(0.0, |whole| {
                now.position.as_secs_f64() / whole.as_secs_f64()
            });
            reached.store((part.clamp(0.0, 1.0) * 10_000.0) as u32, Ordering::Relaxed);
        })
        .map_err(Failed::from)?;
        output.flush().map_err(decant_audio::Error::Output)?;
        Ok((mp3, output.payload))
    });
    Ok(Engine {
        thread,
        stop,
        decoder_stop,
        progress,
    })
}

impl Engine {
    /// The MP3's particulars and its payload, written but not finished.
    pub(crate) async fn result(&mut self) -> Made {
        (&mut self.thread).await.unwrap_or(Err(Failed::Panicked))
    }

    /// How much is converted.
    pub(crate) fn progress_percent(&self) -> f64 {
        f64::from(self.progress.load(Ordering::Relaxed)) / 100.0
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
