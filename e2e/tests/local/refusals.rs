//! Bad input, and what it gets.

use crate::{SOON, clips};
use bytes::Bytes;
use decant_audio::media;
use decant_e2e::{Client, EMAIL, System, eventually};
use futures::{StreamExt, stream};
use reqwest::{Body, Method, Response, StatusCode, header};
use serde_json::Value;
use std::convert::Infallible;
use tokio::task::JoinHandle;

#[tokio::test]
async fn what_cannot_be_converted_fails_with_its_own_code_and_the_mail_says_so() {
    let system = System::started().await;
    let client = system.client().await;
    let bad = [
        (
            "Tagebuch.mp4",
            media::text_file(),
            "unreadable",
            "can't be read as a video",
        ),
        (
            "Stummfilm.mp4",
            media::silent_video(),
            "no-audio",
            "has no sound track",
        ),
        (
            "Abgerissen.mp4",
            media::truncated_mp4(),
            "truncated",
            "is incomplete",
        ),
    ];
    for (name, video, code, words) in bad {
        let job = client.upload(name, video).await;
        let job = client.wait_for(&job.id, "failed", SOON).await;
        let problem = job.problem.expect("a problem");
        assert_eq!(problem.code, code);
        assert!(problem.detail.contains(words), "{}", problem.detail);
        assert_eq!(job.mp3_fid, None);

        let mail = system.mailbox().wait_for(&job.title, SOON).await;
        assert_eq!(mail.to, EMAIL);
        assert!(
            mail.subject.starts_with("No MP3 could be made"),
            "{}",
            mail.subject
        );
        assert!(mail.text.contains(words), "{}", mail.text);
        assert!(mail.text.contains(code), "{}", mail.text);
    }
    assert_eq!(system.mailbox().mails().len(), 3);
    assert_eq!(system.mp3s(), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_comes_in_without_a_password_or_a_token() {
    let system = System::started().await;
    let client = system.client().await;

    let wrong = client
        .stranger(Method::POST, "/login")
        .basic_auth(EMAIL, Some("qwerty123"));
    let challenge = refused(wrong.send().await.expect("an answer")).await;
    assert!(challenge.starts_with("Basic"), "{challenge}");
    for forged in [None, Some("nonsense"), Some("eyJhbGciOiJub25lIn0.e30.")] {
        let mut upload = client
            .stranger(Method::POST, "/upload")
            .body(clips::short());
        if let Some(token) = forged {
            upload = upload.bearer_auth(token);
        }
        let challenge = refused(upload.send().await.expect("an answer")).await;
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    assert!(client.jobs().await.is_empty());
}

/// The challenge of a 401.
async fn refused(answer: Response) -> String {
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let challenge = answer.headers()[header::WWW_AUTHENTICATE]
        .to_str()
        .expect("plain text")
        .to_owned();
    let problem: Value = answer.json().await.expect("a problem");
    assert!(problem["code"].is_string(), "{problem}");
    challenge
}

#[tokio::test]
async fn an_upload_whose_connection_breaks_leaves_nothing() {
    let system = System::started().await;
    let client = system.client().await;
    let upload = upload_half(&system, &client).await;
    assert!(client.jobs().await.is_empty(), "not before it is whole");
    upload.abort();
    eventually("an empty store", SOON, async || {
        system.videos().is_empty().then_some(())
    })
    .await;
    assert!(client.jobs().await.is_empty());
}

/// Begins to send a video, and sends nothing more once half of it is in the store.
pub(crate) async fn upload_half(system: &System, client: &Client) -> JoinHandle<()> {
    let piece = Ok::<_, Infallible>(Bytes::from(vec![7; 4 * 1024 * 1024]));
    let half = Body::wrap_stream(stream::iter([piece]).chain(stream::pending()));
    let upload = client
        .request(Method::POST, "/upload?filename=half.mp4")
        .body(half);
    let upload = tokio::spawn(async move { drop(upload.send().await) });
    eventually("half a video in the store", SOON, async || {
        let videos = system.videos();
        videos
            .iter()
            .any(|(_, size_bytes)| *size_bytes > 1_000_000)
            .then_some(())
    })
    .await;
    upload
}

#[tokio::test]
async fn a_video_larger_than_the_largest_is_refused_and_nothing_stays() {
    let mut system = System::new();
    system.set("DECANT_MAX_UPLOAD", "1MB").start().await;
    let client = system.client().await;
    let large = vec![7; 8_000_000];

    let announced = client.try_upload("Groß.mp4", large.clone()).await;
    let pieces = stream::iter(
        large
            .chunks(100_000)
            .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
            .collect::<Vec<_>>(),
    );
    let passed = client
        .request(Method::POST, "/upload")
        .body(Body::wrap_stream(pieces));
    for answer in [announced, passed.send().await.expect("an answer")] {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let problem: Value = answer.json().await.expect("a problem");
        assert_eq!(problem["code"], "too-large");
    }
    assert!(client.jobs().await.is_empty());
    eventually("an empty store", SOON, async || {
        system.videos().is_empty().then_some(())
    })
    .await;
}
