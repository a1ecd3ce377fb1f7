use crate::place::{Backend, on_each_database};
use crate::support::{Call, KEVIN, PASSWORD, TestAuth};
use decant_auth::Passwords;
use std::time::{Duration, Instant};

on_each_database! {
    an_unknown_user_takes_as_long_as_a_wrong_password
    a_throttled_login_is_not_hashed
}

const ROUNDS: usize = 5;

async fn time(auth: &TestAuth, name: &str, password: &str, round: usize) -> Duration {
    // From elsewhere each time: nothing is to be throttled here.
    let call = Call::login(name, password).from(&format!("192.0.2.{}", round + 1));
    let start = Instant::now();
    let answer = auth.send(call).await;
    assert_eq!(answer.status, 401);
    start.elapsed()
}

/// The shortest of several: whatever else the machine does only adds to it.
fn shortest(times: Vec<Duration>) -> f64 {
    times.into_iter().min().unwrap_or_default().as_secs_f64()
}

async fn an_unknown_user_takes_as_long_as_a_wrong_password(on: Backend) {
    let auth = TestAuth::start_with(on, Passwords::default(), Passwords::default()).await;
    let (mut known, mut unknown, mut odd) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        known.push(time(&auth, KEVIN, "wrong", round).await);
        unknown.push(time(&auth, "nobody@email.com", PASSWORD, round).await);
        odd.push(time(&auth, "no address", "", round).await);
    }
    let known = shortest(known);
    for other in [shortest(unknown), shortest(odd)] {
        let ratio = other / known;
        // Without a hash it would be a hundredth.
        assert!((0.33..3.0).contains(&ratio), "{ratio} times as long");
    }
}

async fn a_throttled_login_is_not_hashed(on: Backend) {
    let auth = TestAuth::start_with(on, Passwords::default(), Passwords::default()).await;
    let mut hashed = vec![];
    for round in 0..5 {
        hashed.push(time(&auth, KEVIN, "wrong", round).await);
    }
    let mut throttled = vec![];
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 429);
        throttled.push(start.elapsed());
    }
    let ratio = shortest(throttled) / shortest(hashed);
    assert!(ratio < 0.5, "{ratio} times as long");
}
