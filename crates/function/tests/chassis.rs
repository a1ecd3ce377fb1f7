//! What every function answers and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail")]

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::Request,
    routing::{get, post},
};
use decant_events::{FileId, JobFailed, Problem, VideoUploaded};
use decant_function::{
    AnyEvent, CloudEvent, Draining, NotReady, Ready, Reply, Sink, chassis, event, run, tasks,
    testing::TestFunction,
};
use futures::{StreamExt, stream};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    time::timeout,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Ready when told so.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

#[async_trait]
impl Ready for Switch {
    async fn ready(&self) -> Result<(), NotReady> {
        let on = self.0.load(Ordering::Relaxed);
        on.then_some(())
            .ok_or_else(|| NotReady("the switch is off".into()))
    }
}

fn function(routes: Router) -> TestFunction {
    TestFunction::new(chassis(routes, Switch::default()))
}

fn video() -> VideoUploaded {
    VideoUploaded {
        video_fid: FileId::mint(),
        mp3_fid: None,
        username: "kevin@email.com".parse().unwrap(),
        file_name: None,
        size_bytes: None,
        options: Default::default(),
    }
}

/// Answers a video with its failure.
async fn fail(CloudEvent(video): CloudEvent<VideoUploaded>) -> Reply {
    let problem = Problem::new("no-audio", "no sound");
    let failed = JobFailed {
        video_fid: video.video_fid,
        username: video.username,
        problem,
    };
    Reply::event(event("test", &failed, 3))
}

#[tokio::test]
async fn a_function_is_alive_at_once_and_ready_when_it_says_so() {
    let switch = Switch::default();
    let function = TestFunction::new(chassis(Router::new(), switch.clone()));
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(function.send(get("/health/liveness")).await.status, 200);
    let not_ready = function.send(get("/health/readiness")).await;
    assert_eq!(
        (not_ready.status.as_u16(), not_ready.problem_code().as_str()),
        (503, "not-ready")
    );
    assert!(
        not_ready.json()["detail"]
            .as_str()
            .unwrap()
            .contains("the switch is off")
    );
    switch.0.store(true, Ordering::Relaxed);
    assert_eq!(function.send(get("/health/readiness")).await.status, 200);
}

#[tokio::test]
async fn lost_paths_methods_and_panics_are_problems() {
    async fn panics() {
        panic!("on purpose")
    }
    let function = function(Router::new().route("/panic", get(panics)));
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", "/panic", 405, "method-not-allowed"),
        ("GET", "/panic", 500, "internal"),
        ("POST", "/metrics", 405, "method-not-allowed"),
        ("POST", "/health/liveness", 405, "method-not-allowed"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let reply = function.send(request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (status, code)
        );
        assert_eq!(reply.json()["status"], status);
    }
}

#[tokio::test]
async fn an_event_gets_an_event_in_reply() {
    let function = function(Router::new().route("/", post(fail)));
    let video = video();
    let reply = function.deliver("/", &video).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("ce-specversion"), "1.0");
    assert_eq!(reply.header("ce-type"), "dev.decant.job.failed");
    assert_eq!(reply.header("ce-source"), "/decant/test");
    assert_eq!(reply.header("ce-subject"), video.video_fid.to_string());
    assert_eq!(
        reply.header("ce-id"),
        format!("{}.job.failed.3", video.video_fid)
    );
    assert!(!reply.header("ce-time").is_empty());
    assert_eq!(reply.event::<JobFailed>().problem.code, "no-audio");
}

#[tokio::test]
async fn a_structured_event_is_understood_too() {
    let function = function(Router::new().route("/", post(fail)));
    let body = serde_json::json!({
        "specversion": "1.0", "id": "1", "source": "/test", "type": "dev.decant.video.uploaded",
        "datacontenttype": "application/json", "data": video(),
    });
    let request = Request::post("/")
        .header(
            "content-type",
            "application/cloudevents+json; charset=utf-8",
        )
        .body(Body::from(body.to_string()))
        .unwrap();
    assert_eq!(function.send(request).await.status, 200);
}

