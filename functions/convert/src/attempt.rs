use crate::{App, engine, error::Error, options};
use decant_events::{FileId, Problem, code};
use decant_function::{reasons, tasks};
use decant_store::{Bucket, Job, Lease, Mp3};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How long a claim lasts without being renewed. Whoever dies holds a job up for this long at most.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// How often the lease is renewed and progress written: well within the lease, often enough to watch.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How often it is looked whether the lease is still there: it is a read, so that who cancels a job sees it stop within
/// a second.
const LOOK: Duration = Duration::from_millis(400);

/// Converts a claimed job and ends it, or gives it back. `None` if its owner has cancelled it meanwhile.
///
/// The work runs in a task of its own: when the request is dropped, the task stops, deletes what it wrote and frees the
/// lease, all of which needs time that a dropped future doesn't have.
pub(crate) async fn run(
    app: &App,
    lease: Lease,
    job: Job,
    mp3_id: FileId,
    until: Instant,
) -> Result<Option<Job>, Error> {
    let dropped = CancellationToken::new();
    let _drop_guard = dropped.clone().drop_guard();
    let attempt = Attempt {
        app: app.clone(),
        lease,
        mp3_id,
    };
    let span = tracing::info_span!("convert", job.id = %job.id, attempt = job.attempts);
    let task = tasks::spawn(async move { attempt.run(job, dropped, until).await }.instrument(span));
    task.await
        .map_err(|_| Error::Stopped("the attempt panicked"))?
}

struct Attempt {
    app: App,
    lease: Lease,
    mp3_id: FileId,
}

/// Why a conversion was stopped from outside.
enum Stop {
    /// The request was dropped: somebody else, or the same broker again, will bring the event.
    Dropped,
    /// The lease is somebody else's now, or nobody's.
    LeaseLost,
    /// The lease can't be renewed.
    Unrenewed,
    /// The time that a request may take is nearly over.
    OutOfTime,
}

impl Attempt {
    async fn run(
        self,
        job: Job,
        dropped: CancellationToken,
        until: Instant,
    ) -> Result<Option<Job>, Error> {
        let began = Instant::now();
        let ended = match self.convert(&job, dropped, until).await {
            Ok((mp3, waveform)) => self.publish(mp3, &waveform).await,
            Err(Failure::Hopeless(problem)) => self.fail(&problem).await,
            Err(Failure::Passing { error, forgive }) => self.give_back(error, forgive).await,
            Err(Failure::LeaseLost) => self.answer_for_another().await,
        };
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &ended {
            Ok(None) => tracing::info!(elapsed_ms, "attempt stopped: the job was cancelled"),
            Ok(Some(job)) => {
                metrics::counter!("decant_conversions_total", "state" => job.state.as_str())
                    .increment(1);
                let problem = job.problem.as_ref().map(|problem| problem.code.as_str());
                tracing::info!(state = %job.state, problem, elapsed_ms, "attempt ended");
            }
            Err(error) => tracing::warn!(
                error = reasons(error),
                elapsed_ms,
                "attempt ended without a result"
            ),
        }
        ended
    }

    /// Runs the engine and keeps the lease meanwhile. Gives the MP3 and its waveform.
    async fn convert(
        &self,
        job: &Job,
        dropped: CancellationToken,
        until: Instant,
    ) -> Result<(Mp3, Vec<u8>), Failure> {
        let store = &self.app.store;
        let video = match store.payloads.open(Bucket::Videos, job.id).await {
            Err(error) => return Err(Failure::of_the_video(error)),
            Ok(video) => video,
        };
        let options = options::of(job, store.jobs.cover(job.id).await?);
        let options = options.map_err(Failure::Hopeless)?;
        let name = format!("{}.mp3", job.title());
        let output = store
            .payloads
            .create(Bucket::Mp3s, self.mp3_id, &name)
            .await?;
        let mut engine = engine::start(video, output, options, self.app.decoder.get())?;

        let out_of_time = tokio::time::sleep_until(until);
        tokio::pin!(out_of_time);
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        let stop = loop {
            tokio::select! {
                made = engine.result() => {
                    let (made, output) = made.map_err(Failure::from)?;
                    let size_bytes = output.finish(made.head.into()).await?;
                    let duration_ms = u64::try_from(made.duration.as_millis()).unwrap_or(u64::MAX);
                    let waveform = made.waveform;
                    return Ok((Mp3 { id: self.mp3_id, size_bytes, duration_ms }, waveform));
                }
                _ = heartbeat.tick() => {
                    let progress = engine.progress();
                    let asked = Instant::now();
                    match store.jobs.renew(&self.lease, LEASE, Some(progress)).await {
                        Ok(()) => renewed = asked,
                        Err(decant_store::Error::LeaseLost) => break Stop::LeaseLost,
                        // The store may come back before the lease runs out.
                        Err(_) if renewed.elapsed() < LEASE => {}
                        Err(_) => break Stop::Unrenewed,
                    }
                }
                _ = look.tick() => {
                    // Where the store doesn't answer, the heartbeat decides.
                    if let Ok(false) = store.jobs.holds(&self.lease).await {
                        break Stop::LeaseLost;
                    }
                }
                () = dropped.cancelled() => break Stop::Dropped,
                () = &mut out_of_time => break Stop::OutOfTime,
            }
        };
        engine.stop().await;
        Err(match stop {
            Stop::Dropped => Failure::Passing {
                error: Error::Stopped("the request was dropped"),
                // It is a shutdown, or a limit of the platform: not the job's fault.
                forgive: true,
            },
            Stop::LeaseLost => Failure::LeaseLost,
            Stop::Unrenewed => Failure::Passing {
                error: Error::Held,
                forgive: false,
            },
            Stop::OutOfTime => Failure::Hopeless(Problem::new(
                code::TOO_LONG,
                "Converting this video takes longer than a conversion may. Ask for a part of it, or split it and upload the parts.",
            )),
        })
    }

