//! Many encoders, one stream.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, Scope};
use std::time::Duration;

use crate::Error;
use crate::segment::{Encoded, Segment, Watch};

/// Encoded segments that may wait for one before them.
const MOST_WAITING: usize = 32;

/// How often somebody looks at the progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What the caller of [`encode`] does on its own thread.
pub(crate) trait Stream {
    /// The next segment, `None` after the last. Segments with PCM in them are as many as encoders, this one included.
    fn next(&mut self) -> Result<Option<Segment>, Error>;

    /// Takes what became of a segment, in their order.
    fn take(&mut self, encoded: Encoded) -> Result<(), Error>;

    /// So many samples are encoded. Called every now and then.
    fn progress(&mut self, samples: u64);
}

/// Encodes each segment on a thread of its own, at most `encoders` at once.
///
/// # Errors
/// The stream's own, or the first of an encoder. Then, as when the stream panics, all encoders end at once.
pub(crate) fn encode(stream: &mut dyn Stream, encoders: NonZeroUsize) -> Result<(), Error> {
    let watch = Watch::default();
    thread::scope(|scope| {
        let _end = EndOnDrop(&watch);
        let (done, results) = mpsc::channel();
        let mut crew = Crew {
            watch: &watch,
            results,
            busy: 0,
            next: 0,
            waiting: BTreeMap::new(),
        };
        let mut segments = 0;
        loop {
            while crew.busy == encoders.get() || crew.waiting.len() >= MOST_WAITING {
                crew.receive(stream)?;
            }
            let Some(segment) = stream.next()? else {
                break;
            };
            spawn(scope, &watch, segments, segment, done.clone())?;
            segments += 1;
            crew.busy += 1;
        }
        while crew.busy > 0 {
            crew.receive(stream)?;
        }
        Ok(())
    })
}

/// The number of a segment, and what became of it.
type Done = (u64, Result<Encoded, Error>);

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    watch: &'scope Watch,
    number: u64,
    segment: Segment,
    done: Sender<Done>,
) -> Result<(), Error> {
    let work = move || {
        let encoded = catch_unwind(AssertUnwindSafe(|| segment.encode(watch)))
            .unwrap_or_else(|_| Err(Error::engine("an encoder panicked")));
        let _nobody_waits = done.send((number, encoded));
    };
    thread::Builder::new()
        .name("encoder".into())
        .spawn_scoped(scope, work)
        .map_err(|error| Error::engine(format!("no thread for an encoder: {error}")))?;
    Ok(())
}

struct Crew<'a> {
    watch: &'a Watch,
    results: Receiver<Done>,
    busy: usize,
    /// The segment that the stream takes next.
    next: u64,
    waiting: BTreeMap<u64, Encoded>,
}

impl Crew<'_> {
    /// Waits until an encoder is done, and gives the stream what is its turn.
    fn receive(&mut self, stream: &mut dyn Stream) -> Result<(), Error> {
        let (number, encoded) = loop {
            match self.results.recv_timeout(PROGRESS_EVERY) {
                Ok(done) => break done,
                Err(RecvTimeoutError::Timeout) => stream.progress(self.watch.samples()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::engine("the encoders are gone"));
                }
            }
        };
        self.busy -= 1;
        self.waiting.insert(number, encoded?);
        while let Some(encoded) = self.waiting.remove(&self.next) {
            self.next += 1;
            stream.take(encoded)?;
        }
        stream.progress(self.watch.samples());
        Ok(())
    }
}

/// Ends the encoders before the scope waits for them, whyever it is left.
struct EndOnDrop<'a>(&'a Watch);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::Quality;
    use crate::blocks::BLOCK_FRAMES;
    use crate::pcm::{Pcm, Spec};

    const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");
    const SPEC: Spec = Spec {
        rate_hz: 44_100,
        channels: 1,
    };

    fn block(samples: usize) -> Arc<Pcm> {
        Arc::new(Pcm {
            left: (0..samples).map(|n| (n as f32 / 9.0).sin()).collect(),
            right: vec![],
        })
    }

    /// An encoder works on it for minutes.
    fn hours_of_sound() -> Segment {
        Segment {
            spec: SPEC,
            quality: Quality::V2,
            pre_roll: vec![],
            body: vec![block(BLOCK_FRAMES * SPEC.frame_samples()); 20_000],
            look_ahead: None,
        }
    }

    /// Hours of sound, and then something else.
    struct Ends<F>(Option<Segment>, F);

    impl<F: FnMut() -> Result<Option<Segment>, Error>> Stream for Ends<F> {
        fn next(&mut self) -> Result<Option<Segment>, Error> {
            match self.0.take() {
                Some(segment) => Ok(Some(segment)),
                None => (self.1)(),
            }
        }

        fn take(&mut self, _: Encoded) -> Result<(), Error> {
            Ok(())
        }

        fn progress(&mut self, _: u64) {}
    }

    #[test]
    fn an_error_of_the_stream_ends_the_encoders_at_once() {
        let began = Instant::now();
        let mut stream = Ends(Some(hours_of_sound()), || Err(Error::NoAudio));
        assert!(matches!(encode(&mut stream, TWO), Err(Error::NoAudio)));
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_panic_of_the_stream_ends_the_encoders_at_once() {
        let began = Instant::now();
        let mut stream = Ends(Some(hours_of_sound()), || panic!("a bug of the stream"));
        let panicked = catch_unwind(AssertUnwindSafe(|| encode(&mut stream, TWO)));
        assert!(panicked.is_err());
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_panic_of_an_encoder_is_an_error_and_ends_the_others() {
        let began = Instant::now();
        let mut stream = Ends(Some(hours_of_sound()), || {
            Ok(Some(Segment {
                body: vec![block(BLOCK_FRAMES * SPEC.frame_samples())],
                look_ahead: Some(block(1)), // less than promised
                ..hours_of_sound()
            }))
        });
        let error = encode(&mut stream, TWO).expect_err("it fails");
        assert_eq!(error.code(), "engine-failed");
        assert!(error.to_string().contains("panicked"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
