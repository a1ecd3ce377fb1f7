//! Events that come more than once, or from somebody else.

use crate::{AFTER_A_LEASE, SOON, clips, events::post};
use decant_e2e::{EMAIL, System, eventually};
use decant_test_servers::{Demands, MailServer};
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

const FIFTY: usize = 50;
const FORGED_MP3: &str = "0123456789abcdef01234567";

#[tokio::test]
async fn fifty_identical_events_with_a_forged_mp3_and_fifty_with_a_forged_owner_are_one_mp3_and_one_mail()
 {
    let mut system = System::new();
    let server = MailServer::start(system.scratch(), &Demands::default());
    system
        .set("DECANT_SMTP", &server.setting())
        .set("SSL_CERT_FILE", &server.certificate().display().to_string())
        .start()
        .await;
    let client = system.client().await;
    let convert = format!(
        "http://127.0.0.1:{}/",
        system.function("convert").variable("PORT")
    );
    let ingress = system.function("upload").variable("K_SINK");

    let job = client.upload("Film.mp4", clips::short()).await;
    let answers = join_all((0..FIFTY).flat_map(|_| {
        let through_the_broker = forged(&ingress, &job.id, EMAIL);
        let straight = forged(&convert, &job.id, "mallory@email.com");
        [through_the_broker, straight]
    }));
    for (n, status) in answers.await.into_iter().enumerate() {
        // Whatever becomes of the job meanwhile, convert tells nothing of it to another than its owner.
        let expected = if n % 2 == 0 { 202 } else { 200 };
        assert_eq!(status.as_u16(), expected);
    }
    let job = client.wait_for(&job.id, "ready", SOON).await;
    // Those that met a lease come again. The upload's own event is one more, at both places.
    eventually("the end of every delivery", AFTER_A_LEASE, async || {
        let (deliveries, replies) = (answered(&system, "/"), answered(&system, "/mp3-ready"));
        (deliveries > 2 * FIFTY && replies > FIFTY).then_some(())
    })
    .await;

    assert_ne!(job.mp3(), FORGED_MP3);
    assert_eq!(system.mp3s(), [job.mp3()]);
    let mails = server.happened("mail");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["recipients"], json!([EMAIL]));
    assert_eq!(client.job(&job.id).await.username, EMAIL);
}

/// How many events got 200 at this path.
fn answered(system: &System, route: &str) -> usize {
    let lines = system.log_lines();
    let answered = lines.iter().filter(|line| {
        line["span"]["http.request.method"] == "POST"
            && line["span"]["http.route"] == route
            && line["http.response.status_code"] == 200
    });
    answered.count()
}

async fn forged(address: &str, job: &str, owner: &str) -> StatusCode {
    let data = json!({
        "video_fid": job, "mp3_fid": FORGED_MP3, "username": owner,
        "file_name": "stolen.mp4", "size_bytes": 1,
    });
    post(address, "dev.decant.video.uploaded", data).await
}
