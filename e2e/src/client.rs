use crate::eventually;
use bytes::Bytes;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    multipart::{Form, Part},
};
use serde::Deserialize;
use std::time::Duration;

/// The address of the user that every system of the tests has.
pub const EMAIL: &str = "kevin@email.com";

/// Its password.
pub const PASSWORD: &str = "Qwerty123";

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(60);

/// A job as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    /// The id of the job and its video.
    pub id: String,
    /// `waiting`, `queued`, `converting`, `ready`, `failed`.
    pub state: String,
    /// Whose it is.
    pub username: String,
    /// The name of the uploaded file.
    pub file_name: String,
    /// The file name without its extension.
    pub title: String,
    /// Once it is ready.
    pub mp3_fid: Option<String>,
    /// Once it is ready.
    pub mp3_size_bytes: Option<u64>,
    /// Once it is ready.
    pub duration_ms: Option<u64>,
    /// Once it has failed.
    pub problem: Option<Problem>,
}

/// Why a job failed.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// For programs.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl Job {
    /// The id of its MP3. Panics if it has none.
    pub fn mp3(&self) -> &str {
        self.mp3_fid.as_deref().expect("the job is ready")
    }
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Job>,
}

/// A person with a token.
#[derive(Debug, Clone)]
pub struct Client {
    /// The bare token.
    pub token: String,
    door: String,
    http: reqwest::Client,
}

impl Client {
    /// Signs in at the door on this port.
    pub async fn sign_in(port: u16, email: &str, password: &str) -> Self {
        let mut client = Self {
            token: String::new(),
            door: format!("http://localhost:{port}"),
            http: http(),
        };
        let login = client.http.post(client.address("/login"));
        let answer = login.basic_auth(email, Some(password)).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        client.token = answer.text().await.expect("a token");
        client
    }

    /// Uploads a video as `curl -F` does, and gives the job.
    pub async fn upload(&self, file_name: &str, video: impl Into<Bytes>) -> Job {
        let answer = self.try_upload(file_name, video).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json().await.expect("a job")
    }

    /// Uploads a video as `curl -F` does, and gives the answer whatever it is.
    pub async fn try_upload(&self, file_name: &str, video: impl Into<Bytes>) -> Response {
        let part = Part::stream(video.into()).file_name(file_name.to_owned());
        let upload = self
            .request(Method::POST, "/upload")
            .multipart(Form::new().part("file", part));
        upload.send().await.expect("an answer")
    }

    /// A job as it is now.
    pub async fn job(&self, id: &str) -> Job {
        let answer = self.get(&format!("/jobs/{id}")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.expect("a job")
    }

    /// All jobs that the person sees.
    pub async fn jobs(&self) -> Vec<Job> {
        let page: Page = self.get("/jobs").await.json().await.expect("jobs");
        page.jobs
    }

    /// Waits until the job is in this state, for at most `limit`. A job that ended otherwise is not waited for.
    pub async fn wait_for(&self, id: &str, state: &str, limit: Duration) -> Job {
        eventually(&format!("job {id} is {state}"), limit, async || {
            let job = self.job(id).await;
            let ended = ["ready", "failed", "cancelled"].contains(&job.state.as_str());
            assert!(job.state == state || !ended, "expected {state}: {job:?}");
            (job.state == state).then_some(job)
        })
        .await
    }

    /// The bytes of an MP3.
    pub async fn download(&self, mp3_fid: &str) -> Bytes {
        let answer = self.get(&format!("/download?id={mp3_fid}")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.bytes().await.expect("the whole MP3")
    }

    /// The answer to a GET with the token.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path)
            .send()
            .await
            .expect("an answer")
    }

    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.address(path))
            .bearer_auth(&self.token)
    }

    /// A request by somebody who has no token.
    pub fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.address(path))
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.door)
    }
}

fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().timeout(REQUEST).no_proxy();
    client.build().expect("an HTTP client")
}
