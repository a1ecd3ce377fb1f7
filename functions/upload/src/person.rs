use crate::{App, error::Error, session::SignedIn};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use axum_extra::{
    TypedHeader,
    headers::{Authorization, authorization::Bearer},
};
use decant_events::Username;
use decant_store::Job;

/// Who is asking: the extractor of every route that needs a token, which comes as a Bearer token or, from a browser, in
/// the cookie of its session.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Person {
    #[serde(rename = "sub")]
    pub(crate) username: Username,
    #[serde(default)]
    pub(crate) admin: bool,
    /// When the token ends, in seconds since 1970.
    #[serde(rename = "exp")]
    pub(crate) until: u64,
}

impl Person {
    /// A person sees their own jobs, an admin all.
    pub(crate) fn may_see(&self, job: &Job) -> bool {
        self.may_see_what_is_of(&job.owner)
    }

    /// The same of an upload, which isn't a job yet.
    pub(crate) fn may_see_what_is_of(&self, owner: &Username) -> bool {
        self.admin || *owner == self.username
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        type BearerToken = TypedHeader<Authorization<Bearer>>;
        let bearer = <BearerToken as FromRequestParts<App>>::from_request_parts(parts, app).await;
        match bearer {
            Ok(TypedHeader(Authorization(bearer))) => app.public_keys.verify(bearer.token()),
            Err(_) => Ok(SignedIn::of(parts, app)?.person),
        }
    }
}

impl OptionalFromRequestParts<App> for Person {
    type Rejection = Error;

    /// `None` without a token; a bad one is an error all the same.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Error> {
        match <Self as FromRequestParts<App>>::from_request_parts(parts, app).await {
            Err(Error::MissingToken) => Ok(None),
            person => person.map(Some),
        }
    }
}
