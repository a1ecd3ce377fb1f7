use crate::place::{Backend, on_each_database};
use crate::support::{Call, KEVIN, PASSWORD, TestAuth};
use axum::Router;
use decant_auth::throttle::{Account, Admission, Network};
use std::collections::HashMap;

on_each_database! {
    after_five_failures_even_the_right_password_waits
    one_failure_more_is_allowed_for_each_that_leaves_the_window
    an_unknown_account_is_throttled_like_a_known_one
    a_throttled_login_adds_no_failure
    a_success_clears_the_accounts_failures
    fifty_failures_from_one_address_throttle_every_account_from_there
    a_success_leaves_the_addresss_failures
    ipv6_clients_are_counted_by_their_64
    a_forwarded_address_counts_only_from_a_trusted_proxy
    an_attempt_that_never_ends_counts_as_failed_after_a_minute
    failures_that_left_the_window_are_forgotten
    replicas_count_together
    of_forty_wrong_passwords_at_once_five_are_looked_at
    forty_right_passwords_at_once_are_all_let_in
    more_logins_than_can_wait_are_sent_away_uncounted
}

const WRONG: &str = "Qwerty124";

impl TestAuth {
    async fn fail(&self, name: &str, times: usize) {
        for _ in 0..times {
            assert_eq!(self.login(name, WRONG).await.status, 401);
        }
    }

    async fn status(&self, call: Call) -> u16 {
        self.send(call).await.status.as_u16()
    }
}

async fn after_five_failures_even_the_right_password_waits(on: Backend) {
    let auth = TestAuth::start(on).await;
    auth.fail(KEVIN, 1).await;
    auth.pass_seconds(100);
    auth.fail(KEVIN, 4).await;
    for password in [WRONG, PASSWORD] {
        let answer = auth.login(KEVIN, password).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.code(), "too-many-failures");
        assert_eq!(answer.header("retry-after"), "800", "until the oldest goes");
    }
    auth.pass_seconds(799);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.header("retry-after"), "1");
    auth.pass_seconds(1);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

async fn one_failure_more_is_allowed_for_each_that_leaves_the_window(on: Backend) {
    let auth = TestAuth::start(on).await;
    auth.fail(KEVIN, 1).await;
    auth.pass_seconds(100);
    auth.fail(KEVIN, 4).await;
    auth.pass_seconds(800);
    auth.fail(KEVIN, 1).await;
    let answer = auth.login(KEVIN, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "100");
}

async fn an_unknown_account_is_throttled_like_a_known_one(on: Backend) {
    let auth = TestAuth::start(on).await;
    auth.fail(KEVIN, 5).await;
    auth.fail("nobody@email.com", 5).await;
    auth.fail("no address", 5).await;
    let known = auth.login(KEVIN, WRONG).await;
    for name in ["nobody@email.com", "NOBODY@email.com", "no address"] {
        let unknown = auth.login(name, WRONG).await;
        assert_eq!(unknown.status, 429);
        assert_eq!(unknown.headers, known.headers);
        assert_eq!(unknown.json(), known.json());
    }
}

async fn a_throttled_login_adds_no_failure(on: Backend) {
    let auth = TestAuth::start(on).await;
    auth.fail(KEVIN, 5).await;
    auth.pass_seconds(800);
    for _ in 0..60 {
        assert_eq!(auth.login(KEVIN, WRONG).await.status, 429);
    }
    auth.pass_seconds(100);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

async fn a_success_clears_the_accounts_failures(on: Backend) {
    let auth = TestAuth::start(on).await;
    for _ in 0..3 {
        auth.fail(KEVIN, 4).await;
        assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
    }
}

async fn fifty_failures_from_one_address_throttle_every_account_from_there(on: Backend) {
    let auth = TestAuth::start(on).await;
    for i in 0..46 {
        auth.fail(&format!("nobody-{i}@email.com"), 1).await;
    }
    auth.fail(KEVIN, 4).await;
    let answer = auth.login(KEVIN, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "900");

    let elsewhere = || Call::login(KEVIN, PASSWORD).from("192.0.2.2");
    assert_eq!(auth.status(elsewhere()).await, 200);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 429);
    auth.pass_seconds(900);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

async fn a_success_leaves_the_addresss_failures(on: Backend) {
    let auth = TestAuth::start(on).await;
    for i in 0..49 {
        auth.fail(&format!("nobody-{i}@email.com"), 1).await;
    }
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
    auth.fail("nobody@email.com", 1).await;
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 429);
}

async fn ipv6_clients_are_counted_by_their_64(on: Backend) {
    let auth = TestAuth::start(on).await;
    for i in 0..50 {
        let call = Call::login(&format!("nobody-{i}@email.com"), WRONG);
        let call = call.from(&format!("2001:db8:1:2::{i:x}"));
        assert_eq!(auth.status(call).await, 401);
    }
    let login = || Call::login(KEVIN, PASSWORD);
    let neighbour = login().from("2001:db8:1:2:ffff::1");
    assert_eq!(auth.status(neighbour).await, 429);
    let stranger = login().from("2001:db8:1:3::1");
    assert_eq!(auth.status(stranger).await, 200);
}

