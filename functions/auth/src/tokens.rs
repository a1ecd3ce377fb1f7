use crate::{KeyError, KeyPair, users::User};
use decant_events::{
    Username,
    token::{AUDIENCE, ISSUER, TYPE},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind,
    get_current_timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// Who signed in.
    pub sub: Username,
    /// The same, under the older system's name.
    pub username: Username,
    /// Whether they see everybody's jobs.
    pub admin: bool,
    /// When they signed in, in seconds since 1970.
    pub iat: u64,
    /// When the token ends, in seconds since 1970.
    pub exp: u64,
}

/// Signs and verifies tokens: JWTs with EdDSA (RFC 8037).
pub(crate) struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    header: Header,
    validation: Validation,
    public_keys: String,
}

/// A fresh token.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) lifetime: Duration,
}

/// Why a token isn't taken or made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token is invalid")]
    Invalid(#[source] Option<jsonwebtoken::errors::Error>),
    #[error("the token can't be signed")]
    Unsignable(#[source] jsonwebtoken::errors::Error),
}

impl Tokens {
    pub(crate) fn new(keys: &KeyPair) -> Result<Self, KeyError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.id());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.leeway = 0;
        validation.reject_tokens_expiring_in_less_than = 1; // at `exp` it is over
        Ok(Self {
            signing: EncodingKey::from_ed_der(&keys.pkcs8_der()?),
            verifying: DecodingKey::from_ed_der(&keys.public_key()),
            header,
            validation,
            public_keys: keys.public_keys(),
        })
    }

    /// A token for `user`, good for a day from now.
    pub(crate) fn issue(&self, user: &User) -> Result<Token, TokenError> {
        let iat = get_current_timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.username.clone(),
            username: user.username.clone(),
            admin: user.admin,
            iat,
            exp: iat + LIFETIME.as_secs(),
        };
        let text = jsonwebtoken::encode(&self.header, &claims, &self.signing)
            .map_err(TokenError::Unsignable)?;
        Ok(Token {
            text,
            lifetime: LIFETIME,
        })
    }

    /// The claims of a token of ours that has not expired.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let token = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid(Some(error)),
            })?;
        if token.header.typ.as_deref() != Some(TYPE) {
            return Err(TokenError::Invalid(None));
        }
        Ok(token.claims)
    }

    /// The JWKS that verifies the tokens, as JSON.
    pub(crate) fn public_keys(&self) -> &str {
        &self.public_keys
    }
}
