//! A store with jobs in it, a broker, a folder for mails, and `notify` between them.

use crate::broker::Broker;
use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
};
use bytes::Bytes;
use clap::Parser;
use decant_events::{EventData, FileId, LinkSecret, Problem, Username};
use decant_notify::{App, Config, router};
use decant_store::{Bucket, Claim, Job, Lease, Mp3, NewJob, Store, StoreUrl, Turns};
use decant_test_servers::{Mail, decode_mail};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{fs, path::PathBuf, time::Duration};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const SECRET: &str = "a link secret of more than 32 characters";
pub(crate) const OWNER: &str = "kevin@email.com";
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    /// Who owns the jobs that are made from now on.
    pub(crate) owner: Username,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = StoreUrl::Folder(folder.path().join("store"));
        Self {
            store: Store::open(&store).await.expect("a store"),
            broker: Broker::start().await,
            owner: OWNER.parse().expect("an address"),
            folder,
        }
    }

    /// `notify` in this process, with mails going into a folder and nothing left alone by the sweep.
    pub(crate) async fn notify(&self) -> Notify {
        self.notify_with(&[]).await
    }

    pub(crate) async fn notify_with(&self, more: &[&str]) -> Notify {
        let mut flags = self.flags();
        flags.push(format!("--smtp=file:{}", self.mailbox().display()));
        for flag in more {
            let name = flag.split('=').next().unwrap_or_default();
            flags.retain(|default| !default.starts_with(name));
            flags.push((*flag).to_owned());
        }
        let config = Config::try_parse_from(flags).expect("settings");
        Notify(router(App::connect(&config).await.expect("an app")))
    }

    /// All settings but the way mail leaves.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            "decant-notify".into(),
            format!("--store={}", self.path("store").display()),
            "--public-url=https://decant.example.com/door/".into(),
            format!("--link-secret={SECRET}"),
            format!("--sink={}", self.broker.url),
            "--sweep-grace=0".into(),
        ]
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn mailbox(&self) -> PathBuf {
        self.path("mail")
    }

    /// The mails in the folder, by name.
    pub(crate) fn mails(&self) -> Vec<(String, Mail)> {
        let files = fs::read_dir(self.mailbox()).expect("a folder of mails");
        let mut mails: Vec<_> = files
            .map(|file| {
                let file = file.expect("a file");
                let raw = fs::read(file.path()).expect("a mail");
                let name = file.file_name().into_string().expect("a name");
                (name, decode_mail(&raw))
            })
            .collect();
        mails.sort_by(|a, b| a.0.cmp(&b.0));
        mails
    }

    pub(crate) fn one_mail(&self) -> Mail {
        let mails = self.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.into_iter().next().expect("one mail").1
    }

    /// An upload that has begun and never ended.
    pub(crate) async fn uploading(&self, file_name: &str, lease_for: Duration) -> Lease {
        let job = NewJob {
            id: FileId::mint(),
            owner: self.owner.clone(),
            file_name: file_name.into(),
            traceparent: Some(format!("00-{TRACE}-00f067aa0ba902b7-01")),
        };
        self.store.jobs.begin(job, lease_for).await.expect("a job")
    }

    /// A job whose announcement is due for the sweep after `gap`.
    pub(crate) async fn queued(&self, file_name: &str, gap: Duration) -> Job {
        let many = Turns { at_once: 1000, gap };
        self.uploaded(file_name, many).await
    }

    /// A job whose video is stored, and which waits if no turn is free.
    pub(crate) async fn uploaded(&self, file_name: &str, turns: Turns) -> Job {
        let lease = self.uploading(file_name, MINUTE).await;
        let uploaded = self.store.jobs.uploaded(&lease, 1_000, turns).await;
        uploaded.expect("a stored video")
    }

    /// A job whose announcement is so old that an event about it can have died.
    pub(crate) async fn queued_long_ago(&self, file_name: &str) -> Job {
        let job = self.queued(file_name, MINUTE).await;
        self.announced_long_ago(job.id).await;
        job
    }

    /// Makes the job's last announcement ten minutes old, behind the store's back: its clock can't be injected.
    pub(crate) async fn announced_long_ago(&self, id: FileId) {
        let options = SqliteConnectOptions::new().filename(self.path("store/jobs.db"));
        let database = SqliteConnection::connect_with(&options).await;
        let aged = "UPDATE jobs SET announced_at = announced_at - 600000 WHERE id = ?";
        let aged = sqlx::query(aged).bind(id.to_string());
        let aged = aged.execute(&mut database.expect("a database")).await;
        assert_eq!(aged.expect("an answer").rows_affected(), 1);
    }

    /// A job that somebody converts, for `lease_for`.
    pub(crate) async fn converting(&self, file_name: &str, lease_for: Duration) -> (Lease, FileId) {
        let job = self.queued(file_name, MINUTE).await;
        self.claim(job.id, lease_for).await
    }

    async fn claim(&self, id: FileId, lease_for: Duration) -> (Lease, FileId) {
        let mp3_id = FileId::mint();
        let gave_up = Problem::new("gave-up", "Too many attempts.");
        let claim = self.store.jobs.claim(id, mp3_id, lease_for, 5, &gave_up);
        match claim.await.expect("a claim") {
            Claim::Granted(lease, _) => (lease, mp3_id),
            other => panic!("not granted: {other:?}"),
        }
    }

    pub(crate) async fn ready(&self, file_name: &str) -> Job {
        let (lease, id) = self.converting(file_name, MINUTE).await;
        let mp3 = Mp3 {
            id,
            size_bytes: 8_951_000,
            duration_ms: 596_000,
        };
        let published = self.store.jobs.publish(&lease, mp3, &[]).await;
        published.expect("a ready job")
    }

    pub(crate) async fn failed(&self, file_name: &str, problem: Problem) -> Job {
        let (lease, _) = self.converting(file_name, MINUTE).await;
        let failed = self.store.jobs.fail(&lease, &problem).await;
        failed.expect("a failed job")
    }

    /// Has this queued job fail.
    pub(crate) async fn fail(&self, id: FileId, problem: Problem) -> Job {
        let (lease, _) = self.claim(id, MINUTE).await;
        let failed = self.store.jobs.fail(&lease, &problem).await;
        failed.expect("a failed job")
    }

    /// Stores a payload under an id that a record names.
    pub(crate) async fn store_bytes(&self, bucket: Bucket, id: FileId) {
        let writer = self.store.payloads.create(bucket, id, "bytes").await;
        let mut writer = writer.expect("a writer");
        writer
            .write(Bytes::from_static(b"bytes"))
            .await
            .expect("written");
        writer.finish(Bytes::new()).await.expect("finished");
    }

    pub(crate) async fn has_bytes(&self, bucket: Bucket, id: FileId) -> bool {
        match self.store.payloads.open(bucket, id).await {
            Ok(_) => true,
            Err(decant_store::Error::NotFound) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether the job still waits for its mail.
    pub(crate) async fn is_unmailed(&self, id: FileId) -> bool {
        let waiting = self.store.jobs.unmailed(Duration::ZERO, 1000).await;
        waiting.expect("a list").contains(&id)
    }
}

pub(crate) fn secret() -> LinkSecret {
    SECRET.parse().expect("a secret")
}

pub(crate) fn mp3_ready(job: &Job) -> Value {
    let mp3 = job.mp3.as_ref().expect("an MP3");
    json!({
        "video_fid": job.id, "mp3_fid": mp3.id, "username": job.owner, "title": job.title(),
        "duration_ms": mp3.duration_ms, "size_bytes": mp3.size_bytes,
    })
}

pub(crate) fn job_failed(job: &Job) -> Value {
    json!({"video_fid": job.id, "username": job.owner, "problem": job.problem})
}

/// A ping's word that whatever was announced until now is lost.
pub(crate) fn queues_lost() -> String {
    json!({"queues_lost_before": chrono::Utc::now()}).to_string()
}

pub(crate) fn video_uploaded(id: FileId) -> Value {
    json!({"video_fid": id, "mp3_fid": null, "username": OWNER})
}

/// `notify` in this process.
#[derive(Clone)]
pub(crate) struct Notify(Router);

impl Notify {
    pub(crate) async fn deliver<T: EventData>(&self, path: &str, data: Value) -> StatusCode {
        self.post(path, T::TYPE, &data.to_string()).await.status()
    }

    pub(crate) async fn ping(&self, data: &str) -> StatusCode {
        let ping = self.post("/ping", "dev.knative.sources.ping", data);
        ping.await.status()
    }

    pub(crate) async fn post(&self, path: &str, ty: &str, data: &str) -> Response<Body> {
        let request = Request::post(path)
            .header("ce-specversion", "1.0")
            .header("ce-id", "1")
            .header("ce-source", "/test")
            .header("ce-type", ty)
            .header("content-type", "application/json");
        let request = request.body(Body::from(data.to_owned()));
        let router = self.0.clone();
        let answer = router.oneshot(request.expect("a request")).await;
        answer.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = self.0.clone().oneshot(request).await;
        answer.expect("an answer").status()
    }
}
