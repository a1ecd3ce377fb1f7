//! The words that the jobs' changes are made of. `$$NOW` is the database's clock, which stands still while a change runs.

use chrono::{DateTime, Utc};
use decant_events::FileId;
use mongodb::bson::{self, Bson, Document, doc, oid::ObjectId};
use std::time::Duration;

/// Where gaps stop doubling: a day. (27 doublings of a millisecond are more.)
const LONGEST_GAP: Duration = Duration::from_secs(24 * 3600);

/// An id as it is stored.
pub(super) fn oid(id: FileId) -> ObjectId {
    ObjectId::from_bytes(id.bytes())
}

/// A time as it is stored.
pub(super) fn date(time: DateTime<Utc>) -> bson::DateTime {
    bson::DateTime::from_millis(time.timestamp_millis())
}

/// The time `duration` before `time`, as it is stored.
pub(super) fn date_before(time: DateTime<Utc>, duration: Duration) -> bson::DateTime {
    bson::DateTime::from_millis(time.timestamp_millis() - millis(duration))
}

/// Text of people's, which might begin with a `$`.
pub(super) fn literal(text: impl Into<Bson>) -> Document {
    doc! { "$literal": text.into() }
}

/// The time `duration` from now.
pub(super) fn after(duration: Duration) -> Document {
    moved("$dateAdd", millis(duration))
}

/// The time `duration` ago.
pub(super) fn before(duration: Duration) -> Document {
    moved("$dateSubtract", millis(duration))
}

/// The time when a gap is over that was doubled with each of the `count`, up to a day.
pub(super) fn after_doubling(gap: Duration, count: &str) -> Document {
    let times = doc! { "$pow": [2, { "$min": [count, 27] }] };
    let doubled = doc! { "$multiply": [millis(gap.min(LONGEST_GAP)), times] };
    let limited = doc! { "$min": [doubled, millis(LONGEST_GAP)] };
    moved("$dateAdd", doc! { "$toLong": limited })
}

/// `$dateAdd`, because `$add` takes dates and numbers apart on some servers.
fn moved(by: &str, amount: impl Into<Bson>) -> Document {
    doc! { by: { "startDate": "$$NOW", "unit": "millisecond", "amount": amount.into() } }
}

/// The field holds a time that is `limit` or earlier. One that holds none would compare as earlier than all.
pub(super) fn is_by(field: &str, limit: impl Into<Bson>) -> Document {
    let value = format!("${field}");
    doc! { "$and": [
        { "$eq": [{ "$type": &value }, "date"] },
        { "$lte": [value, limit.into()] },
    ] }
}

/// The lease has run out.
pub(super) fn has_run_out() -> Document {
    is_by("lease_until", "$$NOW")
}

/// Nobody works on the job: it is queued, or its lease has run out.
pub(super) fn is_unheld() -> Bson {
    let left = doc! { "state": "converting", "$expr": has_run_out() };
    vec![doc! { "state": "queued" }, left].into()
}

/// The `litter` of a record whose attempt ends without a publication: its MP3 with what is litter already. Where
/// `$attempt_mp3_id` is cleared or replaced, this goes into the same stage, so that no MP3 is forgotten.
pub(super) fn with_attempt() -> Document {
    with_litter(&["$attempt_mp3_id"])
}

/// The same of all these fields, each of which may name an MP3.
pub(super) fn with_litter(fields: &[&str]) -> Document {
    let mut lists: Vec<Bson> = vec![doc! { "$ifNull": ["$litter", []] }.into()];
    lists.extend(fields.iter().map(|field| {
        let litter = doc! { "mp3_id": *field, "since": "$$NOW" };
        let is_there = doc! { "$eq": [{ "$type": *field }, "objectId"] };
        Bson::from(doc! { "$cond": [is_there, [litter], []] })
    }));
    doc! { "$concatArrays": lists }
}

/// A duration as it is stored: whole milliseconds, at most a century, so that sums with it fit.
fn millis(duration: Duration) -> i64 {
    const CENTURY: i64 = 100 * 365 * 24 * 3600 * 1000;
    i64::try_from(duration.as_millis()).map_or(CENTURY, |ms| ms.min(CENTURY))
}
