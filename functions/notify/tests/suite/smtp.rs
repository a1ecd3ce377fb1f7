//! The real binary against a real mail server that demands STARTTLS and login.

use crate::{
    mail_server::{Demands, MailServer, mails, make_certificate},
    notify_process::NotifyProcess,
    world::{OWNER, World, mp3_ready},
};
use decant_events::Mp3Ready;
use futures::future::join_all;
use serde_json::json;

const LOGIN: &str = "kevin%40email.com:p%2Fss%3Aw%23rd";

/// A world whose mail server has a certificate that `notify` trusts.
async fn world() -> World {
    let world = World::new().await;
    make_certificate(&world.path(""));
    world
}

fn starttls(port: u16) -> String {
    format!("smtp://{LOGIN}@localhost:{port}")
}

#[tokio::test]
async fn a_server_that_demands_starttls_and_login_takes_the_mail() {
    let world = world().await;
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
    let world = world().await;
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
    let world = world().await;
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
    let world = world().await;
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
    let world = world().await;
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
        log.contains("takes no mail from us: it answered 535"),
        "{log}"
    );
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_password_nor_mail() {
    let world = world().await;
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
    let world = world().await;
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
    let world = world().await;
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
async fn a_refused_recipient_stays_unmailed_and_unnamed_in_the_log() {
    let world = world().await;
    let job = world.ready("Film.mp4").await;
    let demands = Demands {
        rejected: vec![OWNER],
        ..Demands::default()
    };
    let server = MailServer::start(&world.path(""), &demands);
    let notify = NotifyProcess::start(&world, &starttls(server.port));

    let answer = notify
        .deliver::<Mp3Ready>("/mp3-ready", mp3_ready(&job))
        .await;

    assert_eq!(answer, 503);
    assert!(world.is_unmailed(job.id).await);
    let log = notify.end();
    assert!(log.contains("refused it: it answered 550"), "{log}");
    assert!(!log.contains(OWNER), "{log}");
}
