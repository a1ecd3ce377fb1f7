use crate::place::{Backend, on_each_database};
use crate::support::{Call, KEVIN, PASSWORD, TestAuth};
use argon2::Params;
use decant_auth::Passwords;
use std::time::{Duration, Instant};

on_each_database! {
    an_unknown_user_takes_as_long_as_a_wrong_password
    a_throttled_login_is_not_hashed
}

/// A hash that takes longer than everything else that a login does, yet is often done before another process's turn.
pub(crate) fn slow() -> Passwords {
    Passwords::with_params(Params::new(19_456, 4, 1, None).expect("parameters"))
}

async fn time(auth: &TestAuth, name: &str, password: &str) -> Duration {
    let start = Instant::now();
    let answer = auth.send(Call::login(name, password)).await;
    assert_eq!(answer.status, 401);
    start.elapsed()
}

/// Whatever else the machine does only adds to a time: the shortest counts, and more are taken until they are alike.
pub(crate) async fn assert_equally_long(auth: &TestAuth, wrong: &[(&str, &str)]) {
    let mut shortest = vec![Duration::MAX; wrong.len()];
    for round in 1..=60 {
        for ((name, password), shortest) in wrong.iter().zip(&mut shortest) {
            *shortest = time(auth, name, password).await.min(*shortest);
        }
        let longest = shortest.iter().max().expect("some");
        // Without a hash it would be a tenth to a fifth.
        if round >= 3 && shortest.iter().all(|time| *time * 5 > *longest * 2) {
            return;
        }
        auth.pass_seconds(900); // nothing is to be throttled here
    }
    panic!("{wrong:?} took {shortest:?}");
}

async fn an_unknown_user_takes_as_long_as_a_wrong_password(on: Backend) {
    let auth = TestAuth::start_with(on, slow(), slow()).await;
    let unknown = ("nobody@email.com", PASSWORD);
    assert_equally_long(&auth, &[(KEVIN, "wrong"), unknown, ("no address", "")]).await;
}

async fn a_throttled_login_is_not_hashed(on: Backend) {
    let auth = TestAuth::start_with(on, slow(), slow()).await;
    let mut hashed = Duration::MAX;
    for _ in 0..5 {
        hashed = time(&auth, KEVIN, "wrong").await.min(hashed);
    }
    let mut throttled = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 429);
        throttled = start.elapsed().min(throttled);
    }
    assert!(throttled * 2 < hashed, "{throttled:?}, {hashed:?}");
}
