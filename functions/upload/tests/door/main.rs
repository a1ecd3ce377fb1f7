//! `upload` through its front door, on the embedded store.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail")]

mod cancelling;
mod dashboard;
mod downloads;
mod elsewhere;
mod events;
mod files;
mod idempotency;
mod jobs;
mod keys;
mod limits;
mod link;
mod login;
mod openapi;
mod options;
mod recorder;
mod retention;
mod retries;
mod session;
mod titles;
mod tokens;
mod turns;
mod uploads;
mod watched;
mod waveform;
mod zips;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Request, StatusCode, request::Builder},
    routing::post,
};
use clap::Parser;
use decant_events::{DownloadLink, FileId, LinkSecret, Problem};
use decant_function::testing::{TestFunction, TestReply};
use decant_store::{Bucket, Claim, Job, Mp3, Store, StoreUrl};
use decant_upload::{App, Config, router};
use keys::Keys;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

const LINK_SECRET: &str = "0123456789abcdef0123456789abcdef";
const MINUTE: Duration = Duration::from_secs(60);

/// What the broker took.
type Events = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// The door, its store, and the two that it talks to.
struct Door {
    function: TestFunction,
    description: openapi::Description,
    router: Router,
    store: Store,
    keys: Keys,
    config: Config,
    /// The events that the broker took.
    events: Events,
    folder: TempDir,
}

impl Door {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(flags: &[&str]) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let broker = Router::new()
            .route("/", post(take))
            .with_state(Arc::clone(&events));
        let sink = serve(broker).await;
        Self::to(&sink, &login::auth().await, events, flags).await
    }

    async fn to(sink: &str, auth: &str, events: Events, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("store").display().to_string();
        let public_keys = folder.path().join("public-keys.json");
        let keys = Keys::make(&public_keys);
        let store = Store::open(&url.parse::<StoreUrl>().unwrap())
            .await
            .unwrap();
        let arguments = [
            "decant-upload",
            "--store",
            &url,
            "--sink",
            sink,
            "--auth-url",
            auth,
            "--public-keys",
            public_keys.to_str().unwrap(),
            "--link-secret",
            LINK_SECRET,
        ];
        let config = Config::parse_from(arguments.iter().chain(flags));
        let router = router(App::new(store.clone(), &config).unwrap());
        let function = TestFunction::new(router.clone());
        Self {
            description: openapi::Description::of(&function, &config.base_path.to_string()).await,
            function,
            router,
            store,
            keys,
            config,
            events,
            folder,
        }
    }

    /// Sends a request. The answer must be as the door describes it.
    async fn send(&self, request: Builder, body: impl Into<Body>) -> TestReply {
        let request = request.body(body.into()).unwrap();
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        let reply = self.function.send(request).await;
        self.description.check(&method, &path, &reply);
        reply
    }

    /// A request of kevin's.
    fn request(&self, method: &str, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", self.keys.bearer("kevin@email.com"))
    }

    async fn get(&self, path: &str) -> TestReply {
        self.send(self.request("GET", path), ()).await
    }

    /// Uploads as the body itself.
    async fn upload(&self, name: &str, video: &[u8]) -> TestReply {
        let request = self.request("POST", &format!("/upload?filename={name}"));
        self.send(request, video.to_vec()).await
    }

    /// A ready job of kevin's, as convert leaves it.
    async fn ready_job(&self, name: &str, mp3: &[u8]) -> Job {
        self.ready_job_with(name, mp3, &[]).await
    }

    async fn ready_job_with(&self, name: &str, mp3: &[u8], waveform: &[u8]) -> Job {
        let uploaded = self.upload(name, b"video").await;
        let id: FileId = uploaded.json()["id"].as_str().unwrap().parse().unwrap();
        let mp3_id = FileId::mint();
        let gave_up = Problem::new("gave-up", "");
        let Claim::Granted(lease, _) = self
            .store
            .jobs
            .claim(id, mp3_id, MINUTE, 5, &gave_up)
            .await
            .unwrap()
        else {
            panic!("the job is free")
        };
        let mut payload = self
            .store
            .payloads
            .create(Bucket::Mp3s, mp3_id, "mp3")
            .await
            .unwrap();
        payload.write(mp3.to_vec().into()).await.unwrap();
        let size_bytes = payload.finish(Bytes::new()).await.unwrap();
        self.store
            .jobs
            .publish(
                &lease,
                Mp3 {
                    id: mp3_id,
                    size_bytes,
                    duration_ms: 1000,
                },
                waveform,
            )
            .await
            .unwrap()
    }
}

async fn take(State(events): State<Events>, headers: HeaderMap, body: Bytes) -> StatusCode {
    events.lock().unwrap().push((headers, body));
    StatusCode::ACCEPTED
}

/// Serves on a free port for as long as the test runs.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        axum::serve(
            listener,
            router.into_make_service_with_connect_info::<std::net::SocketAddr>(),
        )
        .await
    });
    format!("http://{address}/")
}

fn link(id: FileId, expires: u64) -> String {
    let secret: LinkSecret = LINK_SECRET.parse().unwrap();
    format!(
        "/download?{}",
        DownloadLink::sign(&secret, id, expires).query()
    )
}
