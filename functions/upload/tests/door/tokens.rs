use super::*;
use crate::keys::{claims, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::fs;

async fn answer(door: &Door, authorization: &str) -> TestReply {
    door.send(
        Request::get("/jobs").header("authorization", authorization),
        (),
    )
    .await
}

#[tokio::test]
async fn a_good_token_opens_the_door() {
    let door = Door::new().await;
    assert_eq!(
        answer(&door, &door.keys.bearer("kevin@email.com"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn every_route_of_a_person_needs_a_token() {
    let door = Door::new().await;
    let id = FileId::mint();
    for (method, path) in [
        ("POST", "/upload".to_owned()),
        ("POST", "/files".to_owned()),
        ("HEAD", format!("/files/{id}")),
        ("PATCH", format!("/files/{id}")),
        ("DELETE", format!("/files/{id}")),
        ("GET", "/jobs".to_owned()),
        ("GET", format!("/jobs/{id}")),
        ("GET", format!("/jobs/{id}/waveform")),
        ("GET", format!("/download?id={id}")),
    ] {
        let reply = door
            .send(
                Request::builder()
                    .method(method)
                    .uri(&path)
                    .header("tus-resumable", "1.0.0"),
                (),
            )
            .await;
        assert_eq!(reply.status, 401, "{path}");
        assert!(method == "HEAD" || reply.problem_code() == "missing-token");
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
    }
}

#[tokio::test]
async fn a_token_that_auth_did_not_make_for_us_now_is_refused() {
    let door = Door::new().await;
    let with = |name: &str, value: Value| {
        let mut claims = claims("kevin@email.com");
        claims[name] = value;
        door.keys.token(header(), &claims)
    };
    let without = |name: &str| {
        let mut claims = claims("kevin@email.com");
        claims.as_object_mut().unwrap().remove(name);
        door.keys.token(header(), &claims)
    };
    let good = door.keys.token(header(), &claims("kevin@email.com"));
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let unsigned = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIiwia2lkIjoiMSJ9";
    let public_key = door.keys.0.verifying_key();
    let as_secret = Header {
        alg: Algorithm::HS256,
        ..header()
    };
    let stranger = keys::Keys::make(&door.folder.path().join("stranger.json"));
    let refused = [
        (
            "expired",
            with("exp", json!(chrono::Utc::now().timestamp() - 1)),
        ),
        ("for somebody else", with("aud", json!("another"))),
        ("by somebody else", with("iss", json!("another"))),
        ("of nobody", without("sub")),
        ("without end", without("exp")),
        ("without audience", without("aud")),
        (
            "of another type",
            door.keys.token(
                Header {
                    typ: Some("JWT".into()),
                    ..header()
                },
                &claims("kevin@email.com"),
            ),
        ),
        (
            "without a key's id",
            door.keys.token(
                Header {
                    kid: None,
                    ..header()
                },
                &claims("kevin@email.com"),
            ),
        ),
        (
            "by a stranger's key",
            stranger.token(header(), &claims("kevin@email.com")),
        ),
        (
            "signed with the public key as a secret",
            encode(
                &as_secret,
                &claims("kevin@email.com"),
                &EncodingKey::from_secret(public_key.as_bytes()),
            )
            .unwrap(),
        ),
        ("alg none", format!("{unsigned}.{body}.")),
        ("cut", format!("{head}.{body}")),
        (
            "with another signature",
            format!(
                "{head}.{body}.{}",
                signature.chars().rev().collect::<String>()
            ),
        ),
        ("rubbish", "rubbish".to_owned()),
    ];
    for (what, token) in refused {
        let reply = answer(&door, &format!("Bearer {token}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (
                401,
                if what == "expired" {
                    "expired-token"
                } else {
                    "invalid-token"
                }
            ),
            "{what}"
        );
        assert!(reply.header("www-authenticate").contains("invalid_token"));
    }
}

#[tokio::test]
async fn new_keys_count_as_soon_as_the_file_has_them() {
    let door = Door::new().await;
    assert_eq!(
        answer(&door, &door.keys.bearer("kevin@email.com"))
            .await
            .status,
        200
    );
    let file = door.folder.path().join("public-keys.json");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let rotated = keys::Keys::make(&file);
    // The file system's clock may be coarser than this test is fast.
    fs::File::open(&file)
        .unwrap()
        .set_modified(before + Duration::from_secs(1))
        .unwrap();
    assert_eq!(
        answer(&door, &door.keys.bearer("kevin@email.com"))
            .await
            .status,
        401
    );
    assert_eq!(
        answer(&door, &rotated.bearer("kevin@email.com"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn without_public_keys_nobody_is_let_in_and_readiness_says_so() {
    let door = Door::new().await;
    fs::remove_file(door.folder.path().join("public-keys.json")).unwrap();
    assert_eq!(
        answer(&door, &door.keys.bearer("kevin@email.com"))
            .await
            .status,
        503
    );
    let ready = door.send(Request::get("/health/readiness"), ()).await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.json()["detail"]
            .as_str()
            .unwrap()
            .contains("DECANT_PUBLIC_KEYS")
    );
}

#[tokio::test]
async fn a_person_sees_their_own_jobs_and_an_admin_all() {
    let door = Door::new().await;
    let job = door.upload("a.mp4", b"video").await.json();
    let path = format!("/jobs/{}", job["id"].as_str().unwrap());
    let see = async |authorization: String, path: &str| {
        door.send(
            Request::get(path).header("authorization", authorization),
            (),
        )
        .await
    };
    let eve = || door.keys.bearer("eve@email.com");
    assert_eq!(see(eve(), &path).await.problem_code(), "not-found");
    assert_eq!(see(eve(), "/jobs").await.json()["jobs"], json!([]));

    let mut claims = claims("root@email.com");
    claims["admin"] = json!(true);
    let admin = format!("Bearer {}", door.keys.token(header(), &claims));
    assert_eq!(
        see(admin.clone(), &path).await.json()["username"],
        "kevin@email.com"
    );
    assert_eq!(see(admin, "/jobs").await.json()["jobs"][0]["id"], job["id"]);
}
