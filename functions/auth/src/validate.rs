use crate::{App, Claims, error::Error};
use axum::{Json, extract::State, http::header, response::IntoResponse};
use axum_extra::{
    TypedHeader,
    headers::{Authorization, authorization::Bearer},
    typed_header::TypedHeaderRejection,
};

/// `POST /validate`: a Bearer token in, its claims out.
///
/// The token alone decides, as everywhere else: one of a user who was removed is good until it expires.
pub(crate) async fn validate(
    State(app): State<App>,
    bearer: Result<TypedHeader<Authorization<Bearer>>, TypedHeaderRejection>,
) -> Result<impl IntoResponse, Error> {
    let TypedHeader(Authorization(bearer)) = bearer.map_err(|_| Error::MissingToken)?;
    let claims: Claims = app.tokens.verify(bearer.token())?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(claims)))
}
