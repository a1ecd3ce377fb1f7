use super::{apart::binary, expression::oid, upload::stored_size};
use crate::{
    Asked, Error, Job, Litter, Mp3, Resumable, Snapshot, State, UnreadableOptions, Usage,
};
use chrono::{DateTime, Utc};
use decant_events::{ConversionOptions, FileId, Problem, Username};
use mongodb::bson::{self, Bson, Document, doc};
use std::{fmt::Display, str::FromStr};

/// The job in a document of `jobs`.
pub(super) fn job(record: &Document) -> Result<Job, Error> {
    Ok(Job {
        id: id(record, "_id")?,
        owner: owner(record)?,
        state: word(record, "state")?,
        run: small(record, "run")?,
        file_name: text(record, "file_name")?.to_owned(),
        own_title: match record.get("title") {
            Some(_) => Some(text(record, "title")?.to_owned()),
            None => None,
        },
        size_bytes: match record.get("size_bytes") {
            Some(_) => Some(size(record, "size_bytes")?),
            None => None,
        },
        options: options(record),
        progress_percent: progress(record)?,
        attempts: small(record, "attempts")?,
        mp3: mp3(record)?,
        problem: problem(record)?,
        traceparent: match record.get("traceparent") {
            Some(_) => Some(text(record, "traceparent")?.to_owned()),
            None => None,
        },
        created_at: time(record, "created_at")?,
        updated_at: time(record, "updated_at")?,
    })
}

/// The upload in a document of `jobs` that has come in pieces, or still does. Whether it has expired or is
/// held is for the clock to say.
pub(super) fn resumable(record: &Document) -> Result<Resumable, Error> {
    let goes_on = word::<State>(record, "state")? == State::Uploading;
    let expires_at = goes_on.then(|| time(record, "upload_expires_at"));
    let length_bytes = size(record, "upload_length")?;
    Ok(Resumable {
        id: id(record, "_id")?,
        owner: word(record, "owner")?,
        file_name: text(record, "file_name")?.to_owned(),
        length_bytes,
        offset_bytes: match goes_on {
            true => size(record, "upload_offset")?,
            false => length_bytes,
        },
        metadata: match record.get("upload_metadata") {
            Some(_) => Some(text(record, "upload_metadata")?.to_owned()),
            None => None,
        },
        expires_at: expires_at.transpose()?,
        is_expired: false,
        is_held: false,
    })
}

/// The record in a document of `jobs`, as another store takes it.
pub(super) fn snapshot(record: &Document) -> Result<Snapshot, Error> {
    let mut job = job(record)?;
    if matches!(job.state, State::Queued | State::Converting) {
        job.state = State::Waiting;
        job.progress_percent = 0.0;
    }
    let finished_at = match record.get("finished_at") {
        Some(_) => Some(time(record, "finished_at")?),
        None => None,
    };
    Ok(Snapshot {
        job,
        finished_at,
        mailed_run: small(record, "mailed_run")?,
        cover: cover(record)?,
        waveform: waveform(record)?,
    })
}

/// The cover in a record that was read with it.
pub(super) fn cover(record: &Document) -> Result<Option<Vec<u8>>, Error> {
    bytes(record, "cover")
}

/// The published MP3's waveform in a record that was read with it.
pub(super) fn waveform(record: &Document) -> Result<Option<Vec<u8>>, Error> {
    let mp3 = record.get("mp3").and_then(Bson::as_document);
    mp3.map_or(Ok(None), |mp3| bytes(mp3, "waveform"))
}

/// The litter in a record.
pub(super) fn litter(record: &Document) -> Result<Vec<(DateTime<Utc>, Litter)>, Error> {
    let job_id = id(record, "_id")?;
    let entries = record.get_array("litter");
    let entries = entries.map_err(|error| corrupt("litter", error))?;
    let entry = |entry: &Bson| {
        let entry = entry.as_document();
        let entry = entry.ok_or_else(|| corrupt("litter", "not a list of documents"))?;
        let mp3_id = id(entry, "mp3_id")?;
        Ok((time(entry, "since")?, Litter { job_id, mp3_id }))
    };
    entries.iter().map(entry).collect()
}

/// Whose record it is.
pub(super) fn owner(record: &Document) -> Result<Username, Error> {
    word(record, "owner")
}

/// What is added up in a document.
pub(super) fn usage(sums: &Document) -> Result<Usage, Error> {
    Ok(Usage {
        unfinished: size(sums, "unfinished")?,
        stored_bytes: size(sums, "stored_bytes")?,
    })
}

/// An id in a document.
pub(super) fn id(record: &Document, field: &str) -> Result<FileId, Error> {
    let id = record.get_object_id(field);
    Ok(id.map_err(|error| corrupt(field, error))?.bytes().into())
}