#[tokio::test]
async fn what_is_no_event_of_the_type_is_malformed() {
    let function = function(Router::new().route("/", post(fail)));
    let request = |ty: &str, body: String| {
        Request::post("/")
            .header("ce-specversion", "1.0")
            .header("ce-id", "1")
            .header("ce-source", "/test")
            .header("ce-type", ty)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    };
    let uploaded = "dev.decant.video.uploaded";
    let good = serde_json::to_string(&video()).unwrap();
    for malformed in [
        Request::post("/").body(Body::from(good.clone())).unwrap(),
        request("dev.decant.mp3.ready", good.clone()),
        request(uploaded, "{}".into()),
        request(uploaded, "rubbish".into()),
        request(uploaded, String::new()),
        request(uploaded, " ".repeat(70_000)),
    ] {
        let reply = function.send(malformed).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (400, "malformed-event")
        );
    }
    assert_eq!(function.send(request(uploaded, good)).await.status, 200);
}

#[tokio::test]
async fn what_is_emitted_arrives_as_it_was() {
    let (heard, mut hears) = tokio::sync::mpsc::channel(1);
    let broker = Router::new().route(
        "/",
        post(move |event: AnyEvent| async move { heard.send(event).await.unwrap() }),
    );
    let url = serve(broker).await;
    let video = video();
    Sink::new(url).emit(event("test", &video, 1)).await.unwrap();
    let event = hears.recv().await.unwrap();
    assert_eq!(event.data::<VideoUploaded>(), Ok(video));
}

#[tokio::test]
async fn an_event_that_the_broker_does_not_take_is_an_error() {
    let refusing = serve(Router::new()).await;
    assert!(
        Sink::new(refusing)
            .emit(event("test", &video(), 1))
            .await
            .is_err()
    );
    let nobody = "http://127.0.0.1:9/".parse().unwrap();
    assert!(
        Sink::new(nobody)
            .emit(event("test", &video(), 1))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_request_in_flight_ends_before_the_function_does() {
    let (started, go_on, stop) = (
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
    );
    let slow = {
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        move || async move {
            started.notify_one();
            go_on.notified().await;
            "done"
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let told_to_stop = Arc::clone(&stop);
    let function = tokio::spawn(run(
        listener,
        Router::new().route("/", get(slow)),
        async move { told_to_stop.notified().await },
        MINUTE,
    ));
    let request = tokio::spawn(reqwest::get(url.clone()));
    started.notified().await;
    stop.notify_one();
    // The listener closes while the request goes on.
    let refused = async { while reqwest::get(format!("{url}nowhere")).await.is_ok() {} };
    timeout(MINUTE, refused).await.unwrap();
    go_on.notify_one();
    assert_eq!(
        request.await.unwrap().unwrap().text().await.unwrap(),
        "done"
    );
    timeout(MINUTE, function).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_when_the_grace_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let started = Arc::new(Notify::new());
    let hang = {
        let started = Arc::clone(&started);
        move || async move {
            started.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let arrived = async move { started.notified().await };
    let function = run(
        listener,
        Router::new().route("/", get(hang)),
        arrived,
        Duration::ZERO,
    );
    let request = tokio::spawn(reqwest::get(url));
    timeout(MINUTE, function).await.unwrap();
    request.abort();
}

#[tokio::test]
async fn what_outlives_its_request_ends_before_the_function_does() {
    let (started, go_on, ended) = (
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
        Arc::new(AtomicBool::new(false)),
    );
    let leave_behind = {
        let (started, go_on, ended) =
            (Arc::clone(&started), Arc::clone(&go_on), Arc::clone(&ended));
        move || async move {
            tasks::spawn(async move {
                started.notify_one();
                go_on.notified().await;
                ended.store(true, Ordering::Relaxed);
            });
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let stop = async move {
        reqwest::get(url).await.unwrap();
        started.notified().await;
        go_on.notify_one();
    };
    run(
        listener,
        Router::new().route("/", get(leave_behind)),
        stop,
        MINUTE,
    )
    .await;
    assert!(ended.load(Ordering::Relaxed));
}

#[tokio::test]
async fn an_answer_without_an_end_ends_when_the_function_is_asked_to_stop() {
    let endless = |draining: Draining| async move {
        let begun = stream::iter([Ok::<_, Infallible>("begun")]);
        let rest = stream::once(async move {
            draining.begun().await;
            Ok("ended")
        });
        Body::from_stream(begun.chain(rest))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (stop, told) = oneshot::channel();
    let function = tokio::spawn(run(
        listener,
        Router::new().route("/", get(endless)),
        async move { told.await.unwrap() },
        MINUTE,
    ));
    let mut answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "begun");
    stop.send(()).unwrap();
    assert_eq!(answer.text().await.unwrap(), "ended");
    timeout(MINUTE, function).await.unwrap().unwrap();
}

async fn serve(router: Router) -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
