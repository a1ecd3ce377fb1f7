use crate::{Error, Job, Mp3, NewJob, Resumable, Snapshot, Turns, Usage};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem, Username};
use std::time::Duration;
use uuid::Uuid;

/// The right to change one job, until it runs out. A holder that can't renew it stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job_id: FileId,
    /// Random, known to the holder alone: every change under the lease compares it.
    pub token: String,
}

impl Lease {
    pub(crate) fn fresh(job_id: FileId) -> Self {
        Self {
            job_id,
            token: Self::fresh_token(),
        }
    }

    pub(crate) fn fresh_token() -> String {
        Uuid::new_v4().simple().to_string()
    }
}

/// What [`Jobs::claim`] found.
#[derive(Debug, Clone)]
pub enum Claim {
    /// The job is yours: write the MP3 under the id that you claimed with.
    Granted(Lease, Box<Job>),
    /// Somebody else holds a live lease. Come back.
    Held,
    /// The job has ended, maybe just now because its attempts are used up. The recorded end is the answer.
    Ended(Box<Job>),
    /// There is no such job, its video is not stored yet, or its turn hasn't come: then it will be announced.
    Missing,
}

/// What [`Jobs::claim_mail`] found.
#[derive(Debug, Clone)]
pub enum MailClaim {
    /// The mail about this job is yours to send.
    Granted(Lease, Box<Job>),
    /// Somebody else is sending it. Come back.
    Held,
    /// It was sent, or the job has not ended, or there is none.
    NotDue,
}

/// Which unfinished jobs the sweep announces.
#[derive(Debug, Clone, Copy)]
pub enum Due {
    /// Those whose gap is over. The gap doubles with each announcement.
    ByGap,
    /// All that were last announced before this time of the database's clock, or whose announcement was taken back, even
    /// those under a live lease: the queues were lost, and whoever held the lease maybe too.
    AnnouncedBefore(DateTime<Utc>),
}

/// An MP3 that no job publishes: the work of an attempt that lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Litter {
    /// The job whose record names it.
    pub job_id: FileId,
    /// The MP3's payload.
    pub mp3_id: FileId,
}

