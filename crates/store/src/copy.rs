//! Moves everything from one store into another, of whatever kind.

use crate::{Bucket, Error, PayloadReader, Snapshot, Store};
use bytes::Bytes;
use decant_events::FileId;
use std::sync::Arc;

/// Records that are read at once.
const PAGE: u32 = 100;
/// Bytes that are read at once.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// How far a copy is, and at its end what it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Jobs whose record, video and MP3 are there, and were compared with what they were copied from.
    pub jobs: u64,
    /// Their payloads.
    pub payloads: u64,
    /// The size of these.
    pub bytes: u64,
}

/// A payload that isn't in the target, because the source has lost it (a video that was deleted by hand) or what it has is
/// damaged.
#[derive(Debug)]
pub struct LeftOut {
    /// The job that names it.
    pub job: FileId,
    /// The video or the MP3.
    pub kind: &'static str,
    /// What the source says.
    pub why: Error,
}

/// Why a copy stopped. It can be repeated: what is there already is compared, not written again.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A store failed.
    #[error("job {0} can't be copied; when its cause is gone, copy again")]
    Store(FileId, #[source] Error),
    /// The list of jobs can't be read.
    #[error("the jobs can't be listed; when its cause is gone, copy again")]
    List(#[source] Error),
    /// The target has something else by this id.
    #[error(
        "job {0}: the {1} in the target differs from the one in the source; was the target in use already?"
    )]
    Differs(FileId, &'static str),
}

/// What there is to copy, by the records. Covers and waveforms belong to these: they are copied, and not counted.
pub async fn copy_size(from: &Store) -> Result<Copied, CopyError> {
    let mut size = Copied::default();
    let mut before = None;
    loop {
        let page = from.jobs.list(None, before, PAGE).await;
        let page = page.map_err(CopyError::List)?;
        let Some(last) = page.last() else {
            return Ok(size);
        };
        before = Some(last.id);
        for job in &page {
            let video_bytes = job.size_bytes.filter(|_| job.video_expired_at.is_none());
            let mp3_bytes = job.mp3.as_ref().map(|mp3| mp3.size_bytes);
            size.jobs += 1;
            size.payloads += u64::from(job.video_expired_at.is_none());
            size.payloads += u64::from(mp3_bytes.is_some());
            size.bytes += video_bytes.unwrap_or(0) + mp3_bytes.unwrap_or(0);
        }
    }
}

/// Copies every job with its video and its MP3 from `from` into `to`, and compares each when it is there. Neither store may be
/// in use meanwhile. The payloads that can't be had are given at the end: their jobs' records are copied, without them.
///
/// `progress` is told after each block of bytes and each job.
pub async fn copy(
    from: &Store,
    to: &Store,
    mut progress: impl FnMut(Copied),
) -> Result<(Copied, Vec<LeftOut>), CopyError> {
    let mut copied = Copied::default();
    let mut left_out = Vec::new();
    let mut after = None;
    loop {
        let page = from
            .jobs
            .export(after, PAGE)
            .await
            .map_err(CopyError::List)?;
        let Some(last) = page.last() else {
            return Ok((copied, left_out));
        };
        after = Some(last.job.id);
        for snapshot in &page {
            let id = snapshot.job.id;
            let mut payloads = Vec::new();
            if snapshot.job.video_expired_at.is_none() {
                payloads.push((Bucket::Videos, id, "video"));
            }
            payloads.extend(
                snapshot
                    .job
                    .mp3
                    .iter()
                    .map(|mp3| (Bucket::Mp3s, mp3.id, "MP3")),
            );
            for (bucket, payload, kind) in payloads {
                let whole_bytes = copied.bytes;
                let mut told = |bytes| {
                    copied.bytes += bytes;
                    progress(copied);
                };
                let name = &snapshot.job.file_name;
                let there = copy_payload(from, to, bucket, payload, name, &mut told);
                match there.await.map_err(|error| CopyError::Store(id, error))? {
                    Outcome::Same => copied.payloads += 1,
                    Outcome::LeftOut(why) => {
                        copied.bytes = whole_bytes;
                        left_out.push(LeftOut { job: id, kind, why });
                    }
                    Outcome::Differs => return Err(CopyError::Differs(id, kind)),
                }
            }
            // Last: a record that is there promises its payloads.
            let same = copy_record(to, snapshot).await;
            if !same.map_err(|error| CopyError::Store(id, error))? {
                return Err(CopyError::Differs(id, "record"));
            }
            copied.jobs += 1;
            progress(copied);
        }
    }
}

