//! One request to a subscriber, and what its answer means.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, redirect::Policy};
use url::Url;

use crate::{MAX_EVENT_BYTES, Message, message::is_event};

/// The code of a dead letter whose subscriber gave no answer.
const NO_ANSWER: i64 = -1;

/// What a subscriber made of an event.
pub(crate) enum Answer {
    /// 2xx.
    Taken,
    /// 2xx with an event.
    Replied {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    /// Final: the real dispatcher acknowledges such an event, and it is gone.
    Refused(StatusCode),
    /// May pass another time.
    Failed { code: i64, why: String },
}

/// The client of all deliveries. A redirect is an answer like any other, and no proxy stands between two processes
/// here.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
}

/// Posts an event in binary mode and waits for the whole answer, at most for the timeout.
pub(crate) async fn post(
    client: &Client,
    to: &Url,
    message: &Message,
    now: DateTime<Utc>,
    timeout: Option<Duration>,
) -> Answer {
    let (headers, body) = match message.to_http(now) {
        Ok(parts) => parts,
        Err(bad) => {
            return Answer::Failed {
                code: NO_ANSWER,
                why: bad.to_string(),
            };
        }
    };
    let mut request = client.post(to.clone()).headers(headers).body(body);
    if let Some(timeout) = timeout {
        request = request.timeout(timeout);
    }
    let no_answer = |e: reqwest::Error| Answer::Failed {
        code: NO_ANSWER,
        why: chain(&e),
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(e) => return no_answer(e),
    };
    let status = response.status();
    if is_retried(status) {
        return Answer::Failed {
            code: status.as_u16().into(),
            why: status.to_string(),
        };
    }
    if !status.is_success() {
        return Answer::Refused(status);
    }
    if !is_event(response.headers()) {
        return Answer::Taken;
    }
    let headers = response.headers().clone();
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(e) => return no_answer(e),
        }
        if body.len() > MAX_EVENT_BYTES {
            break; // publishing it will be refused, so no need to read on
        }
    }
    Answer::Replied {
        status,
        headers,
        body: body.freeze(),
    }
}

/// `SelectiveRetry` of knative.dev/eventing `pkg/kncloudevents/retries.go`, v0.49.2.
fn is_retried(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 408 | 409 | 429 | 500..)
}

/// An error with its causes: reqwest's own message names none of them.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
