//! Real servers in the place of the data folder: MongoDB, MySQL (MariaDB), RabbitMQ and a mail server with STARTTLS, each by one
//! setting.

use crate::{
    AFTER_A_LEASE, AFTER_A_MAIL_LEASE, SOON, clips, events::sweep, judges::assert_good_mp3,
};
use decant_e2e::{Client, EMAIL, Job, System, add_user, eventually};
use decant_test_servers::{
    Demands, Mail, MailServer, MongoServer, MySqlServer, RabbitServer, mails,
};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use std::{collections::BTreeMap, process::Command, time::Duration};

const THIRTY: usize = 30;

struct Servers {
    mongodb: MongoServer,
    mysql: MySqlServer,
    rabbitmq: RabbitServer,
    mail: MailServer,
}

impl Servers {
    /// A system on four servers of its own.
    async fn with_system() -> (Self, System) {
        let mut system = System::new();
        let folder = |name: &str| {
            let folder = system.scratch().join(name);
            std::fs::create_dir(&folder).expect("a folder");
            folder
        };
        let servers = Self {
            mongodb: MongoServer::start(&folder("mongodb")),
            mysql: MySqlServer::start(&folder("mysql")),
            rabbitmq: RabbitServer::start(&folder("rabbitmq")),
            mail: MailServer::start(&folder("smtp"), &Demands::default()),
        };
        system
            .set("DECANT_STORE", servers.mongodb.uri())
            .set("DECANT_USERS", &servers.mysql.url("auth"))
            .set("DECANT_AMQP", &servers.rabbitmq.setting(""))
            .set("DECANT_SMTP", &servers.mail.setting())
            .set(
                "SSL_CERT_FILE",
                &servers.mail.certificate().display().to_string(),
            )
            .start()
            .await;
        (servers, system)
    }

    /// Changes the servers while everything else goes on.
    async fn restart(mut self, how: impl FnOnce(&mut Self) + Send + 'static) -> Self {
        let restarted = tokio::task::spawn_blocking(move || {
            how(&mut self);
            self
        });
        restarted.await.expect("the servers")
    }

    fn mails(&self) -> Vec<Mail> {
        mails(&self.mail.happened("mail"))
    }

    /// The one mail about this job.
    async fn mail_about(&self, job: &Job, limit: Duration) -> Mail {
        let subject = format!("Your MP3 is ready: {}", job.title);
        let mut found = eventually(&subject, limit, async || {
            let mut mails = self.mails();
            mails.retain(|mail| mail.header("subject") == subject);
            (!mails.is_empty()).then_some(mails)
        })
        .await;
        assert_eq!(found.len(), 1, "one mail about {}", job.title);
        found.remove(0)
    }

