use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use decant_function::{ProblemDetails, reasons};

/// Why an event was not dealt with. All of these may pass, so all of them are 503: the broker comes back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("somebody else is converting this job")]
    Held,
    #[error("every slot is taken")]
    Busy,
    #[error("the conversion was stopped: {0}")]
    Stopped(&'static str),
    #[error(transparent)]
    Store(#[from] decant_store::Error),
    #[error(transparent)]
    Audio(#[from] decant_audio::Error),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let code = match &self {
            Self::Held => "held",
            Self::Busy => "busy",
            Self::Stopped(_) => "stopped",
            Self::Store(_) => "store-unavailable",
            Self::Audio(_) => "engine",
        };
        if let Self::Store(error) = &self {
            tracing::error!(error = reasons(error), "the store failed");
        }
        ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, code, self.to_string())
            .with_header(header::RETRY_AFTER, 5)
            .into_response()
    }
}
