use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A signing key as auth has it, its public half in a file.
pub(crate) struct Keys(pub(crate) SigningKey);

impl Keys {
    pub(crate) fn make(public_keys: &Path) -> Self {
        let key = SigningKey::from_bytes(&rand::random());
        fs::write(public_keys, json!({"keys": [jwk(&key)]}).to_string()).unwrap();
        Self(key)
    }

    pub(crate) fn bearer(&self, username: &str) -> String {
        format!("Bearer {}", self.token(header(), &claims(username)))
    }

    pub(crate) fn token(&self, header: Header, claims: &Value) -> String {
        let der = self.0.to_pkcs8_der().unwrap();
        encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
    }
}

fn jwk(key: &SigningKey) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "1", "x": x})
}

pub(crate) fn header() -> Header {
    Header {
        typ: Some("at+jwt".into()),
        kid: Some("1".into()),
        ..Header::new(Algorithm::EdDSA)
    }
}

/// Claims as auth makes them, good for a day.
pub(crate) fn claims(username: &str) -> Value {
    let now = chrono::Utc::now().timestamp();
    json!({
        "iss": "decant", "aud": "decant", "sub": username, "username": username, "admin": false,
        "iat": now, "exp": now + 86_400,
    })
}
