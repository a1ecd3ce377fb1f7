use crate::place::Backend;
use crate::support::{Answer, Call, KEVIN, TestAuth};
use axum::http::header;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use decant_auth::KeyPair;
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};
use std::fs;

fn claims() -> Value {
    json!({
        "iss": "decant", "aud": "decant", "sub": KEVIN, "username": KEVIN, "admin": true,
        "iat": get_current_timestamp(), "exp": get_current_timestamp() + 60,
    })
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn header_of_type(typ: Option<&str>) -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = typ.map(str::to_owned);
    header
}

impl TestAuth {
    /// A token that auth's own key signed.
    fn signed(&self, header: &Header, claims: &Value) -> String {
        let pem = fs::read(self.path("key.pem")).expect("the key");
        let key = EncodingKey::from_ed_pem(&pem).expect("a key");
        jsonwebtoken::encode(header, claims, &key).expect("a token")
    }

    async fn of_type(&self, typ: Option<&str>, claims: &Value) -> Answer {
        self.validate(&self.signed(&header_of_type(typ), claims))
            .await
    }
}

fn assert_refused(answer: &Answer, code: &str) {
    assert_eq!(answer.status, 401);
    assert_eq!(answer.code(), code);
    assert_eq!(
        answer.header("www-authenticate"),
        r#"Bearer realm="decant", error="invalid_token""#
    );
}

#[tokio::test]
async fn a_token_says_who_signed_in_for_a_day() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let before = get_current_timestamp();
    let token = auth.token().await;
    let claims = auth.validate(&token).await.json();
    let iat = claims["iat"].as_u64().expect("a time");
    assert!((before..=get_current_timestamp()).contains(&iat));
    let expected = json!({
        "iss": "decant", "aud": "decant", "sub": KEVIN, "username": KEVIN, "admin": true,
        "iat": iat, "exp": iat + 86400,
    });
    assert_eq!(claims, expected);

    let header = jsonwebtoken::decode_header(&token).expect("a header");
    assert_eq!(header.alg, Algorithm::EdDSA);
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = KeyPair::read(&auth.path("key.pem")).expect("the key");
    assert_eq!(header.kid, Some(key.id()));
}

#[tokio::test]
async fn a_token_of_ours_is_taken() {
    // The others below differ from it by one thing each.
    let auth = TestAuth::start(Backend::Sqlite).await;
    assert_eq!(auth.of_type(Some("at+jwt"), &claims()).await.status, 200);
}

#[tokio::test]
async fn without_a_token_it_says_what_is_expected() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for value in [None, Some("Basic a2V2aW46cHc="), Some("Bearer")] {
        let call = Call::new("POST", "/validate");
        let answer = match value {
            Some(value) => auth.send(call.with(header::AUTHORIZATION, value)).await,
            None => auth.send(call).await,
        };
        assert_eq!(answer.status, 401);
        assert_eq!(answer.code(), "missing-token");
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="decant""#
        );
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for age in [0, 1, 3600] {
        let claims = claims_with("exp", json!(get_current_timestamp() - age));
        assert_refused(
            &auth.of_type(Some("at+jwt"), &claims).await,
            "expired-token",
        );
    }
}

#[tokio::test]
async fn a_token_for_or_from_somebody_else_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for claim in ["aud", "iss"] {
        for value in [json!("another"), json!(["another"]), json!(null), json!(7)] {
            let claims = claims_with(claim, value);
            assert_refused(
                &auth.of_type(Some("at+jwt"), &claims).await,
                "invalid-token",
            );
        }
    }
}

#[tokio::test]
async fn a_token_without_one_of_its_claims_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for claim in ["iss", "aud", "sub", "username", "admin", "iat", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(claim);
        assert_refused(
            &auth.of_type(Some("at+jwt"), &claims).await,
            "invalid-token",
        );
    }
}

#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    for typ in [None, Some("JWT"), Some("id_token")] {
        assert_refused(&auth.of_type(typ, &claims()).await, "invalid-token");
    }
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let token = auth.token().await;
    let parts: Vec<&str> = token.split('.').collect();
    let (header, signature) = (parts[0], parts[2]);
    let admin = URL_SAFE_NO_PAD.encode(claims_with("sub", json!("eve@email.com")).to_string());
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    for forgery in [
        format!("{header}.{admin}.{signature}"),
        format!("{header}.{}.{zeros}", parts[1]),
        format!("{header}.{}.", parts[1]),
        format!("{header}.{}", parts[1]),
        format!("{token}.{signature}"),
        "rubbish".to_owned(),
        "..".to_owned(),
    ] {
        assert_refused(&auth.validate(&forgery).await, "invalid-token");
    }
    let another = TestAuth::start(Backend::Sqlite).await;
    let foreign = another.signed(&header_of_type(Some("at+jwt")), &claims());
    assert_refused(&auth.validate(&foreign).await, "invalid-token");
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let claims = URL_SAFE_NO_PAD.encode(claims().to_string());
    for alg in ["none", "None", "NONE", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "at+jwt"}).to_string());
        assert_refused(
            &auth.validate(&format!("{header}.{claims}.")).await,
            "invalid-token",
        );
    }
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let jwks = auth.send(Call::new("GET", "/.well-known/jwks.json")).await;
    let x = jwks.json()["keys"][0]["x"]
        .as_str()
        .expect("a key")
        .to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&x).expect("base64");
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    for secret in [raw.as_slice(), x.as_bytes(), jwks.text().as_bytes()] {
        let key = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&header, &claims(), &key).expect("a token");
        assert_refused(&auth.validate(&token).await, "invalid-token");
    }
}