    /// The compare-and-set that lets one attempt win.
    async fn publish(&self, mp3: Mp3, waveform: &[u8]) -> Result<Option<Job>, Error> {
        let jobs = &self.app.store.jobs;
        match jobs.publish(&self.lease, mp3, waveform).await {
            Ok(job) => Ok(Some(job)),
            Err(decant_store::Error::LeaseLost) => self.answer_for_another().await,
            // Whether it was published is unknown: the MP3 stays, and the record knows its id either way.
            Err(error) => Err(error.into()),
        }
    }

    async fn fail(&self, problem: &Problem) -> Result<Option<Job>, Error> {
        self.delete_mp3().await;
        match self.app.store.jobs.fail(&self.lease, problem).await {
            Err(decant_store::Error::LeaseLost) => self.answer_for_another().await,
            ended => Ok(Some(ended?)),
        }
    }

    /// The job is in other hands, or gone: a loser deletes its MP3 and answers for the winner.
    async fn answer_for_another(&self) -> Result<Option<Job>, Error> {
        self.delete_mp3().await;
        match self.app.store.jobs.get(self.lease.job_id).await? {
            Some(job) if !job.state.is_final() => Err(Error::Held),
            ended => Ok(ended),
        }
    }

    async fn give_back(&self, error: Error, forgive: bool) -> Result<Option<Job>, Error> {
        self.delete_mp3().await;
        // If it can't be given back, the lease runs out.
        let _ = self.app.store.jobs.release(&self.lease, forgive).await;
        Err(error)
    }

    /// What can't be deleted now is named in the record: the sweep finds it.
    async fn delete_mp3(&self) {
        if let Err(error) = self
            .app
            .store
            .payloads
            .delete(Bucket::Mp3s, self.mp3_id)
            .await
        {
            tracing::warn!(
                error = reasons(&error),
                "an unused MP3 is left to the sweep"
            );
        }
    }
}

/// How an attempt ends without an MP3.
enum Failure {
    /// The video's fault: the job fails.
    Hopeless(Problem),
    /// It may pass: the job goes back. The attempt is forgiven when it wasn't the job's fault.
    Passing { error: Error, forgive: bool },
    /// The job is somebody else's now, or was cancelled.
    LeaseLost,
}

impl Failure {
    /// The store can't give the video: for good, or for now.
    fn of_the_video(error: decant_store::Error) -> Self {
        match error {
            decant_store::Error::NotFound | decant_store::Error::Corrupt(_) => {
                Self::Hopeless(Problem::new(
                    code::VIDEO_MISSING,
                    "The stored video is gone or damaged. Please upload it again.",
                ))
            }
            passing => passing.into(),
        }
    }
}

impl From<decant_store::Error> for Failure {
    fn from(error: decant_store::Error) -> Self {
        Self::Passing {
            error: error.into(),
            forgive: true,
        }
    }
}

impl From<engine::Failed> for Failure {
    fn from(failed: engine::Failed) -> Self {
        match failed {
            engine::Failed::Video(error) => Self::of_the_video(error),
            engine::Failed::Mp3(error) => error.into(),
            engine::Failed::Audio(error) if error.is_hopeless() => {
                // The sentence is for people; this also says what the decoder did, or FFmpeg's reason.
                tracing::info!(reason = ?error, "the video can't be converted");
                Self::Hopeless(Problem::new(error.code(), error.to_string()))
            }
            engine::Failed::Audio(error) => Self::Passing {
                // A box that doesn't hold is no fault of the job. A killed decoder may be: if the file is so large that
                // the system ends it for want of memory, five times are enough.
                forgive: matches!(error, decant_audio::Error::Unconfined(_)),
                error: error.into(),
            },
            engine::Failed::Panicked => Self::Passing {
                error: Error::Stopped("the audio engine panicked"),
                forgive: false,
            },
        }
    }
}
