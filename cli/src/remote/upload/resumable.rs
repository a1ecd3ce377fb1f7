//! The client's half of tus 1.0.0: <https://tus.io/protocols/resumable-upload>.

use super::{bars::Pair, unfinished};
use crate::{
    failure::Failure,
    remote::server::{Server, refusal, unreachable},
    wishes::Wishes,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest_tls::{Body, Method, RequestBuilder, Response, StatusCode, header};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, UNIX_EPOCH},
};
use tokio::{
    fs::File,
    io::AsyncSeekExt,
    time::{interval, sleep},
};
use tokio_util::io::ReaderStream;

/// The waits between tries that bring nothing on: doubled from the first to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
const TRIES: u32 = 10;

/// How much is read from the file at once.
const PIECE_BYTES: usize = 256 * 1024;

const OFFSET: &str = "upload-offset";

/// One file on its way to a server.
pub(super) struct Upload {
    path: PathBuf,
    size_bytes: u64,
    modified_ms: u128,
    metadata: String,
}

impl Upload {
    /// A file that can be read, and what is asked for with it.
    pub(super) fn of(path: &Path, wishes: &Wishes) -> Result<Self, Failure> {
        let failed = |error| Failure::of_file(path, error);
        let whole = fs::canonicalize(path).map_err(failed)?;
        let file = fs::File::open(&whole).and_then(|file| file.metadata());
        let file = file.map_err(failed)?;
        if !file.is_file() || file.len() == 0 {
            return Err(Failure::usage(format!(
                "{}: expected a file that isn't empty",
                path.display()
            )));
        }
        let modified = file.modified().map_err(failed)?.duration_since(UNIX_EPOCH);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fields = [("filename", &*name)].into_iter().chain(wishes.given());
        let metadata = fields.map(|(field, text)| format!("{field} {}", STANDARD.encode(text)));
        Ok(Self {
            path: whole,
            size_bytes: file.len(),
            modified_ms: modified.unwrap_or_default().as_millis(),
            metadata: metadata.collect::<Vec<_>>().join(","),
        })
    }

