use crate::support::{Call, KEVIN, PASSWORD, TestAuth};
use decant_auth::Passwords;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

async fn time(auth: &TestAuth, name: &str, password: &str, round: usize) -> Duration {
    // From elsewhere each time: nothing is to be throttled here.
    let call = Call::login(name, password).from(&format!("192.0.2.{}", round + 1));
    let start = Instant::now();
    let answer = auth.send(call).await;
    assert_eq!(answer.status, 401);
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

#[tokio::test]
async fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let auth = TestAuth::start_with(Passwords::default(), Passwords::default()).await;
    let (mut known, mut unknown, mut odd) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        known.push(time(&auth, KEVIN, "wrong", round).await);
        unknown.push(time(&auth, "nobody@email.com", PASSWORD, round).await);
        odd.push(time(&auth, "no address", "", round).await);
    }
    let known = median(known);
    for other in [median(unknown), median(odd)] {
        let ratio = other / known;
        assert!((0.5..2.0).contains(&ratio), "{ratio} times as long");
    }
}

#[tokio::test]
async fn a_throttled_login_is_not_hashed() {
    let auth = TestAuth::start_with(Passwords::default(), Passwords::default()).await;
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
    let ratio = median(throttled) / median(hashed);
    assert!(ratio < 0.5, "{ratio} times as long");
}
