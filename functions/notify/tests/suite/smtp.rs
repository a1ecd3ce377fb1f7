//! The real binary against a real mail server that demands STARTTLS and login.

use crate::{
    notify_process::NotifyProcess,
    world::{OWNER, World, mp3_ready},
};
use decant_events::Mp3Ready;
use decant_store::MailClaim;
use decant_test_servers::{Demands, MailServer, mails};
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;

const LOGIN: &str = "kevin%40email.com:p%2Fss%3Aw%23rd";

fn starttls(port: u16) -> String {
    format!("smtp://{LOGIN}@localhost:{port}")
}

#[tokio::test]
async fn a_server_that_demands_starttls_and_login_takes_the_mail() {
    let world = World::new().await;
    let job = world.ready("Grüße 👋.mp4").await;
    let server = MailServer::start(&world.path(""), &Demands::default());
    let notify = NotifyProcess::start(&world, &starttls(server.port));

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 200);
    assert!(
        notify
            .metrics()
            .await
            .contains(r#"decant_mails_total{result="sent"} 1"#)
    );
    let happened = server.end();
    let login = json!({"what": "login", "user": "kevin@email.com", "encrypted": true});
    assert_eq!(happened[0], login);
    assert_eq!(happened[1]["encrypted"], true);
    assert_eq!(happened[1]["sender"], "decant@localhost");
    assert_eq!(happened[1]["recipients"], json!([OWNER]));
    let mail = &mails(&happened)[0];
    assert_eq!(mail.header("subject"), "Your MP3 is ready: Grüße 👋");
    let log = notify.end();
    for secret in [OWNER, "p/ss:w#rd", "p%2Fss", "signature="] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_tls_from_the_start_takes_the_mail() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let demands = Demands {
        encryption: "implicit",
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    let smtps = format!("smtps://{LOGIN}@localhost:{}", server.port);
    let notify = NotifyProcess::start(&world, &smtps);
    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;
    assert_eq!(answer, 200);
    assert_eq!(mails(&server.end()).len(), 1);
}

#[tokio::test]
async fn fifty_identical_events_at_once_are_one_mail() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let server = MailServer::start(&world.path(""), &Demands::default());
    let notify = NotifyProcess::start(&world, &starttls(server.port));
    let event = || notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job));

    let answers = join_all((0..50).map(|_| event())).await;

    for answer in answers {
        assert!([200, 503].contains(&answer.as_u16()), "{answer}");
    }
    assert_eq!(event().await, 200, "and those who come back are content");
    assert_eq!(mails(&server.end()).len(), 1);
}

#[tokio::test]
async fn a_mail_waits_for_a_server_that_is_down() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let server = MailServer::start(&world.path(""), &Demands::default());
    let port = server.port;
    let notify = NotifyProcess::start(&world, &starttls(port));
    server.end();

    let event = || notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job));
    assert_eq!(event().await, 503);
    assert!(world.is_unmailed(job.id).await);

    let demands = Demands {
        port,
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    assert_eq!(event().await, 200);
    assert_eq!(mails(&server.end()).len(), 1);
    assert!(!world.is_unmailed(job.id).await);
}

#[tokio::test]
async fn a_wrong_password_leaves_the_mail_unsent() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let server = MailServer::start(&world.path(""), &Demands::default());
    let smtp = format!("smtp://kevin%40email.com:wrong@localhost:{}", server.port);
    let notify = NotifyProcess::start(&world, &smtp);

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 503);
    assert!(mails(&server.end()).is_empty());
    assert!(world.is_unmailed(job.id).await);
    let log = notify.end();
    assert!(
        log.contains("takes no mail from us now: it answered 535"),
        "{log}"
    );
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_password_nor_mail() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let demands = Demands {
        encryption: "none",
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    let notify = NotifyProcess::start(&world, &starttls(server.port));

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 503);
    assert_eq!(server.end(), Vec::<serde_json::Value>::new());
    assert!(notify.end().contains("STARTTLS is not supported"));
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_mail() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let server = MailServer::start(&world.path(""), &Demands::default());
    let notify = NotifyProcess::start(
        &world,
        &starttls(server.port).replace("localhost", "127.0.0.1"),
    );

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 503);
    assert_eq!(server.end(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_relay_of_ones_own_takes_the_mail_without_tls_where_that_is_asked_for() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let demands = Demands {
        encryption: "none",
        login: None,
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    let smtp = format!("smtp://localhost:{}?tls=none", server.port);
    let notify = NotifyProcess::start(&world, &smtp);
    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;
    assert_eq!(answer, 200);
    assert_eq!(mails(&server.end()).len(), 1);
}

#[tokio::test]
async fn a_recipient_refused_for_good_is_given_up_aloud_and_unnamed() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    let demands = Demands {
        to_recipient: "550 5.1.1 nobody lives at",
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    let notify = NotifyProcess::start(&world, &starttls(server.port));

    for _ in 0..2 {
        let event = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job));
        assert_eq!(event.await, 200);
    }

    assert!(!world.is_unmailed(job.id).await);
    let metrics = notify.metrics().await;
    let refused = r#"decant_mails_total{result="refused"} 1"#;
    assert!(metrics.contains(refused), "{metrics}");
    let log = notify.end();
    let given_up: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("mail given up"))
        .collect();
    assert_eq!(given_up.len(), 1, "{log}");
    for part in ["ERROR", &job.id.to_string(), "refused it: it answered 550"] {
        assert!(given_up[0].contains(part), "{}", given_up[0]);
    }
    assert!(!log.contains(OWNER), "{log}");
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_or_for_our_sake_stays_unsent() {
    let world = World::new().await;
    let job = world.ready("Film.mp4").await;
    for (to_sender, to_recipient) in [
        ("", "450 4.2.0 greylisted:"),
        ("", "530 5.7.0 authentication required for"),
        ("550 5.7.1 not your address", ""),
        ("451 4.3.0 not now", ""),
    ] {
        let demands = Demands {
            to_sender,
            to_recipient,
            ..Demands::default()
        };
        let server = MailServer::start(&world.path(""), &demands);
        let notify = NotifyProcess::start(&world, &starttls(server.port));

        let event = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job));
        assert_eq!(event.await, 503, "{to_sender}{to_recipient}");

        let log = notify.end();
        assert!(log.contains("takes no mail from us now"), "{log}");
        assert!(!log.contains(OWNER), "{log}");
        let claim = world
            .store
            .jobs
            .claim_mail(job.id, Duration::ZERO, Duration::ZERO);
        let claim = claim.await;
        assert!(matches!(claim, Ok(MailClaim::Granted(..))), "{claim:?}");
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_gets_its_mail_where_the_server_takes_it_and_is_given_up_elsewhere()
{
    let mut world = World::new().await;
    world.owner = "größe@email.com".parse().expect("a name");
    for beyond_ascii in [true, false] {
        let job = world.ready("Film.mp4").await;
        let demands = Demands {
            beyond_ascii,
            ..Demands::default()
        };
        let server = MailServer::start(&world.path(""), &demands);
        let notify = NotifyProcess::start(&world, &starttls(server.port));

        let event = notify.deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job));
        assert_eq!(event.await, 200);

        assert!(!world.is_unmailed(job.id).await);
        let happened = server.end();
        let mails: Vec<_> = happened[1..]
            .iter()
            .map(|mail| &mail["recipients"])
            .collect();
        let expected = beyond_ascii.then(|| json!(["größe@email.com"]));
        assert_eq!(mails, expected.iter().collect::<Vec<_>>());
    }
}