    /// Sends what the server hasn't got yet, over broken connections too. Gives the job's id.
    pub(super) async fn send(&self, server: &Server, bars: &Pair) -> Result<String, Failure> {
        let key = self.key(server);
        let (mut tries, mut wait) = (0, FIRST_WAIT);
        let mut furthest = 0;
        loop {
            let failure = match self.go_on(server, &key, bars, &mut furthest).await {
                Ok(address) => {
                    unfinished::forget(&key)?;
                    let id = address.trim_end_matches('/').rsplit('/').next();
                    return Ok(id.unwrap_or_default().to_owned());
                }
                Err(Stop::For(failure)) => return Err(failure),
                Err(Stop::Came(failure)) => {
                    (tries, wait) = (0, FIRST_WAIT);
                    failure
                }
                Err(Stop::Nothing(failure)) => failure,
            };
            tries += 1;
            if tries > TRIES {
                return Err(failure);
            }
            bars.interrupted(&failure.to_string());
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// One try: asks how much is there, and sends the rest.
    async fn go_on(
        &self,
        server: &Server,
        key: &str,
        bars: &Pair,
        furthest: &mut u64,
    ) -> Result<String, Stop> {
        let (address, offset) = match unfinished::find(key)? {
            Some(address) => match self.offset(server, &address).await? {
                Some(offset) => (address, offset),
                None => (self.create(server, key).await?, 0),
            },
            None => (self.create(server, key).await?, 0),
        };
        let came = offset > *furthest;
        *furthest = offset.max(*furthest);
        bars.sent(offset, self.size_bytes);
        if offset == self.size_bytes {
            return Ok(address);
        }
        bars.goes_on();
        match self.patch(server, &address, offset, bars).await {
            Ok(end) if end == self.size_bytes => Ok(address),
            Ok(end) => {
                *furthest = end.max(*furthest);
                Err(Stop::Came(Failure::passing("broken", "the upload stopped")))
            }
            Err(failure) if !failure.may_pass() => Err(Stop::For(failure)),
            Err(failure) if came => Err(Stop::Came(failure)),
            Err(failure) => Err(Stop::Nothing(failure)),
        }
    }

    async fn create(&self, server: &Server, key: &str) -> Result<String, Failure> {
        let request = tus(server, Method::POST, "files")?
            .header("upload-length", self.size_bytes)
            .header("upload-metadata", &self.metadata);
        let answer = server.call(request).await?;
        let location = answer.headers().get(header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let address = location.ok_or_else(|| unlike("a new upload has no Location"))?;
        // Relative to the call that it answers.
        let address = server
            .url("files")?
            .join(address)
            .map_err(|_| unlike("a new upload has no Location"))?;
        unfinished::note(key, address.as_str())?;
        Ok(address.into())
    }

    /// How much the server has; `None` if it has forgotten the upload.
    async fn offset(&self, server: &Server, address: &str) -> Result<Option<u64>, Failure> {
        let request = tus(server, Method::HEAD, address)?;
        let answer = request
            .timeout(Duration::from_secs(60))
            .send()
            .await
            .map_err(unreachable)?;
        match answer.status() {
            status if status.is_success() => offset_in(&answer).map(Some),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => Ok(None),
            _ => Err(refusal(answer).await),
        }
    }

    /// Sends the file from `offset` on. Gives how much the server has then.
    async fn patch(
        &self,
        server: &Server,
        address: &str,
        offset: u64,
        bars: &Pair,
    ) -> Result<u64, Failure> {
        let failed = |error| Failure::refused("file", format!("{}: {error}", self.path.display()));
        let mut file = File::open(&self.path).await.map_err(failed)?;
        file.seek(std::io::SeekFrom::Start(offset))
            .await
            .map_err(failed)?;
        let sent = Arc::new(AtomicU64::new(offset));
        let counted = Arc::clone(&sent);
        let pieces = ReaderStream::with_capacity(file, PIECE_BYTES);
        let pieces = futures::TryStreamExt::inspect_ok(pieces, move |piece: &bytes::Bytes| {
            counted.fetch_add(piece.len() as u64, Relaxed);
        });
        let request = tus(server, Method::PATCH, address)?
            .header(header::CONTENT_TYPE, "application/offset+octet-stream")
            .header(header::CONTENT_LENGTH, self.size_bytes - offset)
            .header(OFFSET, offset)
            .body(Body::wrap_stream(pieces));
        let mut look = interval(Duration::from_millis(100));
        let sending = server.send(request);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                answer = &mut sending => return offset_in(&answer?),
                _ = look.tick() => bars.sent(sent.load(Relaxed), self.size_bytes),
            }
        }
    }

    /// The same file, unchanged, for the same server, with the same wishes.
    fn key(&self, server: &Server) -> String {
        format!(
            "{} {} {} {} {}",
            server.address(),
            self.path.display(),
            self.size_bytes,
            self.modified_ms,
            self.metadata
        )
    }
}

/// Why a try ended before the upload did.
enum Stop {
    /// For good.
    For(Failure),
    /// For now, and it had brought the upload on.
    Came(Failure),
    /// For now.
    Nothing(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure.may_pass() {
            true => Self::Nothing(failure),
            false => Self::For(failure),
        }
    }
}

fn tus(server: &Server, method: Method, address: &str) -> Result<RequestBuilder, Failure> {
    let request = server.request(method, address)?;
    Ok(request.header("tus-resumable", "1.0.0"))
}

fn offset_in(answer: &Response) -> Result<u64, Failure> {
    let offset = answer.headers().get(OFFSET);
    let offset = offset.and_then(|offset| offset.to_str().ok()?.parse().ok());
    offset.ok_or_else(|| unlike("an upload has no Upload-Offset"))
}

fn unlike(what: &str) -> Failure {
    Failure::passing(
        "answer",
        format!("the answer isn't one of a Decant's: {what}"),
    )
}
