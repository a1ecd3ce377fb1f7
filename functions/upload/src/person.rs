use crate::{App, error::Error};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use axum_extra::{
    TypedHeader,
    headers::{Authorization, authorization::Bearer},
};
use decant_events::{Username, token};
use decant_store::Job;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind, jwk::JwkSet,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// Who is asking: the extractor of every route that needs a token.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Person {
    #[serde(rename = "sub")]
    pub(crate) username: Username,
    #[serde(default)]
    pub(crate) admin: bool,
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
        let TypedHeader(Authorization(bearer)) =
            <TypedHeader<Authorization<Bearer>> as FromRequestParts<App>>::from_request_parts(
                parts, app,
            )
            .await
            .map_err(|_| Error::MissingToken)?;
        app.public_keys.verify(bearer.token())
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

/// Auth's public keys, from a file that is read again when it changes.
pub(crate) struct PublicKeys {
    path: PathBuf,
    read: Mutex<Option<(SystemTime, Arc<JwkSet>)>>,
}

/// Why tokens can't be verified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublicKeysError {
    #[error("DECANT_PUBLIC_KEYS: can't read {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("DECANT_PUBLIC_KEYS: expected a JWKS in {path}")]
    Malformed {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

impl PublicKeys {
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            read: Mutex::new(None),
        }
    }

    /// The keys as they are in the file now.
    pub(crate) fn load(&self) -> Result<Arc<JwkSet>, PublicKeysError> {
        let unreadable = |source| PublicKeysError::Unreadable {
            path: self.path.clone(),
            source,
        };
        let changed = fs::metadata(&self.path)
            .and_then(|file| file.modified())
            .map_err(unreadable)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match &*read {
            Some((then, keys)) if *then == changed => Ok(Arc::clone(keys)),
            _ => {
                let text = fs::read(&self.path).map_err(unreadable)?;
                let keys =
                    serde_json::from_slice(&text).map_err(|source| PublicKeysError::Malformed {
                        path: self.path.clone(),
                        source,
                    })?;
                Ok(Arc::clone(&read.insert((changed, Arc::new(keys))).1))
            }
        }
    }

    /// Whose token it is. Algorithm, type, issuer, audience and expiry must all be as auth sets them.
    fn verify(&self, text: &str) -> Result<Person, Error> {
        let header = decode_header(text).map_err(|_| Error::InvalidToken)?;
        if header.typ.as_deref() != Some(token::TYPE) {
            return Err(Error::InvalidToken);
        }
        let keys = self.load()?;
        let key = header
            .kid
            .and_then(|kid| {
                keys.find(&kid)
                    .and_then(|jwk| DecodingKey::from_jwk(jwk).ok())
            })
            .ok_or(Error::InvalidToken)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[token::ISSUER]);
        validation.set_audience(&[token::AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        validation.reject_tokens_expiring_in_less_than = 1; // at `exp` it is over
        decode::<Person>(text, &key, &validation)
            .map(|token| token.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Error::ExpiredToken,
                _ => Error::InvalidToken,
            })
    }
}
