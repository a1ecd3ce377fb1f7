use crate::place::{Backend, on_each_database};
use crate::support::{Call, TestAuth};
use std::fs;

on_each_database! {
    it_is_ready_with_a_database_and_a_key
    without_its_key_it_is_not_ready
    without_its_tables_it_is_not_ready_and_says_so
}

async fn it_is_ready_with_a_database_and_a_key(on: Backend) {
    let auth = TestAuth::start(on).await;
    let answer = auth.send(Call::new("GET", "/health/readiness")).await;
    assert_eq!(answer.status, 200);
}

async fn without_its_key_it_is_not_ready(on: Backend) {
    let auth = TestAuth::start(on).await;
    fs::remove_file(auth.path("key.pem")).expect("the key");
    let answer = auth.send(Call::new("GET", "/health/readiness")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("signing key"));
    let answer = auth.send(Call::new("GET", "/health/liveness")).await;
    assert_eq!(answer.status, 200);
}

async fn without_its_tables_it_is_not_ready_and_says_so(on: Backend) {
    let auth = TestAuth::start(on).await;
    auth.place.execute("DROP TABLE users").await;
    let answer = auth.send(Call::new("GET", "/health/readiness")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("users' database"));
    let answer = auth.login("kevin@email.com", "Qwerty123").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.code(), "users-unavailable");
    assert_eq!(answer.header("retry-after"), "5");
}
