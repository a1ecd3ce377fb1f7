//! An auth with a database of its own, and requests to it.

use crate::place::{Backend, Place};
use argon2::Params;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, Request, StatusCode, header, request},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Parser;
use decant_auth::{
    App, Config, Invocation, KeyPair, Passwords, router, throttle::Clock, users::Database,
};
use decant_events::Username;
use http_body_util::BodyExt;
use serde_json::Value;
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tower::ServiceExt;

pub(crate) const KEVIN: &str = "kevin@email.com";
pub(crate) const PASSWORD: &str = "Qwerty123";

/// One auth with the user Kevin, a clock that stands still, and a proxy in 10.0.0.0/8 that it trusts.
pub(crate) struct TestAuth {
    pub(crate) place: Place,
    router: Router,
    now: Arc<AtomicI64>,
}

/// A hash that takes no time, for tests that aren't about it.
pub(crate) fn quick() -> Passwords {
    Passwords::with_params(Params::new(8, 1, 1, None).expect("parameters"))
}

fn kevin() -> Username {
    KEVIN.parse().expect("an address")
}

async fn hash(passwords: &Passwords, password: &str) -> String {
    let password = password.parse().expect("a password");
    passwords.hash(password).await.expect("a hash")
}

impl TestAuth {
    pub(crate) async fn start(on: Backend) -> Self {
        Self::start_with(on, quick(), quick()).await
    }

    /// `adding` hashes the user's password, `serving` is the function's own.
    pub(crate) async fn start_with(on: Backend, adding: Passwords, serving: Passwords) -> Self {
        let place = Place::new(on).await;
        Self::start_in(place, adding, serving).await
    }

    /// In a place of the test's choice, which gets its tables and Kevin.
    pub(crate) async fn start_in(place: Place, adding: Passwords, serving: Passwords) -> Self {
        place.done(&["migrate"]);
        let auth = Self::open(place, serving).await;
        let hash = hash(&adding, PASSWORD).await;
        let users = auth.database().await.users;
        let added = users.add(&kevin(), &hash, true).await;
        assert!(added.expect("an answer"));
        auth
    }

    /// In a place that has all it needs.
    pub(crate) async fn open(place: Place, passwords: Passwords) -> Self {
        let auth = Self {
            place,
            router: Router::new(),
            now: Arc::new(AtomicI64::new(1_700_000_000_000)),
        };
        KeyPair::read_or_generate(&auth.path("key.pem")).expect("a key");
        let app = App::new(&auth.config(), auth.database().await, passwords);
        Self {
            router: router(app.expect("an app")),
            ..auth
        }
    }

    /// Another replica of the function: its own connections and state, the same database and key.
    pub(crate) async fn replica(&self) -> Router {
        let app = App::new(&self.config(), self.database().await, quick());
        router(app.expect("an app"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Changes Kevin's password.
    pub(crate) async fn set_password(&self, password: &str) {
        let hash = hash(&quick(), password).await;
        let users = self.database().await.users;
        let changed = users.set_password(&kevin(), &hash).await;
        assert!(changed.expect("an answer"));
    }

    /// The database by connections of its own.
    pub(crate) async fn database(&self) -> Database {
        let database = self.config().users.open(self.clock()).await;
        database.expect("a database")
    }

    fn clock(&self) -> Clock {
        Clock::Test(Arc::clone(&self.now))
    }

    fn config(&self) -> Config {
        let users = format!("--users={}", self.place.users);
        let key = format!("--signing-key={}", self.path("key.pem").display());
        let proxies = "--trusted-proxies=10.0.0.0/8";
        match Invocation::try_parse_from(["decant-auth", &users, &key, proxies]) {
            Ok(Invocation::Serve(config)) => config,
            other => panic!("{other:?} is not a server"),
        }
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        call.send_to(&self.router).await
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> Answer {
        self.send(Call::login(name, password)).await
    }

    pub(crate) async fn token(&self) -> String {
        let answer = self.login(KEVIN, PASSWORD).await;
        assert_eq!(answer.status, 200);
        answer.text()
    }

    pub(crate) async fn validate(&self, token: &str) -> Answer {
        let call = Call::new("POST", "/validate");
        self.send(call.with(header::AUTHORIZATION, &format!("Bearer {token}")))
            .await
    }
}

/// A request to auth, from 192.0.2.1 unless it says otherwise.
pub(crate) struct Call(request::Builder);

impl Call {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self(Request::builder().method(method).uri(path)).from("192.0.2.1")
    }

    pub(crate) fn login(name: &str, password: &str) -> Self {
        let basic = STANDARD.encode(format!("{name}:{password}"));
        Self::new("POST", "/login").with(header::AUTHORIZATION, &format!("Basic {basic}"))
    }

    pub(crate) fn with(self, name: HeaderName, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn from(self, address: &str) -> Self {
        let address: IpAddr = address.parse().expect("an address");
        Self(
            self.0
                .extension(ConnectInfo(SocketAddr::from((address, 4711)))),
        )
    }

    pub(crate) fn forwarded_for(self, address: &str) -> Self {
        self.with(HeaderName::from_static("x-forwarded-for"), address)
    }

    pub(crate) async fn send_to(self, router: &Router) -> Answer {
        let request = self.0.body(Body::empty()).expect("a request");
        let response = router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }
}

/// What auth answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The problem's code, if it is one that RFC 9457 would call so.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["code"].as_str().expect("a code").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect("the header");
        value.to_str().expect("text")
    }
}
