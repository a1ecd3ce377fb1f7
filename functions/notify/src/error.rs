use crate::{InvalidOutbox, mailer::SendError};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use decant_function::{EmitError, ProblemDetails, reasons};
use std::io;

/// Why `notify` can't start.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The store can't be opened.
    #[error("DECANT_STORE: the store can't be opened")]
    Store(#[source] decant_store::Error),
    /// No way for mail to leave is set.
    #[error("DECANT_SMTP: {0}")]
    Outbox(#[from] InvalidOutbox),
    /// The folder for mails can't be made.
    #[error("DECANT_SMTP: the folder for mails can't be made")]
    Folder(#[source] io::Error),
    /// The mail server has no name that a certificate could be for, or the system's certificates are of no use.
    #[error("DECANT_SMTP: TLS can't be set up for this mail server")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Why an event can't be handled now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the event's data is not understood: {0}")]
    Malformed(String),
    #[error("somebody else is sending this mail")]
    Held,
    #[error("the mail could not be sent")]
    Unsent(#[from] SendError),
    #[error("sending it broke off")]
    BrokeOff(#[from] tokio::task::JoinError),
    #[error("the store can't do it")]
    Store(#[from] decant_store::Error),
    #[error("the event could not be emitted")]
    Unemitted(#[from] EmitError),
    #[error("the sweep could not do all of its work; the next one will try again")]
    SweptInPart,
}

impl IntoResponse for Error {
    /// 503 makes the broker come back; 400 is final.
    fn into_response(self) -> Response {
        let code = match &self {
            Self::Malformed(_) => {
                metrics::counter!("decant_events_refused_total").increment(1);
                tracing::warn!(error = %self, "malformed event refused");
                let refusal = (StatusCode::BAD_REQUEST, "malformed-event");
                return ProblemDetails::new(refusal.0, refusal.1, self.to_string()).into_response();
            }
            Self::Held => "mail-in-hand",
            Self::Unsent(_) | Self::BrokeOff(_) => "mail-unsent",
            Self::Store(_) => "store-unavailable",
            Self::Unemitted(_) => "broker-unavailable",
            Self::SweptInPart => "swept-in-part",
        };
        tracing::warn!(error = reasons(&self), "not done, to be tried again");
        ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, code, self.to_string())
            .with_header(header::RETRY_AFTER, 5)
            .into_response()
    }
}