/// Job records. Each method that changes one is a single compare-and-set by the database's clock.
///
/// A method that takes a [`Lease`] fails with [`Error::LeaseLost`] when the lease isn't the record's any more; a lease
/// that has run out but that nobody else has taken still counts.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// The database's clock; also a cheap proof that the database answers.
    async fn now(&self) -> Result<DateTime<Utc>, Error>;

    /// Makes the record of an upload that begins (`uploading`, hidden), leased to the uploader. An id that has a
    /// record is refused with [`Error::Exists`].
    async fn begin(&self, job: NewJob, lease_for: Duration) -> Result<Lease, Error>;

    /// Notes what the uploader asks for, and the cover that came with the video. Before the upload ends: whoever asks
    /// for something may say so after the video.
    async fn ask(
        &self,
        lease: &Lease,
        options: &ConversionOptions,
        cover: Option<&[u8]>,
    ) -> Result<(), Error>;

    /// The video is stored, the lease ends: `uploading → queued`, counted as announced, if its owner has a turn free, else
    /// `→ waiting`. A turn may have become free in that moment: who is told `waiting` calls [`Jobs::announce_waiting`].
    async fn uploaded(&self, lease: &Lease, size_bytes: u64, turns: Turns) -> Result<Job, Error>;

    /// The upload broke: the `uploading` record goes. Its payload must be deleted before.
    async fn discard(&self, lease: &Lease) -> Result<(), Error>;

    /// Makes of an upload that has begun one that comes in pieces: from now on its record outlives its writer, for
    /// `keep_for` after each piece. Its payload must be there, with a checkpoint at 0. Gives when it expires.
    async fn make_resumable(
        &self,
        lease: &Lease,
        length_bytes: u64,
        metadata: Option<&str>,
        keep_for: Duration,
    ) -> Result<DateTime<Utc>, Error>;

    /// The upload, if it is one that comes in pieces, or was until it ended.
    async fn resumable(&self, id: FileId) -> Result<Option<Resumable>, Error>;

    /// Takes an upload that comes in pieces to write the next one. `None` if somebody else writes, if it is not at this
    /// offset, if it has expired or ended, or if there is none.
    async fn resume(
        &self,
        id: FileId,
        offset_bytes: u64,
        lease_for: Duration,
    ) -> Result<Option<Lease>, Error>;

    /// Moves the offset to where a checkpoint of the payload is, never backwards, and goes on. Gives when the upload
    /// expires now.
    async fn advance(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        keep_for: Duration,
        lease_for: Duration,
    ) -> Result<DateTime<Utc>, Error>;

    /// The same, and lets go of the upload: anybody may write the next piece at once.
    async fn pause(
        &self,
        lease: &Lease,
        offset_bytes: u64,
        keep_for: Duration,
    ) -> Result<DateTime<Utc>, Error>;

    /// Takes an upload that comes in pieces from whoever writes it, to put an end to it: delete the payload, then call
    /// [`Jobs::discard`]. `None` if it has ended, or if there is none.
    async fn seize(&self, id: FileId, lease_for: Duration) -> Result<Option<Lease>, Error>;

    /// The job. Uploads that haven't ended are hidden, and so is what was cancelled.
    async fn get(&self, id: FileId) -> Result<Option<Job>, Error>;

    /// The job that published this MP3.
    async fn get_by_mp3(&self, mp3_id: FileId) -> Result<Option<Job>, Error>;

    /// The cover that came with the job's video. Apart from the job, because of its size.
    async fn cover(&self, id: FileId) -> Result<Option<Vec<u8>>, Error>;

    /// The waveform of this published MP3, if there is one. Apart from the job, because of its size.
    async fn waveform(&self, mp3_id: FileId) -> Result<Option<Vec<u8>>, Error>;

    /// Newest first (by id), at most `limit`, those of `owner` or of everybody, older than `before` if given. Uploads
    /// that haven't ended are hidden, and so is what was cancelled.
    async fn list(
        &self,
        owner: Option<&Username>,
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<Job>, Error>;

    /// Takes a job that is queued or whose lease has run out: `→ converting`, one attempt more, progress 0. `mp3_id` is
    /// recorded before a byte is written under it; the id of the attempt before becomes litter.
    /// Where `max_attempts` have begun already and none holds a live lease, the job fails with `gave_up`.
    async fn claim(
        &self,
        id: FileId,
        mp3_id: FileId,
        lease_for: Duration,
        max_attempts: u32,
        gave_up: &Problem,
    ) -> Result<Claim, Error>;

    /// Keeps the lease (of an upload, a conversion) for `lease_for` from now, and notes the progress if given.
    async fn renew(
        &self,
        lease: &Lease,
        lease_for: Duration,
        progress_percent: Option<f64>,
    ) -> Result<(), Error>;

    /// Whether the lease (of an upload, a conversion) is still the record's: cheap enough to ask often.
    async fn holds(&self, lease: &Lease) -> Result<bool, Error>;

    /// Gives a claimed job back: `converting → queued`, the attempt's MP3 becomes litter. The attempt is forgiven when
    /// it wasn't the job's fault (a store that is away, a shutdown).
    async fn release(&self, lease: &Lease, forgive: bool) -> Result<(), Error>;

    /// `converting → ready`. `mp3.id` is the one the job was claimed with; an empty waveform is none. The MP3 of the run
    /// before, if there is one, becomes litter.
    async fn publish(&self, lease: &Lease, mp3: Mp3, waveform: &[u8]) -> Result<Job, Error>;

    /// `converting → failed`. The attempt's MP3 becomes litter.
    async fn fail(&self, lease: &Lease, problem: &Problem) -> Result<Job, Error>;

    /// An event about the job died: `queued → failed`, or `converting → failed` if the lease has run out. `None` if the
    /// job is elsewhere, or if its last announcement is younger than `announced_for` or was taken back: then another
    /// event is on its way, or will be. The attempt's MP3 becomes litter.
    async fn fail_undelivered(
        &self,
        id: FileId,
        problem: &Problem,
        announced_for: Duration,
    ) -> Result<Option<Job>, Error>;

    /// `waiting → queued` of this person's oldest waiting job, counted as announced: if one waits and a turn is free.
    async fn announce_waiting(&self, owner: &Username, turns: Turns) -> Result<Option<Job>, Error>;

    /// Who has waiting jobs: the next person by name, after `after` if given.
    async fn next_waiting(&self, after: Option<&Username>) -> Result<Option<Username>, Error>;

    /// Ends a job wherever it stands, for good: `→ cancelled`, hidden. Whoever holds its lease has lost it; the MP3s that it
    /// names become litter, which this gives; cover and waveform go at once. `None` if there is no such job (any more).
    async fn cancel(&self, id: FileId) -> Result<Option<Vec<Litter>>, Error>;

    /// Jobs that were cancelled at least `grace` ago, oldest first.
    async fn tombstones(&self, grace: Duration, limit: u32) -> Result<Vec<FileId>, Error>;

    /// A cancelled job's video is deleted: its record goes. `false` while it names litter: that goes before.
    async fn drop_tombstone(&self, id: FileId) -> Result<bool, Error>;

    /// A job that has ended begins once more, as at the end of [`Jobs::uploaded`]: its next run, which has no attempts, no
    /// problem and no mail yet. `options`, if given, replace the ones before. Its MP3 stays until this run publishes one.
    /// `None` if it hasn't ended, or there is no such job.
    async fn retry(
        &self,
        id: FileId,
        options: Option<&ConversionOptions>,
        turns: Turns,
    ) -> Result<Option<Job>, Error>;

    /// Calls the job by this title, or by the video's name again. `None` if there is no such job.
    async fn rename(&self, id: FileId, title: Option<&str>) -> Result<Option<Job>, Error>;

    /// What a person takes up right now.
    async fn usage(&self, owner: &Username) -> Result<Usage, Error>;

    /// Takes the mail about a job that has ended and has none for its run yet. `lease_for` keeps others from sending it
    /// too. Counts the try; the gap until the next one by [`Jobs::unmailed`] doubles with each, from `gap`.
    async fn claim_mail(
        &self,
        id: FileId,
        lease_for: Duration,
        gap: Duration,
    ) -> Result<MailClaim, Error>;

    /// The mail is sent.
    async fn mailed(&self, lease: &Lease) -> Result<(), Error>;

    /// The mail could not be sent: anybody may claim it again at once.
    async fn release_mail(&self, lease: &Lease) -> Result<(), Error>;

    /// One job that is due to be announced again: a lease that has run out is freed (`converting → queued`), the
    /// announcement counted, its next one put off by a doubling of `gap` (up to a day). `None` when no job is left.
    async fn announce_next(&self, due: Due, gap: Duration) -> Result<Option<Job>, Error>;

    /// Takes an announcement back that the broker didn't take: it isn't counted, and the job is due at once. A job that
    /// has ended is left alone, without an error.
    async fn unannounce(&self, id: FileId) -> Result<(), Error>;

    /// Jobs that ended at least `grace` ago (and whose last try was long enough ago) and have no mail for their run.
    async fn unmailed(&self, grace: Duration, limit: u32) -> Result<Vec<FileId>, Error>;

    /// Takes one upload whose lease ran out at least `grace` ago, the longest one first: its writer is gone, and if it
    /// does come back it has lost its lease. One that comes in pieces is taken when it expired at least `grace` ago. Whoever takes it deletes the payload, then calls [`Jobs::discard`]; if that
    /// fails, the upload is taken again when `lease_for` and a grace have passed.
    async fn take_abandoned_upload(
        &self,
        grace: Duration,
        lease_for: Duration,
    ) -> Result<Option<Lease>, Error>;

    /// MP3s that became litter at least `grace` ago: whoever wrote them has stopped by then.
    async fn litter(&self, grace: Duration, limit: u32) -> Result<Vec<Litter>, Error>;

    /// The litter's payload is deleted.
    async fn forget_litter(&self, litter: &Litter) -> Result<(), Error>;

    /// Makes the record of a video that somebody else stored and announced: `queued`, whoever's turn it is. `false` if there
    /// is one with this id already.
    async fn adopt(
        &self,
        job: NewJob,
        size_bytes: u64,
        announce_gap: Duration,
    ) -> Result<bool, Error>;

    /// Records for another store: oldest first (by id), at most `limit`, those after `after` if given. Uploads that
    /// haven't ended are left out: their uploader can only go on here. So is what was cancelled.
    async fn export(&self, after: Option<FileId>, limit: u32) -> Result<Vec<Snapshot>, Error>;

    /// Takes a record of another store. `false`, and nothing is changed, if there is one with this id already.
    async fn import(&self, snapshot: &Snapshot) -> Result<bool, Error>;
}