/// A time in a document.
pub(super) fn time(record: &Document, field: &str) -> Result<DateTime<Utc>, Error> {
    let time = record.get_datetime(field);
    let ms = time
        .map_err(|error| corrupt(field, error))?
        .timestamp_millis();
    DateTime::from_timestamp_millis(ms).ok_or_else(|| corrupt(field, "beyond all calendars"))
}

/// A whole number, in whichever type a server or a driver chose for it.
pub(super) fn whole(value: &Bson) -> Option<i64> {
    /// From here on doubles skip numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match *value {
        Bson::Int32(number) => Some(number.into()),
        Bson::Int64(number) => Some(number),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole and small enough"
        )]
        Bson::Double(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
            Some(number as i64)
        }
        _ => None,
    }
}

/// A published MP3 as a record has it.
pub(super) fn stored_mp3(mp3: &Mp3, waveform: &[u8]) -> Result<Document, Error> {
    let mut stored = doc! {
        "id": oid(mp3.id), "size_bytes": stored_size(mp3.size_bytes)?,
        "duration_ms": stored_size(mp3.duration_ms)?,
    };
    if !waveform.is_empty() {
        stored.insert("waveform", binary(waveform));
    }
    Ok(stored)
}

/// Options as a record has them: as in JSON, and not at all where nothing is asked for.
pub(super) fn stored_options(options: &ConversionOptions) -> Result<Option<Document>, Error> {
    let asked = (!options.is_default()).then(|| bson::serialize_to_document(options));
    asked.transpose().map_err(|error| corrupt("options", error))
}

/// The same of a record of another store, which another version may have written.
pub(super) fn stored_asked(asked: &Asked) -> Result<Option<Bson>, Error> {
    match asked {
        Ok(options) => Ok(stored_options(options)?.map(Bson::Document)),
        Err(UnreadableOptions(value)) => {
            let value = bson::serialize_to_bson(value);
            Ok(Some(value.map_err(|error| corrupt("options", error))?))
        }
    }
}

fn options(record: &Document) -> Asked {
    let Some(options) = record.get("options") else {
        return Ok(ConversionOptions::default());
    };
    bson::deserialize_from_bson(options.clone()).map_err(|_| {
        let value = serde_json::to_value(options);
        UnreadableOptions(value.unwrap_or_else(|_| options.to_string().into()))
    })
}

fn bytes(record: &Document, field: &str) -> Result<Option<Vec<u8>>, Error> {
    match record.get(field) {
        Some(Bson::Binary(binary)) => Ok(Some(binary.bytes.clone())),
        Some(_) => Err(corrupt(field, "not bytes")),
        None => Ok(None),
    }
}

fn mp3(record: &Document) -> Result<Option<Mp3>, Error> {
    let Some(mp3) = record.get("mp3") else {
        return Ok(None);
    };
    let mp3 = mp3.as_document();
    let mp3 = mp3.ok_or_else(|| corrupt("mp3", "not a document"))?;
    Ok(Some(Mp3 {
        id: id(mp3, "id")?,
        size_bytes: size(mp3, "size_bytes")?,
        duration_ms: size(mp3, "duration_ms")?,
    }))
}

fn problem(record: &Document) -> Result<Option<Problem>, Error> {
    let Some(problem) = record.get("problem") else {
        return Ok(None);
    };
    let problem = problem.as_document();
    let problem = problem.ok_or_else(|| corrupt("problem", "not a document"))?;
    let code = text(problem, "code")?.to_owned();
    Ok(Some(Problem::new(code, text(problem, "detail")?)))
}

fn progress(record: &Document) -> Result<f64, Error> {
    match record.get("progress_percent") {
        Some(Bson::Double(percent)) => Ok(*percent),
        Some(Bson::Int32(percent)) => Ok(f64::from(*percent)),
        _ => Err(corrupt("progress_percent", "not a number")),
    }
}

fn size(record: &Document, field: &str) -> Result<u64, Error> {
    let number = record.get(field).and_then(whole);
    let size = number.and_then(|number| u64::try_from(number).ok());
    size.ok_or_else(|| corrupt(field, "not a size"))
}

fn small(record: &Document, field: &str) -> Result<u32, Error> {
    u32::try_from(size(record, field)?).map_err(|error| corrupt(field, error))
}

fn word<T: FromStr<Err: Display>>(record: &Document, field: &str) -> Result<T, Error> {
    let text = text(record, field)?;
    text.parse().map_err(|error| corrupt(field, error))
}

fn text<'a>(record: &'a Document, field: &str) -> Result<&'a str, Error> {
    record.get_str(field).map_err(|error| corrupt(field, error))
}

fn corrupt(field: &str, why: impl Display) -> Error {
    Error::Corrupt(format!("field {field} of a record: {why}"))
}
