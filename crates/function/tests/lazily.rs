//! What a function answers before it has what it works with.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail")]

use axum::{Router, body::Body, http::Request, routing::get};
use decant_function::{
    lazily,
    testing::{TestFunction, TestReply},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::Semaphore,
    task::yield_now,
    time::{sleep, timeout},
};

const MINUTE: Duration = Duration::from_secs(60);

/// What the functions here connect to.
struct Server {
    /// How often it was tried.
    tries: AtomicUsize,
    /// How often it fails before it takes anybody.
    failures: usize,
    /// A try goes on with one of these.
    answers: Semaphore,
}

impl Server {
    fn new(failures: usize, answers: usize) -> Arc<Self> {
        Arc::new(Self {
            tries: AtomicUsize::new(0),
            failures,
            answers: Semaphore::new(answers),
        })
    }

    fn tries(&self) -> usize {
        self.tries.load(Ordering::SeqCst)
    }

    async fn tried(&self) {
        let tried = async {
            while self.tries() == 0 {
                yield_now().await;
            }
        };
        timeout(MINUTE, tried).await.unwrap();
    }
}

fn function(server: &Arc<Server>) -> TestFunction {
    TestFunction::new(lazily(Arc::clone(server), |server| async move {
        let before = server.tries.fetch_add(1, Ordering::SeqCst);
        server.answers.acquire().await?.forget();
        if before < server.failures {
            return Err("the server is away".into());
        }
        Ok(Router::new().route("/", get(|| async { "hello" })))
    }))
}

async fn ask(function: &TestFunction, path: &str) -> TestReply {
    let request = Request::get(path).body(Body::empty()).unwrap();
    timeout(MINUTE, function.send(request)).await.unwrap()
}

#[tokio::test]
async fn a_function_is_alive_before_anything_connects() {
    let server = Server::new(0, 1);
    let function = function(&server);
    assert_eq!(ask(&function, "/health/liveness").await.status, 200);
    assert_eq!(ask(&function, "/metrics").await.status, 200);
    assert_eq!(server.tries(), 0);
    assert_eq!(ask(&function, "/").await.body, b"hello");
    assert_eq!(ask(&function, "/").await.body, b"hello");
    assert_eq!(ask(&function, "/nowhere").await.status, 404);
    assert_eq!(server.tries(), 1);
}

#[tokio::test]
async fn a_function_that_can_not_connect_is_not_ready_and_tries_again() {
    let server = Server::new(1, 2);
    let function = function(&server);
    let began = Instant::now();
    let refused = ask(&function, "/").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem_code(), "not-ready");
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(ask(&function, "/health/liveness").await.status, 200);
    let second = ask(&function, "/").await;
    if began.elapsed() < Duration::from_secs(1) {
        assert_eq!(second.status, 503, "the failed try stands for others too");
    }
    let connected = async {
        while ask(&function, "/").await.status != 200 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(MINUTE, connected).await.unwrap();
    assert_eq!(server.tries(), 2);
}

#[tokio::test]
async fn requests_that_wait_for_the_same_try_share_its_end() {
    for failures in [0, 1] {
        let server = Server::new(failures, 0);
        let function = function(&server);
        let ask = async || ask(&function, "/").await.status;
        let release = async {
            server.tried().await;
            server.answers.add_permits(1);
        };
        let (one, two, three, ()) = tokio::join!(ask(), ask(), ask(), release);
        let expected = if failures == 0 { 200 } else { 503 };
        assert_eq!(
            [one, two, three].map(|status| status.as_u16()),
            [expected; 3]
        );
        assert_eq!(server.tries(), 1);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_end_the_try() {
    let server = Server::new(0, 0);
    let function = function(&server);
    let caller = tokio::spawn({
        let function = function.clone();
        async move { ask(&function, "/").await }
    });
    server.tried().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    server.answers.add_permits(1);
    assert_eq!(ask(&function, "/").await.status, 200);
    assert_eq!(server.tries(), 1);
}
