mod format;

use crate::{App, download::value, error::Error, file_name, jobs::visible, person::Person};
use axum::{
    body::Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::Utc;
use decant_events::FileId;
use decant_function::{Query, reasons};
use decant_store::{Bucket, Error as StoreError, Job, State as JobState, Store};
use format::Entry;
use futures::{TryStreamExt, stream, stream::BoxStream};
use std::{collections::HashSet, vec};

/// The most jobs of one archive.
const MOST: usize = 100;

/// Sends the MP3s of several jobs as one archive.
///
/// What isn't there is said before the first byte; what goes wrong later breaks the connection before the length that
/// was announced.
#[utoipa::path(
    get,
    path = "/jobs/zip",
    tag = "downloads",
    security(("bearer" = [])),
    params(("id" = Vec<String>, Query, description = "The jobs, 1 to 100")),
    responses((
        status = 200,
        description = "The archive",
        content_type = "application/zip",
        body = String,
        headers(
            ("Content-Disposition" = String, description = "Its name"),
            ("Content-Length" = String, description = "Its size"),
        ),
    )),
    extensions(("x-errors" = json!(["bad-request", "not-found", "no-mp3"])))
)]
pub(crate) async fn zip(
    State(app): State<App>,
    person: Person,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let mut asked = HashSet::new();
    let ids: Vec<_> = query
        .into_iter()
        .filter(|(name, id)| name == "id" && asked.insert(id.clone()))
        .map(|(_, id)| id)
        .collect();
    if ids.is_empty() || ids.len() > MOST {
        return Err(Error::BadRequest(format!(
            "Expected 1 to {MOST} jobs, such as /jobs/zip?id=…&id=…, got {}.",
            ids.len()
        )));
    }
    let mut names = Names::default();
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        let job = visible(&app, &person, Ok(Path(id))).await?;
        files.push(file(&app, &job, &mut names).await?);
    }
    let entries: Vec<_> = files.iter().map(|file| &file.entry).collect();
    let length = format::length(&entries);
    let name = format!("decant-{}.zip", chrono::Utc::now().format("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, value("application/zip")),
        (header::CONTENT_LENGTH, length.into()),
        (
            header::CONTENT_DISPOSITION,
            value(&file_name::attachment(&name)),
        ),
        (header::CACHE_CONTROL, value("private, no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, value("nosniff")),
    ];
    let archive = Archive::new(app.store, files);
    Ok((headers, Body::from_stream(archive.stream())).into_response())
}

/// A ready job's MP3, if it is there. It is opened again when its turn comes: a hundred open ones are too many.
async fn file(app: &App, job: &Job, names: &mut Names) -> Result<File, Error> {
    let now = Utc::now();
    let mp3 = app.retention.mp3(job, now);
    let mp3 = mp3.filter(|_| job.state == JobState::Ready);
    let mp3 = mp3.ok_or(Error::NoMp3 {
        id: job.id,
        state: app.retention.state(job, now).as_str(),
    })?;
    let opened = match app.store.payloads.open(Bucket::Mp3s, mp3.id).await {
        Err(StoreError::NotFound) => return Err(Error::NotFound),
        opened => opened?,
    };
    Ok(File {
        mp3_id: mp3.id,
        entry: Entry {
            name: names.unique(job.title()),
            size_bytes: opened.size_bytes(),
            modified: job.updated_at,
        },
    })
}

/// The names in one archive. No two differ only by case, which some file systems don't tell apart.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn unique(&mut self, title: &str) -> String {
        let title = title.replace(['/', '\\'], "_");
        let numbered = (2..).map(|number| format!("{title} ({number}).mp3"));
        std::iter::once(format!("{title}.mp3"))
            .chain(numbered)
            .find(|name| self.0.insert(name.to_lowercase()))
            .unwrap_or_default()
    }
}

struct File {
    mp3_id: FileId,
    entry: Entry,
}

/// An archive on its way out.
struct Archive {
    store: Store,
    files: vec::IntoIter<File>,
    current: Option<Current>,
    /// What the archive's end says of the files so far.
    directory: Vec<u8>,
    count: u64,
    sent_bytes: u64,
    ended: bool,
}

/// The file that is being sent.
struct Current {
    entry: Entry,
    offset: u64,
    rest: BoxStream<'static, Result<Bytes, StoreError>>,
    checksum: crc32fast::Hasher,
}

impl Archive {
    fn new(store: Store, files: Vec<File>) -> Self {
        Self {
            store,
            files: files.into_iter(),
            current: None,
            directory: Vec::new(),
            count: 0,
            sent_bytes: 0,
            ended: false,
        }
    }

    fn stream(self) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let pieces = stream::try_unfold(self, |mut archive| async move {
            let piece = archive.next().await?;
            Ok(piece.map(|piece| (piece, archive)))
        });
        Box::pin(pieces.inspect_err(|error| {
            tracing::error!(error = reasons(error), "an archive broke off");
        }))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let piece = match self.current.take() {
            Some(current) => self.go_on(current).await?,
            None => match self.files.next() {
                Some(file) => self.begin(file).await?,
                None if self.ended => return Ok(None),
                None => self.end(),
            },
        };
        self.sent_bytes += piece.len() as u64;
        Ok(Some(piece))
    }

    async fn begin(&mut self, File { mp3_id, entry }: File) -> Result<Bytes, StoreError> {
        let mp3 = self.store.payloads.open(Bucket::Mp3s, mp3_id).await?;
        let header = format::header(&entry);
        self.current = Some(Current {
            rest: mp3.stream(0..entry.size_bytes),
            offset: self.sent_bytes,
            checksum: crc32fast::Hasher::new(),
            entry,
        });
        Ok(header)
    }

    async fn go_on(&mut self, mut current: Current) -> Result<Bytes, StoreError> {
        match current.rest.try_next().await? {
            Some(piece) => {
                current.checksum.update(&piece);
                self.current = Some(current);
                Ok(piece)
            }
            None => {
                let checksum = current.checksum.finalize();
                let line = format::directory_line(&current.entry, checksum, current.offset);
                self.directory.extend(line);
                self.count += 1;
                Ok(format::descriptor(&current.entry, checksum))
            }
        }
    }

    fn end(&mut self) -> Bytes {
        self.ended = true;
        let mut end = std::mem::take(&mut self.directory);
        end.extend(format::end(self.count, self.sent_bytes, end.len() as u64));
        end.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_more_than_case() {
        let mut names = Names::default();
        let given = ["talk", "Talk", "talk (2)", "a/b", "talk"];
        let unique = given.map(|title| names.unique(title));
        assert_eq!(
            unique,
            [
                "talk.mp3",
                "Talk (2).mp3",
                "talk (2) (2).mp3",
                "a_b.mp3",
                "talk (3).mp3"
            ]
        );
    }
}
