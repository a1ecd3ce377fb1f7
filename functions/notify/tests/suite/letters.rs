//! What a mail says, whatever the file is called.

use crate::world::{World, job_failed, mp3_ready};
use decant_events::{JobFailed, Mp3Ready, Problem};
use decant_test_servers::Mail;

async fn mail_about(file_name: &str) -> Mail {
    let world = World::new().await;
    let job = world.ready(file_name).await;
    let notify = world.notify().await;
    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;
    assert_eq!(answer, 200, "{file_name:?}");
    world.one_mail()
}

#[tokio::test]
async fn umlauts_and_emoji_arrive_as_they_are() {
    let mail = mail_about("Grüße aus Köln 👋 日本.mp4").await;
    assert_eq!(
        mail.header("subject"),
        "Your MP3 is ready: Grüße aus Köln 👋 日本"
    );
    assert_eq!(mail.text.lines().next(), Some("Grüße aus Köln 👋 日本"));
    assert!(
        mail.html.contains(">Grüße aus Köln 👋 日本</h1>"),
        "{}",
        mail.html
    );
}

#[tokio::test]
async fn markup_in_a_name_is_text_in_the_mail() {
    let mail = mail_about("<script>alert('&')</script>\".mp4").await;
    assert_eq!(
        mail.header("subject"),
        "Your MP3 is ready: <script>alert('&')</script>\""
    );
    let first = mail.text.lines().next();
    assert_eq!(first, Some("<script>alert('&')</script>\""));
    assert!(!mail.html.contains("<script"), "{}", mail.html);
    assert!(
        mail.html.contains("&#60;script&#62;alert("),
        "{}",
        mail.html
    );
}

#[tokio::test]
async fn line_breaks_in_a_name_make_no_headers() {
    let mail = mail_about("Film\r\nBcc: mallory@evil.example\r\n\r\n<b>body</b>.mp4").await;
    assert_eq!(mail.defects, Vec::<String>::new());
    assert!(!mail.has_header("bcc"));
    assert_eq!(
        mail.header("subject"),
        "Your MP3 is ready: Film Bcc: mallory@evil.example <b>body</b>"
    );
    assert!(!mail.html.contains("<b>body"), "{}", mail.html);
}

#[tokio::test]
async fn a_very_long_name_is_cut_short() {
    let mail = mail_about(&format!("{}.mp4", "ä".repeat(5000))).await;
    let subject = mail.header("subject");
    assert!(subject.ends_with("ä…"), "{subject}");
    assert!(subject.chars().count() < 150, "{subject}");
}

#[tokio::test]
async fn markup_in_a_reason_is_text_in_the_mail() {
    let world = World::new().await;
    let problem = Problem::new("odd<b>", "<img src=x> is no codec.");
    let job = world.failed("Film.mp4", problem).await;
    let notify = world.notify().await;
    notify
        .deliver::<JobFailed>("/job-failed", job_failed(&job))
        .await;
    let mail = world.one_mail();
    assert!(mail.text.contains("<img src=x> is no codec."));
    assert!(mail.html.contains("&#60;img src=x&#62; is no codec."));
    assert!(!mail.html.contains("odd<b>"));
}

#[tokio::test]
async fn links_and_sender_follow_the_settings() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let settings = ["--mail-from=Bälge <music@example.com>", "--link-ttl=1h"];
    let notify = world.notify_with(&settings).await;
    notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;
    let mail = world.one_mail();
    assert_eq!(mail.header("from"), "Bälge <music@example.com>");
    assert_eq!(
        mail.header("message-id"),
        format!("<{}.1@example.com>", job.id)
    );
    let link = mail.link();
    let expires = link.query_pairs().find(|(name, _)| name == "expires");
    let expires: i64 = expires.expect("an expiry").1.parse().expect("a time");
    let hour = chrono::Utc::now().timestamp() + 3600;
    assert!((hour - 60..=hour).contains(&expires));
}