    /// The ids in GridFS, as pymongo sees them.
    fn gridfs(&self, database: &str) -> Vec<String> {
        let script = "import sys, pymongo
for file in pymongo.MongoClient(sys.argv[1])[sys.argv[2]].fs.files.find(): print(file['_id'])";
        let python = Command::new("/usr/bin/python3")
            .args(["-c", script, self.mongodb.uri(), database])
            .output();
        let python = python.expect("Debian's python3 with python3-pymongo: ./test installs it");
        let said = String::from_utf8_lossy(&python.stderr);
        assert!(python.status.success(), "{said}");
        let ids = String::from_utf8(python.stdout).expect("ids");
        ids.lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn an_upload_goes_the_whole_way_on_real_servers_and_leaves_nothing_in_the_data_folder() {
    let (servers, system) = Servers::with_system().await;
    let client = system.client().await;
    let job = client.upload("Grüße 👋.mp4", clips::short()).await;
    let job = client.wait_for(&job.id, "ready", SOON).await;

    let mp3 = client.download(job.mp3()).await;
    assert_good_mp3(&mp3, &clips::short(), "Grüße 👋");
    let mail = servers.mail_about(&job, SOON).await;
    assert_eq!(mail.header("to"), EMAIL);
    let link = mail.link();
    let path = format!("/download?{}", link.query().expect("a signature"));
    let answer = client.stranger(Method::GET, &path).send().await;
    let answer = answer.expect("an answer").bytes().await;
    assert_eq!(answer.expect("the whole MP3"), mp3);
    assert_eq!(servers.gridfs("videos"), [job.id.as_str()]);
    assert_eq!(servers.gridfs("mp3s"), [job.mp3()]);
    for at_home in ["store", "users.db", "mail"] {
        assert!(!system.data().join(at_home).exists(), "{at_home}");
    }
}

#[tokio::test]
async fn restarts_of_every_server_in_the_middle_of_thirty_uploads_lose_none_and_double_none() {
    let (servers, system) = Servers::with_system().await;
    let client = system.client().await;
    let uploads = async {
        let mut accepted = Vec::new();
        for number in 0..THIRTY {
            accepted.push(upload_until_accepted(&client, number).await);
        }
        accepted
    };
    let jobs = async |at_least: usize| {
        eventually("some jobs", AFTER_A_LEASE, async || {
            let answer = client.get("/jobs?limit=200").await;
            let jobs = answer.text().await.ok()?.matches("\"id\"").count();
            (jobs >= at_least).then_some(())
        })
        .await;
    };
    let restarts = async {
        jobs(5).await;
        let servers = servers.restart(|servers| {
            servers.rabbitmq.stop();
            servers.rabbitmq.start_again();
        });
        let servers = servers.await;
        jobs(12).await;
        let servers = servers.restart(|servers| {
            servers.mongodb.stop();
            servers.mongodb.start_again();
        });
        let servers = servers.await;
        jobs(19).await;
        let servers = servers.restart(|servers| {
            servers.mysql.stop();
            servers.mysql.start_again();
        });
        servers.await
    };
    let (accepted, servers) = tokio::join!(uploads, restarts);
    // What could not be announced while RabbitMQ was away waits for the sweep, which else comes every ten minutes.
    eventually("a sweep", AFTER_A_LEASE, async || {
        (sweep(&system).await == 200).then_some(())
    })
    .await;

    for job in &accepted {
        client.wait_for(&job.id, "ready", AFTER_A_LEASE).await;
        servers.mail_about(job, AFTER_A_MAIL_LEASE).await;
    }
    // An upload whose answer a restart cut off may have become a job all the same: it is one like any other then.
    let jobs = client.jobs().await;
    let mut mp3s: Vec<String> = Vec::new();
    for job in &jobs {
        let job = client.wait_for(&job.id, "ready", AFTER_A_LEASE).await;
        servers.mail_about(&job, AFTER_A_MAIL_LEASE).await;
        mp3s.push(job.mp3().to_owned());
    }
    mp3s.sort();
    mp3s.dedup();
    assert_eq!(mp3s.len(), jobs.len(), "one MP3 each");
    assert_eq!(servers.mails().len(), jobs.len(), "one mail each");
    let stored = servers.gridfs("mp3s");
    assert!(mp3s.iter().all(|mp3| stored.contains(mp3)));
    let again = Client::sign_in(system.port, EMAIL, decant_e2e::PASSWORD).await;
    assert_eq!(again.jobs().await.len(), jobs.len());
}

/// Uploads as a person does: again, when it was refused for now or broke off. Each try has a name of its own.
async fn upload_until_accepted(client: &Client, number: usize) -> Job {
    let mut tries = 0..;
    eventually("an accepted upload", AFTER_A_LEASE, async || {
        let name = format!("Film {number} Versuch {}.mp4", tries.next()?);
        let answer = client.try_upload(&name, clips::short()).await;
        match answer.status() {
            StatusCode::ACCEPTED => answer.json().await.ok(),
            StatusCode::SERVICE_UNAVAILABLE => None,
            other => panic!("{other}: {}", answer.text().await.unwrap_or_default()),
        }
    })
    .await
}

#[tokio::test]
async fn thirty_people_upload_at_once_and_no_process_takes_100_mb() {
    let (servers, system) = Servers::with_system().await;
    let people: BTreeMap<String, String> = (0..THIRTY)
        .map(|number| {
            (
                format!("person{number}@email.com"),
                format!("Passwort {number}"),
            )
        })
        .collect();
    for (email, password) in &people {
        add_user(&servers.mysql.url("auth"), email, password);
    }
    let video = clips::large();
    let one = async |(email, password): (&String, &String)| {
        let client = Client::sign_in(system.port, email, password).await;
        let job = client.upload(&format!("{email}.mp4"), video.clone()).await;
        let job = client.wait_for(&job.id, "ready", AFTER_A_LEASE).await;
        assert_eq!(&job.username, email);
        assert_eq!(
            client.jobs().await.len(),
            1,
            "people see their own jobs alone"
        );
        let mp3 = client.download(job.mp3()).await;
        let mail = servers.mail_about(&job, SOON).await;
        assert_eq!(mail.header("to"), email);
        mp3
    };
    let mp3s = join_all(people.iter().map(one)).await;

    assert!(mp3s.iter().all(|mp3| mp3.len() > 1_000));
    assert_eq!(servers.mails().len(), THIRTY);
    assert_eq!(servers.gridfs("mp3s").len(), THIRTY);
    for process in system.processes() {
        let peak = process.peak_memory_bytes();
        println!("{}: {} MB at most", process.name, peak / 1_000_000);
        assert!(peak < 100_000_000, "{} took {peak} bytes", process.name);
    }
}
