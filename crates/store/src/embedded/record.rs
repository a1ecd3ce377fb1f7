use crate::{
    Asked, Error, Job, Litter, Mp3, Resumable, Snapshot, State, UnreadableOptions, Usage,
};
use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem, Username};
use serde_json::Value;
use sqlx::{Row, sqlite::SqliteRow};
use std::{fmt::Display, str::FromStr};

/// The job in a row of `jobs`.
pub(super) fn job(row: &SqliteRow) -> Result<Job, Error> {
    Ok(Job {
        id: word(row, "id")?,
        owner: owner(row)?,
        state: word(row, "state")?,
        run: row.try_get("run")?,
        file_name: row.try_get("file_name")?,
        own_title: row.try_get("title")?,
        size_bytes: size(row, "size_bytes")?,
        options: options(row)?,
        progress_percent: row.try_get("progress_percent")?,
        attempts: row.try_get("attempts")?,
        mp3: mp3(row)?,
        problem: problem(row)?,
        traceparent: row.try_get("traceparent")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// The upload in a row of `jobs` that has come in pieces, or still does, and of what the clock says of it.
pub(super) fn resumable(row: &SqliteRow) -> Result<Resumable, Error> {
    let size = |column| size(row, column)?.ok_or_else(|| corrupt(column, "missing"));
    let (length_bytes, offset_bytes) = (size("upload_length")?, size("upload_offset")?);
    let goes_on = word::<State>(row, "state")? == State::Uploading;
    let expires_at = goes_on.then(|| time(row, "upload_expires_at"));
    Ok(Resumable {
        id: word(row, "id")?,
        owner: word(row, "owner")?,
        file_name: row.try_get("file_name")?,
        length_bytes,
        offset_bytes: if goes_on { offset_bytes } else { length_bytes },
        metadata: row.try_get("upload_metadata")?,
        expires_at: expires_at.transpose()?,
        is_expired: goes_on && row.try_get("is_expired")?,
        is_held: goes_on && row.try_get("is_held")?,
    })
}

/// The record in a row of `jobs` and of what is kept apart, as another store takes it.
pub(super) fn snapshot(row: &SqliteRow) -> Result<Snapshot, Error> {
    let mut job = job(row)?;
    if matches!(job.state, State::Queued | State::Converting) {
        job.state = State::Waiting;
        job.progress_percent = 0.0;
    }
    let ended = row.try_get::<Option<i64>, _>("finished_at")?.is_some();
    Ok(Snapshot {
        job,
        finished_at: ended.then(|| time(row, "finished_at")).transpose()?,
        mailed_run: row.try_get("mailed_run")?,
        cover: row.try_get("picture")?,
        waveform: row.try_get("points")?,
    })
}

/// Whose job is in a row.
pub(super) fn owner(row: &SqliteRow) -> Result<Username, Error> {
    word(row, "owner")
}

/// What is in a row of `litter`.
pub(super) fn litter(row: &SqliteRow) -> Result<Litter, Error> {
    Ok(Litter {
        job_id: id(row, "job_id")?,
        mp3_id: id(row, "mp3_id")?,
    })
}

/// What is added up in a row.
pub(super) fn usage(row: &SqliteRow) -> Result<Usage, Error> {
    Ok(Usage {
        unfinished: size(row, "unfinished")?.unwrap_or(0),
        stored_bytes: size(row, "stored_bytes")?.unwrap_or(0),
    })
}

/// An id in a row.
pub(super) fn id(row: &SqliteRow, column: &str) -> Result<FileId, Error> {
    word(row, column)
}

/// A time in a row.
pub(super) fn time(row: &SqliteRow, column: &str) -> Result<DateTime<Utc>, Error> {
    let ms = row.try_get(column)?;
    DateTime::from_timestamp_millis(ms).ok_or_else(|| corrupt(column, "beyond all calendars"))
}

/// Options as a row has them.
pub(super) fn stored_options(options: &ConversionOptions) -> Result<Option<String>, Error> {
    let asked = (!options.is_default()).then(|| serde_json::to_string(options));
    asked.transpose().map_err(|error| corrupt("options", error))
}

/// The same of a record of another store, which another version may have written.
pub(super) fn stored_asked(asked: &Asked) -> Result<Option<String>, Error> {
    match asked {
        Ok(options) => stored_options(options),
        Err(UnreadableOptions(Value::String(text))) => Ok(Some(text.clone())),
        Err(UnreadableOptions(value)) => Ok(Some(value.to_string())),
    }
}

fn options(row: &SqliteRow) -> Result<Asked, Error> {
    let Some(text) = row.try_get::<Option<&str>, _>("options")? else {
        return Ok(Ok(ConversionOptions::default()));
    };
    Ok(serde_json::from_str(text).map_err(|_| {
        let value = serde_json::from_str(text);
        UnreadableOptions(value.unwrap_or_else(|_| text.into()))
    }))
}

fn mp3(row: &SqliteRow) -> Result<Option<Mp3>, Error> {
    if row.try_get::<Option<&str>, _>("mp3_id")?.is_none() {
        return Ok(None);
    }
    let missing = || corrupt("mp3_id", "published without its size or its duration");
    Ok(Some(Mp3 {
        id: word(row, "mp3_id")?,
        size_bytes: size(row, "mp3_size_bytes")?.ok_or_else(missing)?,
        duration_ms: size(row, "mp3_duration_ms")?.ok_or_else(missing)?,
    }))
}

fn problem(row: &SqliteRow) -> Result<Option<Problem>, Error> {
    let code: Option<String> = row.try_get("problem_code")?;
    let detail: Option<String> = row.try_get("problem_detail")?;
    Ok(code.map(|code| Problem::new(code, detail.unwrap_or_default())))
}

fn size(row: &SqliteRow, column: &str) -> Result<Option<u64>, Error> {
    row.try_get::<Option<i64>, _>(column)?
        .map(|size| u64::try_from(size).map_err(|error| corrupt(column, error)))
        .transpose()
}

fn word<T: FromStr<Err: Display>>(row: &SqliteRow, column: &str) -> Result<T, Error> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error| corrupt(column, error))
}

fn corrupt(column: &str, why: impl Display) -> Error {
    Error::Corrupt(format!("column {column} of a job: {why}"))
}
