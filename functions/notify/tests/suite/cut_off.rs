//! A request that ends before its mail is sent.

use crate::world::{World, mp3_ready};
use decant_events::Mp3Ready;
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::oneshot::{self, Receiver, Sender},
    time::timeout,
};

/// A server that takes one mail, but waits for `go` before it says a word. Gives what it was told.
async fn hesitant(listener: TcpListener, met: Sender<()>, go: Receiver<()>) -> String {
    let (stream, _) = listener.accept().await.expect("a connection");
    met.send(()).expect("somebody waits for it");
    go.await.expect("somebody lets it go on");
    let mut stream = BufReader::new(stream);
    let mut told = String::new();
    stream.write_all(b"220 at last\r\n").await.expect("said");
    let mut line = String::new();
    let mut in_data = false;
    while stream.read_line(&mut line).await.expect("a line") > 0 {
        told.push_str(&line);
        let answer: &[u8] = match line.trim_end() {
            "." => b"250 taken\r\n",
            _ if in_data => b"",
            "DATA" => b"354 go on\r\n",
            _ => b"250 OK\r\n",
        };
        in_data = answer.starts_with(b"354") || answer.is_empty();
        stream.write_all(answer).await.expect("said");
        line.clear();
    }
    told
}

#[tokio::test]
async fn a_request_that_is_cut_off_still_sends_its_mail_to_the_end() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (met, is_met) = oneshot::channel();
    let (let_go, go) = oneshot::channel();
    let server = tokio::spawn(hesitant(listener, met, go));
    let smtp = format!("--smtp=smtp://127.0.0.1:{port}?tls=none");
    let notify = world.notify_with(&[&smtp]).await;

    tokio::select! {
        answer = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job)) => panic!("{answer}"),
        met = is_met => met.expect("the server is met"),
    }
    let_go.send(()).expect("the server waits for it");

    assert!(
        server
            .await
            .expect("a dialogue")
            .contains("Subject: Your MP3 is ready")
    );
    let noted = async { while world.is_unmailed(job.id).await {} };
    let noted = timeout(Duration::from_secs(30), noted).await;
    noted.expect("the record says that it is sent");
}
