use super::job::Job;
use crate::failure::Failure;
use decant_function::reasons;
use reqwest_tls::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// How long a connection may take to come about, and how long a call without a large body may take.
const CONNECT: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(60);

/// A value parser for a server's address; paths of calls are added to it.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let expected = || "expected an address such as https://mp3converter.com".to_owned();
    let mut url: Url = text.parse().map_err(|_| expected())?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(expected());
    }
    if !url.path().ends_with('/') {
        let folder = format!("{}/", url.path());
        url.set_path(&folder);
    }
    Ok(url)
}

/// The door of a Decant.
#[derive(Debug, Clone)]
pub(super) struct Server {
    address: Url,
    token: Option<String>,
    client: Client,
}

/// An error of the door (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
}

impl Server {
    pub(super) fn new(address: Url, token: Option<String>) -> Result<Self, Failure> {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest_tls::redirect::Policy::none())
            .build();
        Ok(Self {
            address,
            token,
            client: client.map_err(unreachable)?,
        })
    }

    /// What tells this server's uploads from another's.
    pub(super) fn address(&self) -> &Url {
        &self.address
    }

    /// A path of the server, or an address that it gave.
    pub(super) fn url(&self, path: &str) -> Result<Url, Failure> {
        let url = self.address.join(path);
        let url = url.map_err(|error| Failure::passing("answer", format!("{path}: {error}")))?;
        // The token is for this server alone.
        if url.origin() == self.address.origin() {
            return Ok(url);
        }
        let elsewhere = format!("{} sends elsewhere, to {url}", self.address);
        Err(Failure::refused("answer", elsewhere))
    }

    /// A call that has the token. It has no limit of time yet.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.client.request(method, self.url(path)?);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// Makes a call whose answer comes soon.
    pub(super) async fn call(&self, request: RequestBuilder) -> Result<Response, Failure> {
        self.send(request.timeout(CALL)).await
    }

    /// Makes a call; anything but success is an error.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(unreachable)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refusal(answer).await)
    }

    pub(super) async fn job(&self, id: &str) -> Result<Job, Failure> {
        let request = self.request(Method::GET, &format!("jobs/{}", segment(id)))?;
        json(self.call(request).await?).await
    }
}

/// An id as one part of a path.
pub(super) fn segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The JSON of an answer.
pub(super) async fn json<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let text = answer.bytes().await.map_err(unreachable)?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::passing(
            "answer",
            format!("the answer isn't one of a Decant's: {error}"),
        )
    })
}

/// What a server that refuses says.
pub(super) async fn refusal(answer: Response) -> Failure {
    let status = answer.status();
    let text = answer.bytes().await.unwrap_or_default();
    let problem: Problem = serde_json::from_slice(&text).unwrap_or_default();
    let code = match problem.code.as_str() {
        "" => status.as_str().to_owned(),
        code => code.to_owned(),
    };
    let detail = match (problem.detail.as_str(), status) {
        (_, StatusCode::UNAUTHORIZED) if code.ends_with("-token") => {
            "not signed in any more: decant login EMAIL".to_owned()
        }
        ("", status) => format!("the server answers {status}"),
        (detail, _) => detail.to_owned(),
    };
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::LOCKED
        | StatusCode::TOO_MANY_REQUESTS => Failure::passing(code, detail),
        status if status.is_client_error() => Failure::refused(code, detail),
        _ => Failure::passing(code, detail),
    }
}

pub(super) fn unreachable(error: reqwest_tls::Error) -> Failure {
    let detail = match error.url().filter(|_| error.is_connect()) {
        Some(url) => format!(
            "nobody answers at {}: is a Decant running there? --server names another one ({})",
            url.origin().ascii_serialization(),
            reasons(&error)
        ),
        None => reasons(&error),
    };
    Failure::passing("unreachable", detail)
}
