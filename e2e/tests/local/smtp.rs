//! Mail that leaves by a mail server.

use crate::{SOON, clips};
use decant_e2e::{EMAIL, System, eventually};
use decant_test_servers::{Demands, MailServer};
use reqwest::Method;
use serde_json::json;
use url::Url;

#[tokio::test]
async fn the_mail_goes_out_over_starttls_with_login_and_its_link_works() {
    let mut system = System::new();
    let server = MailServer::start(system.scratch(), &Demands::default());
    system
        .set("DECANT_SMTP", &server.setting())
        .set("SSL_CERT_FILE", &server.certificate().display().to_string())
        .start()
        .await;
    let client = system.client().await;
    let job = client.upload("Grüße 👋.mp4", clips::short()).await;
    let job = client.wait_for(&job.id, "ready", SOON).await;

    let sent = eventually("a mail at the server", SOON, async || {
        server.happened("mail").pop()
    })
    .await;
    assert_eq!(sent["encrypted"], true);
    assert_eq!(sent["recipients"], json!([EMAIL]));
    assert_eq!(sent["mail"]["defects"], json!([]));
    let login = &server.happened("login")[0];
    assert_eq!(login["encrypted"], true);
    let text = sent["mail"]["text"].as_str().expect("a text part");
    let link = text
        .lines()
        .find(|line| line.contains("/download?"))
        .expect("a link");
    let link: Url = link.trim().parse().expect("an address");
    let path = format!("/download?{}", link.query().expect("a signature"));
    let answer = client
        .stranger(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    let mp3 = answer.bytes().await.expect("the MP3");
    assert_eq!(mp3, client.download(job.mp3()).await);
    assert_eq!(server.happened("mail").len(), 1);
}
