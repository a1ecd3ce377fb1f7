use crate::{passwords::HashError, sign_in::SignInError, tokens::TokenError, users};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use decant_function::{ProblemDetails, reasons};

/// Everything that a request can fail with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no HTTP Basic credentials")]
    MissingCredentials,
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error("no bearer token")]
    MissingToken,
    #[error(transparent)]
    Token(#[from] TokenError),
}

const BASIC: HeaderValue = HeaderValue::from_static(r#"Basic realm="decant", charset="UTF-8""#);
const BEARER: HeaderValue = HeaderValue::from_static(r#"Bearer realm="decant""#);
const BEARER_INVALID: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="decant", error="invalid_token""#);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::MissingCredentials => unauthorized(
                BASIC,
                "missing-credentials",
                "Sign in with your mail address and your password, by HTTP Basic authentication.",
            ),
            Self::SignIn(SignInError::WrongCredentials) => unauthorized(
                BASIC,
                "wrong-credentials",
                "The mail address or the password is wrong.",
            ),
            Self::SignIn(SignInError::Throttled { retry_after_s }) => ProblemDetails::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-failures",
                format!("Too many logins failed. Please try again in {retry_after_s} seconds."),
            )
            .with_header(header::RETRY_AFTER, retry_after_s),
            Self::SignIn(SignInError::Busy) => unavailable("busy", "Too many people are signing in.", 1),
            Self::SignIn(SignInError::Database(error)) => database_away(&error),
            Self::SignIn(SignInError::Hash(error)) => hash_failed(&error),
            Self::MissingToken => unauthorized(
                BEARER,
                "missing-token",
                "Send a token in an Authorization header: Bearer, a space and the token that /login gave.",
            ),
            Self::Token(TokenError::Expired) => unauthorized(
                BEARER_INVALID,
                "expired-token",
                "The token has expired. Please sign in again.",
            ),
            Self::Token(TokenError::Invalid(_)) => unauthorized(
                BEARER_INVALID,
                "invalid-token",
                "The token is not one of ours. Please sign in again.",
            ),
            Self::Token(TokenError::Unsignable(error)) => {
                tracing::error!(%error, "a token can't be signed");
                internal()
            }
        }
        .into_response()
    }
}

fn unauthorized(challenge: HeaderValue, code: &'static str, detail: &str) -> ProblemDetails {
    ProblemDetails::new(StatusCode::UNAUTHORIZED, code, detail)
        .with_header(header::WWW_AUTHENTICATE, challenge)
}

fn unavailable(code: &'static str, detail: &str, retry_after_s: u64) -> ProblemDetails {
    let detail = format!("{detail} Please try again in a moment.");
    ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        .with_header(header::RETRY_AFTER, retry_after_s)
}

fn database_away(error: &users::Error) -> ProblemDetails {
    tracing::error!(error = %reasons(error), "the users' database failed");
    unavailable(
        "users-unavailable",
        "The list of users can't be reached.",
        5,
    )
}

fn hash_failed(error: &HashError) -> ProblemDetails {
    tracing::error!(%error, "a password can't be checked");
    internal()
}

fn internal() -> ProblemDetails {
    ProblemDetails::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something broke on our side. Please try again later.",
    )
}
