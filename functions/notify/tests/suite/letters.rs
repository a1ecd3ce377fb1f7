//! What a mail says, whatever the file is called.

use crate::world::{World, job_failed, mp3_ready};
use chrono::DateTime;
use decant_events::{FileId, JobFailed, Mp3Ready, Problem};
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

/// The mail about a job that failed for this reason, and the job's id.
async fn mail_about_failure(problem: Problem) -> (Mail, FileId) {
    let world = World::new().await;
    let job = world.failed("Film.mp4", problem).await;
    let notify = world.notify().await;
    let answer = notify
        .deliver::<JobFailed>("/job-failed", job_failed(&job))
        .await;
    assert_eq!(answer, 200);
    (world.one_mail(), job.id)
}

fn no_audio() -> Problem {
    Problem::new("no-audio", "This video has no sound track.")
}

#[tokio::test]
async fn the_text_part_alone_says_all_that_there_is_to_say() {
    let mail = mail_about("Film.mp4").await;
    let link = mail.link();
    let expires = link.query_pairs().find(|(name, _)| name == "expires");
    let expires = expires.expect("an expiry").1.parse().expect("a time");
    let until = DateTime::from_timestamp(expires, 0).expect("a time");
    let until = until.format("%-d %B %Y, %H:%M UTC").to_string();
    for said in ["Film", "9 min 56 s", "8.9 MB", &until] {
        assert!(mail.text.contains(said), "{said}: {}", mail.text);
        assert!(mail.html.contains(said), "{said}: {}", mail.html);
    }
    assert!(!mail.text.contains('<'), "{}", mail.text);
}

#[tokio::test]
async fn a_failure_says_what_happened_what_to_do_and_whom_to_ask_about_what() {
    let (mail, id) = mail_about_failure(no_audio()).await;
    let job = format!("{id} (no-audio)");
    let in_order = [
        "No MP3 could be made",
        "This video has no sound track.",
        "What you can do",
        "Play the video and listen.",
        "https://decant.example.com/door",
        &job,
    ];
    let (_, body) = mail.html.split_once("</h1>").expect("a heading");
    assert_in_order(&mail.text, &in_order);
    assert_in_order(body, &in_order[1..]);
}

#[tokio::test]
async fn nobody_is_sent_to_upload_what_can_be_converted_again() {
    let problem = || Problem::new("too-long", "This video is 13 hours long.");
    let kept = mail_about_failure(problem()).await.0;
    for part in [&kept.text, &kept.html] {
        assert_in_order(
            part,
            &["choose other options for this video", "Convert again"],
        );
        assert!(!part.contains("Upload again"), "{part}");
    }
    let world = World::new().await;
    let job = world.failed("Film.mp4", problem()).await;
    let notify = world.notify_with(&["--keep-video=0"]).await;
    let answer = notify
        .deliver::<JobFailed>("/job-failed", job_failed(&job))
        .await;
    assert_eq!(answer, 200);
    let gone = world.one_mail();
    for part in [&gone.text, &gone.html] {
        assert_in_order(part, &["upload it again", "Upload again"]);
        assert!(!part.contains("Convert again"), "{part}");
    }
}

fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let found = rest.split_once(part);
        rest = found
            .unwrap_or_else(|| panic!("no {part:?} there: {rest}"))
            .1;
    }
}

#[tokio::test]
async fn a_reason_that_is_not_known_here_has_something_to_do_as_well() {
    let problem = Problem::new("unheard-of", "It went wrong in a new way.");
    let (mail, _) = mail_about_failure(problem).await;
    assert!(
        mail.text.contains("1. Upload the video again."),
        "{}",
        mail.text
    );
}

#[tokio::test]
async fn nothing_in_a_mail_is_fetched_from_anywhere() {
    for mail in [
        mail_about("Film.mp4").await,
        mail_about_failure(no_audio()).await.0,
    ] {
        for fetching in [
            "<img",
            "<link",
            "<script",
            "<iframe",
            "src=",
            "background=",
            "url(",
            "@import",
        ] {
            assert!(!mail.html.contains(fetching), "{fetching}: {}", mail.html);
        }
        let mut addresses = mail
            .html
            .match_indices("://")
            .map(|(at, _)| &mail.html[at..]);
        assert!(addresses.all(|address| address.starts_with("://decant.example.com/door")));
    }
}

#[tokio::test]
async fn what_stands_beside_the_subject_is_no_repetition_of_it() {
    let mail = mail_about("Film.mp4").await;
    let (_, body) = mail.html.split_once("<body").expect("a body");
    let (hidden, shown) = body.split_once("<table").expect("a table");
    assert!(hidden.contains(">9 min 56 s, 8.9 MB."), "{hidden}");
    assert!(shown.contains("9 min 56 s"), "{shown}");
}

#[tokio::test]
async fn a_mail_is_made_for_light_and_for_dark() {
    for mail in [
        mail_about("Film.mp4").await,
        mail_about_failure(no_audio()).await.0,
    ] {
        for known in [
            r#"<meta name="color-scheme" content="light dark">"#,
            r#"<meta name="supported-color-schemes" content="light dark">"#,
            "@media (prefers-color-scheme: dark)",
        ] {
            assert!(mail.html.contains(known), "{known}: {}", mail.html);
        }
    }
}

#[tokio::test]
async fn a_title_that_runs_from_right_to_left_does_so() {
    let mail = mail_about("שלום עולם 🎵.mp4").await;
    assert_eq!(mail.header("subject"), "Your MP3 is ready: שלום עולם 🎵");
    let (_, heading) = mail.html.split_once("<h1").expect("a heading");
    let (attributes, title) = heading.split_once('>').expect("a tag");
    assert!(attributes.contains(r#"dir="auto""#), "{attributes}");
    assert!(title.starts_with("שלום עולם 🎵</h1>"), "{title}");
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
    let problem = Problem::new("odd<b>", "<img src=x> is no codec.");
    let (mail, _) = mail_about_failure(problem).await;
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
