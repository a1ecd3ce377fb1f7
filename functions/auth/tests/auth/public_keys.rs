use crate::place::Backend;
use crate::support::{Call, TestAuth};
use decant_auth::Claims;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};

#[tokio::test]
async fn the_public_keys_verify_a_token() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let token = auth.token().await;
    let answer = auth.send(Call::new("GET", "/.well-known/jwks.json")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");

    let keys: JwkSet = serde_json::from_value(answer.json()).expect("a JWKS");
    let kid = decode_header(&token).expect("a header").kid.expect("a kid");
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("the key")).expect("a key");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["decant"]);
    decode::<Claims>(&token, &key, &validation).expect("a token that verifies");
}

#[tokio::test]
async fn the_public_keys_hold_nothing_secret() {
    let auth = TestAuth::start(Backend::Sqlite).await;
    let answer = auth.send(Call::new("GET", "/.well-known/jwks.json")).await;
    let key = answer.json()["keys"][0].clone();
    let members: Vec<&String> = key.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!((&key["alg"], &key["use"]), (&"EdDSA".into(), &"sig".into()));
}