enum Outcome {
    Same,
    LeftOut(Error),
    Differs,
}

/// Which of the two stores failed.
enum Failed {
    From(Error),
    To(Error),
}

async fn copy_payload(
    from: &Store,
    to: &Store,
    bucket: Bucket,
    id: FileId,
    file_name: &str,
    told: &mut impl FnMut(u64),
) -> Result<Outcome, Error> {
    match write_and_compare(from, to, bucket, id, file_name, told).await {
        Ok(true) => Ok(Outcome::Same),
        Ok(false) => Ok(Outcome::Differs),
        Err(Failed::From(why @ (Error::NotFound | Error::Corrupt(_)))) => Ok(Outcome::LeftOut(why)),
        Err(Failed::From(error) | Failed::To(error)) => Err(error),
    }
}

async fn write_and_compare(
    from: &Store,
    to: &Store,
    bucket: Bucket,
    id: FileId,
    file_name: &str,
    told: &mut impl FnMut(u64),
) -> Result<bool, Failed> {
    let source = from.payloads.open(bucket, id).await;
    let source = source.map_err(Failed::From)?;
    let target = match to.payloads.open(bucket, id).await {
        Err(Error::NotFound) => {
            // What a copy that broke off has left.
            let deleted = to.payloads.delete(bucket, id).await;
            deleted.map_err(Failed::To)?;
            let written = write(&source, to, bucket, id, file_name).await;
            if let Err(Failed::From(_)) = written {
                let deleted = to.payloads.delete(bucket, id).await;
                deleted.map_err(Failed::To)?;
            }
            written?;
            to.payloads.open(bucket, id).await
        }
        target => target,
    };
    is_same(&source, &target.map_err(Failed::To)?, told).await
}

async fn write(
    source: &Arc<dyn PayloadReader>,
    to: &Store,
    bucket: Bucket,
    id: FileId,
    file_name: &str,
) -> Result<(), Failed> {
    let writer = to.payloads.create(bucket, id, file_name).await;
    let mut writer = writer.map_err(Failed::To)?;
    let mut offset = 0;
    while offset < source.size_bytes() {
        let block = block(source, offset).await.map_err(Failed::From)?;
        offset += block.len() as u64;
        writer.write(block).await.map_err(Failed::To)?;
    }
    let finished = writer.finish(Bytes::new()).await;
    finished.map(drop).map_err(Failed::To)
}

async fn is_same(
    source: &Arc<dyn PayloadReader>,
    target: &Arc<dyn PayloadReader>,
    told: &mut impl FnMut(u64),
) -> Result<bool, Failed> {
    if source.size_bytes() != target.size_bytes() {
        return Ok(false);
    }
    let mut offset = 0;
    while offset < source.size_bytes() {
        let ours = block(source, offset).await.map_err(Failed::From)?;
        let theirs = block(target, offset).await.map_err(Failed::To)?;
        if ours != theirs {
            return Ok(false);
        }
        offset += ours.len() as u64;
        told(ours.len() as u64);
    }
    Ok(true)
}

async fn block(payload: &Arc<dyn PayloadReader>, offset: u64) -> Result<Bytes, Error> {
    let block = payload.read_at(offset, BLOCK_BYTES).await?;
    if block.is_empty() {
        return Err(Error::Corrupt("a payload ends before its size".into()));
    }
    Ok(block)
}

/// Whether the target has the record now, as it is in the source.
async fn copy_record(to: &Store, snapshot: &Snapshot) -> Result<bool, Error> {
    to.jobs.import(snapshot).await?;
    let job = &snapshot.job;
    let waveform = match &job.mp3 {
        Some(mp3) => to.jobs.waveform(mp3.id).await?,
        None => None,
    };
    Ok(to.jobs.get(job.id).await?.as_ref() == Some(job)
        && to.jobs.cover(job.id).await? == snapshot.cover
        && waveform == snapshot.waveform)
}
