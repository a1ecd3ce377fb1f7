use crate::place::{Backend, on_each_database};
use crate::support::{Call, KEVIN, PASSWORD, TestAuth};
use axum::http::header;
use base64::{Engine, engine::general_purpose::STANDARD};

on_each_database! {
    the_right_password_gets_the_bare_token
    whoever_accepts_json_gets_the_token_in_json
    a_name_is_one_user_in_any_case
    an_unknown_user_and_a_wrong_password_get_the_same_answer
    without_credentials_that_can_be_read_it_says_what_is_expected
    a_password_may_hold_colons_umlauts_and_1024_bytes
    lost_paths_and_methods_get_a_problem
}

async fn the_right_password_gets_the_bare_token(on: Backend) {
    let auth = TestAuth::start(on).await;
    let answer = auth.login(KEVIN, PASSWORD).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(auth.validate(&answer.text()).await.status, 200);
}

async fn whoever_accepts_json_gets_the_token_in_json(on: Backend) {
    let auth = TestAuth::start(on).await;
    let call = Call::login(KEVIN, PASSWORD).with(header::ACCEPT, "application/json");
    let answer = auth.send(call).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 86400);
    let token = body["token"].as_str().expect("a token");
    assert_eq!(auth.validate(token).await.status, 200);
}

async fn a_name_is_one_user_in_any_case(on: Backend) {
    let auth = TestAuth::start(on).await;
    assert_eq!(auth.login("Kevin@Email.COM", PASSWORD).await.status, 200);
}

async fn an_unknown_user_and_a_wrong_password_get_the_same_answer(on: Backend) {
    let auth = TestAuth::start(on).await;
    let wrong = auth.login(KEVIN, "Qwerty124").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.code(), "wrong-credentials");
    assert_eq!(
        wrong.header("www-authenticate"),
        r#"Basic realm="decant", charset="UTF-8""#
    );
    let long = "x".repeat(1025);
    for (name, password) in [
        ("nobody@email.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        (KEVIN, ""),
        (KEVIN, &long),
    ] {
        let answer = auth.login(name, password).await;
        assert_eq!(answer.status, 401, "{name}:{password}");
        assert_eq!(answer.headers, wrong.headers);
        assert_eq!(answer.json(), wrong.json());
    }
}

async fn without_credentials_that_can_be_read_it_says_what_is_expected(on: Backend) {
    let auth = TestAuth::start(on).await;
    let missing = auth.send(Call::new("POST", "/login")).await;
    assert_eq!(missing.status, 401);
    assert_eq!(missing.code(), "missing-credentials");
    assert!(missing.header("www-authenticate").starts_with("Basic "));

    let no_colon = format!("Basic {}", STANDARD.encode("kevin"));
    let no_utf8 = format!("Basic {}", STANDARD.encode(b"kevin@email.com:\xff"));
    for value in ["Basic", "Basic ???", "Bearer x", "", &no_colon, &no_utf8] {
        let call = Call::new("POST", "/login").with(header::AUTHORIZATION, value);
        let answer = auth.send(call).await;
        assert_eq!(answer.status, 401, "{value:?}");
        assert_eq!(answer.json(), missing.json());
    }
}

async fn a_password_may_hold_colons_umlauts_and_1024_bytes(on: Backend) {
    let auth = TestAuth::start(on).await;
    for password in ["a:b::", "Käsespätzle 🧀", &"x".repeat(1024)] {
        auth.set_password(password).await;
        assert_eq!(auth.login(KEVIN, password).await.status, 200, "{password}");
    }
}

async fn lost_paths_and_methods_get_a_problem(on: Backend) {
    let auth = TestAuth::start(on).await;
    let answer = auth.send(Call::new("GET", "/login")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.code(), "method-not-allowed");
    assert_eq!(auth.send(Call::new("GET", "/users")).await.status, 404);
}
