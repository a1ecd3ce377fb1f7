use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytesize::ByteSize;
use decant_events::FileId;
use decant_function::{ProblemDetails, reasons};

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("This needs a token: POST /login gives one. Send it as `Authorization: Bearer …`.")]
    MissingToken,
    #[error("This token is not one of ours. POST /login gives a new one.")]
    InvalidToken,
    #[error("This token has expired. POST /login gives a new one.")]
    ExpiredToken,
    #[error("A change by a session needs its `X-CSRF-Token`: GET /session gives it.")]
    Csrf,
    #[error("There is nothing of yours under this id.")]
    NotFound,
    #[error("There is nothing at this address.")]
    NoSuchFile,
    #[error("Job {id} has no MP3: it is {state}. Leave it out, or ask again when it is ready.")]
    NoMp3 { id: FileId, state: &'static str },
    #[error("{0}")]
    BadRequest(String),
    #[error(transparent)]
    InvalidOption(#[from] decant_events::InvalidOption),
    #[error("Too many uploads come in right now. Please try again in a moment.")]
    Busy,
    #[error("Too many people watch their jobs right now. Please try again in a moment.")]
    TooManyStreams,
    #[error(
        "You watch your jobs at too many places at once. Please close one, or ask GET /jobs now and then."
    )]
    TooManyOfYourStreams,
    #[error("The upload with this Idempotency-Key still comes in. Ask again when it has ended.")]
    UploadInProgress,
    #[error(
        "This MP3 was kept for as long as MP3s are, and is deleted. GET /jobs/{{id}} says whether its video can be converted again."
    )]
    Expired,
    #[error("The upload broke off. Please send it again.")]
    Broken,
    #[error("Nothing arrived for a while. Please send the upload again.")]
    Stalled,
    #[error("The video is larger than {max}, the most that is taken here.", max = ByteSize(*.max_bytes).display().iec())]
    TooLarge { max_bytes: u64 },
    #[error(
        "You have {max} jobs that have not ended, the most that one person may have. Please wait until some have, or \
         delete some: DELETE /jobs/{{id}}."
    )]
    TooManyJobs { max: u64 },
    #[error(
        "With this, more than {max} would be stored for you, the most for one person. Delete jobs that you don't need any \
         more: DELETE /jobs/{{id}}.",
        max = ByteSize(*.max_bytes).display().iec()
    )]
    QuotaFull { max_bytes: u64 },
    #[error("This job has not ended yet. Wait until it has, or delete it: DELETE /jobs/{{id}}.")]
    NotFinished,
    #[error("The video of this job is not kept any more. Please upload it again.")]
    VideoExpired,
    #[error(
        "The upload was announced with {length_bytes} bytes, and more came. Please begin it again with its right length."
    )]
    BeyondLength { length_bytes: u64 },
    #[error("This upload goes on at byte {offset_bytes}.")]
    WrongOffset { offset_bytes: u64 },
    #[error(
        "The bytes that came are not those that were sent: the checksum differs. Please send them again."
    )]
    ChecksumMismatch,
    #[error(
        "Somebody else sends bytes of this upload right now. Please try again in a few seconds."
    )]
    Locked,
    #[error(
        "Nothing came of this upload for too long, and it was given up. Please begin it again."
    )]
    UploadExpired,
    #[error("This upload has ended and is a job now: DELETE /jobs/{{id}} deletes it.")]
    UploadEnded,
    #[error("Expected Tus-Resumable: 1.0.0, the version of the protocol that is spoken here.")]
    TusVersion,
    #[error("Expected bytes as Content-Type: application/offset+octet-stream.")]
    UnsupportedMediaType,
    #[error("This link was changed or cut. Please use the link in the mail as it is.")]
    ForgedLink,
    #[error("This link has expired. Sign in and download the MP3 from your jobs.")]
    ExpiredLink,
    #[error("This job has no waveform: its MP3 isn't ready, or was made before there were any.")]
    NoWaveform,
    #[error("There is nothing in that range: the MP3 has {size_bytes} bytes.")]
    RangeNotSatisfiable { size_bytes: u64 },
    #[error("Signing in is not possible right now. Please try again in a moment.")]
    AuthAway,
    #[error("The public keys can't be read")]
    PublicKeys(#[from] crate::public_keys::PublicKeysError),
    #[error(transparent)]
    Store(#[from] decant_store::Error),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::MissingToken => (StatusCode::UNAUTHORIZED, "missing-token"),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid-token"),
            Self::ExpiredToken => (StatusCode::UNAUTHORIZED, "expired-token"),
            Self::Csrf => (StatusCode::FORBIDDEN, "csrf"),
            Self::NotFound | Self::NoSuchFile => (StatusCode::NOT_FOUND, "not-found"),
            Self::NoMp3 { .. } => (StatusCode::CONFLICT, "no-mp3"),
            Self::NoWaveform => (StatusCode::NOT_FOUND, "no-waveform"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request"),
            Self::InvalidOption(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid-option"),
            Self::Busy | Self::TooManyStreams => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::UploadInProgress => (StatusCode::CONFLICT, "upload-in-progress"),
            Self::Expired => (StatusCode::GONE, "expired"),
            Self::Broken => (StatusCode::BAD_REQUEST, "broken-upload"),
            Self::Stalled => (StatusCode::REQUEST_TIMEOUT, "stalled-upload"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::TooManyOfYourStreams => (StatusCode::TOO_MANY_REQUESTS, "too-many-streams"),
            Self::TooManyJobs { .. } => (StatusCode::TOO_MANY_REQUESTS, "too-many-jobs"),
            Self::QuotaFull { .. } => (StatusCode::INSUFFICIENT_STORAGE, "quota-full"),
            Self::NotFinished => (StatusCode::CONFLICT, "not-finished"),
            Self::VideoExpired => (StatusCode::GONE, "video-expired"),
            Self::BeyondLength { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "beyond-length"),
            Self::WrongOffset { .. } => (StatusCode::CONFLICT, "wrong-offset"),
            Self::ChecksumMismatch => (checksum_mismatch(), "checksum-mismatch"),
            Self::Locked => (StatusCode::LOCKED, "locked"),
            Self::UploadExpired => (StatusCode::GONE, "upload-expired"),
            Self::UploadEnded => (StatusCode::CONFLICT, "upload-ended"),
            Self::TusVersion => (StatusCode::PRECONDITION_FAILED, "tus-version"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
            }
            Self::ForgedLink => (StatusCode::FORBIDDEN, "forged-link"),
            Self::ExpiredLink => (StatusCode::GONE, "expired-link"),
            Self::RangeNotSatisfiable { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "range"),
            Self::AuthAway => (StatusCode::SERVICE_UNAVAILABLE, "auth-unavailable"),
            Self::PublicKeys(_) => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
            Self::Store(decant_store::Error::Full(_)) => {
                (StatusCode::INSUFFICIENT_STORAGE, "store-full")
            }
            Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store-unavailable"),
        };
        let problem = ProblemDetails::new(status, code, self.detail());
        match &self {
            Self::MissingToken => problem.with_header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"decant\""),
            ),
            Self::InvalidToken | Self::ExpiredToken => problem.with_header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"decant\", error=\"invalid_token\""),
            ),
            Self::RangeNotSatisfiable { size_bytes } => {
                match HeaderValue::try_from(format!("bytes */{size_bytes}")) {
                    Ok(range) => problem.with_header(header::CONTENT_RANGE, range),
                    Err(_) => problem,
                }
            }
            Self::TooManyJobs { .. } => problem.with_header(header::RETRY_AFTER, 60),
            Self::TusVersion => problem.with_header(
                HeaderName::from_static("tus-version"),
                HeaderValue::from_static(crate::files::VERSION),
            ),
            Self::AuthAway
            | Self::Busy
            | Self::Locked
            | Self::TooManyOfYourStreams
            | Self::TooManyStreams
            | Self::UploadInProgress
            | Self::PublicKeys(_) => problem.with_header(header::RETRY_AFTER, 5),
            Self::Store(decant_store::Error::Full(_)) => {
                problem.with_header(header::RETRY_AFTER, 600)
            }
            Self::Store(_) => problem.with_header(header::RETRY_AFTER, 5),
            _ => problem,
        }
        .into_response()
    }
}

impl Error {
    /// What the caller reads. What went wrong inside is for the log.
    fn detail(&self) -> String {
        match self {
            Self::Store(error) => {
                tracing::error!(error = reasons(error), "the store failed");
                match error {
                    decant_store::Error::Full(_) => {
                        "There is no room for this video right now. Please try again later."
                    }
                    _ => "The store can't be reached right now. Please try again in a moment.",
                }
                .to_owned()
            }
            Self::PublicKeys(error) => {
                tracing::error!(error = reasons(error), "the public keys can't be read");
                "Tokens can't be checked right now. Please try again in a moment.".to_owned()
            }
            other => other.to_string(),
        }
    }
}

/// The status that tus' checksum extension has of its own.
fn checksum_mismatch() -> StatusCode {
    StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST)
}