async fn a_forwarded_address_counts_only_from_a_trusted_proxy(on: Backend) {
    let auth = TestAuth::start(on).await;
    for i in 0..50 {
        let call = Call::login(&format!("nobody-{i}@email.com"), WRONG);
        let call = call.from("10.1.2.3").forwarded_for("198.51.100.7");
        assert_eq!(auth.status(call).await, 401);
    }
    let login = || Call::login(KEVIN, PASSWORD);
    // Through the proxy it is the client who waits, whatever it wrote before its own address.
    let client = login()
        .from("10.1.2.3")
        .forwarded_for("203.0.113.9, 198.51.100.7");
    assert_eq!(auth.status(client).await, 429);
    let other = login().from("10.1.2.3").forwarded_for("198.51.100.8");
    assert_eq!(auth.status(other).await, 200);
    // Without the proxy the header is worth nothing.
    let pretender = login().from("192.0.2.1").forwarded_for("198.51.100.7");
    assert_eq!(auth.status(pretender).await, 200);
    for i in 0..50 {
        let call = Call::login(&format!("somebody-{i}@email.com"), WRONG);
        let call = call
            .from("192.0.2.1")
            .forwarded_for(&format!("198.51.100.{i}"));
        assert_eq!(auth.status(call).await, 401);
    }
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 429);
}

async fn an_attempt_that_never_ends_counts_as_failed_after_a_minute(on: Backend) {
    let auth = TestAuth::start(on).await;
    let throttle = auth.database().await.throttle;
    let (account, network) = (Account::named(KEVIN), Network::of([192, 0, 2, 1].into()));
    for _ in 0..5 {
        let admission = throttle.begin(&account, &network).await.expect("an answer");
        assert!(matches!(admission, Admission::Admitted(_)));
    }
    let crowded = throttle.begin(&account, &network).await;
    assert_eq!(crowded.expect("an answer"), Admission::Crowded);
    auth.pass_seconds(60);
    let answer = auth.login(KEVIN, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "840");
}

async fn failures_that_left_the_window_are_forgotten(on: Backend) {
    let auth = TestAuth::start(on).await;
    for i in 0..10 {
        auth.fail(&format!("nobody-{i}@email.com"), 1).await;
    }
    auth.pass_seconds(900);
    auth.fail(KEVIN, 1).await;
    assert_eq!(
        auth.place
            .count("SELECT count(*) FROM login_attempts")
            .await,
        1
    );
}

async fn replicas_count_together(on: Backend) {
    let auth = TestAuth::start(on).await;
    let replica = auth.replica().await;
    auth.fail(KEVIN, 3).await;
    for _ in 0..2 {
        let answer = Call::login(KEVIN, WRONG).send_to(&replica).await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 429);
    let answer = Call::login(KEVIN, PASSWORD).send_to(&replica).await;
    assert_eq!(answer.status, 429);
}

/// Sends as many logins at once, to every second replica, and counts the answers by status.
async fn at_once(replicas: &[Router; 2], password: &str, logins: usize) -> HashMap<u16, usize> {
    let mut running = tokio::task::JoinSet::new();
    for i in 0..logins {
        let (replica, call) = (replicas[i % 2].clone(), Call::login(KEVIN, password));
        running.spawn(async move { call.send_to(&replica).await.status.as_u16() });
    }
    let mut statuses = HashMap::new();
    for status in running.join_all().await {
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

async fn of_forty_wrong_passwords_at_once_five_are_looked_at(on: Backend) {
    let auth = TestAuth::start(on).await;
    let replicas = [auth.replica().await, auth.replica().await];
    let statuses = at_once(&replicas, WRONG, 40).await;
    assert_eq!(statuses, HashMap::from([(401, 5), (429, 35)]));
}

async fn forty_right_passwords_at_once_are_all_let_in(on: Backend) {
    let auth = TestAuth::start(on).await;
    let replicas = [auth.replica().await, auth.replica().await];
    auth.fail(KEVIN, 4).await;
    let statuses = at_once(&replicas, PASSWORD, 40).await;
    assert_eq!(statuses, HashMap::from([(200, 40)]));
}

async fn more_logins_than_can_wait_are_sent_away_uncounted(on: Backend) {
    let auth = TestAuth::start(on).await;
    let replica = auth.replica().await;
    let statuses = at_once(&[replica.clone(), replica], PASSWORD, 300).await;
    assert_eq!(
        statuses
            .keys()
            .filter(|status| ![200, 503].contains(*status))
            .count(),
        0
    );
    assert!(statuses.contains_key(&200), "{statuses:?}");
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}
