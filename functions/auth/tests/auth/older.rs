//! People of the older system, whose passwords are in plain text.

use crate::place::{Backend, Place, stderr, stdout};
use crate::support::{Call, KEVIN, PASSWORD, TestAuth, quick};
use crate::timing::{assert_equally_long, slow};
use decant_auth::Passwords;
use std::collections::HashSet;

const TABLE: &str = "CREATE TABLE user (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(255) NOT NULL UNIQUE,
    password VARCHAR(255) NOT NULL);
    INSERT INTO user (email, password) VALUES ('georgio@email.com', 'Admin123');";
const GEORGIO: &str = "georgio@email.com";
const OLD_PASSWORD: &str = "Admin123";
const LEFT: &str = "SELECT count(*) FROM user";
const OURS: &str = "SELECT count(*) FROM users WHERE username = 'georgio@email.com'
    AND password_hash LIKE '$argon2id$%'";

/// Auth with Kevin in its own table, beside the older system's table with Georgio.
async fn start() -> TestAuth {
    start_with(quick(), TABLE).await
}

async fn start_with(passwords: Passwords, table: &'static str) -> TestAuth {
    let place = Place::new(Backend::MySql).await;
    place.execute(table).await;
    TestAuth::start_in(place, quick(), passwords).await
}

#[tokio::test]
async fn whoever_signs_in_with_the_old_password_is_taken_over() {
    let auth = start().await;
    for name in ["Georgio@Email.com", GEORGIO] {
        let answer = auth.login(name, OLD_PASSWORD).await;
        assert_eq!(answer.status, 200);
        let claims = auth.validate(&answer.text()).await.json();
        assert_eq!(claims["username"], GEORGIO);
        assert_eq!(claims["admin"], false);
        assert_eq!(auth.place.count(LEFT).await, 0);
        assert_eq!(auth.place.count(OURS).await, 1);
    }
    assert_eq!(auth.login(GEORGIO, "admin123").await.status, 401);
}

#[tokio::test]
async fn a_wrong_password_leaves_them_and_is_throttled() {
    let auth = start().await;
    for wrong in ["admin123", "Admin123 ", "Admin12", "", "'"] {
        assert_eq!(auth.login(GEORGIO, wrong).await.status, 401, "{wrong:?}");
    }
    let answer = auth.login(GEORGIO, OLD_PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "900");
    assert_eq!(auth.place.count(LEFT).await, 1);
    assert_eq!(auth.place.count(OURS).await, 0);
    auth.pass_seconds(900);
    assert_eq!(auth.login(GEORGIO, OLD_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_takes_as_long_as_for_others() {
    let auth = start_with(slow(), TABLE).await;
    let unknown = ("nobody@email.com", "wrong");
    assert_equally_long(&auth, &[(GEORGIO, "wrong"), unknown]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_logins_at_once_take_them_over_once() {
    let auth = start().await;
    let replicas = [auth.replica().await, auth.replica().await];
    let mut running = tokio::task::JoinSet::new();
    for i in 0..20 {
        let replica = replicas[i % 2].clone();
        running.spawn(async move {
            let call = Call::login(GEORGIO, OLD_PASSWORD);
            call.send_to(&replica).await.status.as_u16()
        });
    }
    let statuses: HashSet<u16> = running.join_all().await.into_iter().collect();
    assert_eq!(statuses, HashSet::from([200]));
    assert_eq!(auth.place.count(LEFT).await, 0);
    assert_eq!(auth.place.count(OURS).await, 1);
}

#[tokio::test]
async fn our_own_table_wins_over_the_older_one() {
    let auth = start().await;
    let older = "INSERT INTO user (email, password) VALUES ('Kevin@email.com', 'older')";
    auth.place.execute(older).await;
    assert_eq!(auth.login(KEVIN, "older").await.status, 401);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
    let said = auth.place.done(&["import"]);
    assert_eq!(said, "1 imported, 1 here already\n");
    assert_eq!(auth.place.count(LEFT).await, 0);
    assert_eq!(auth.login(KEVIN, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn whoever_is_removed_doesnt_come_back() {
    let auth = start().await;
    let output = auth.place.user(&["remove", "GEORGIO@email.com"], "");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(auth.login(GEORGIO, OLD_PASSWORD).await.status, 401);
    assert_eq!(auth.place.count(LEFT).await, 0);
    let output = auth.place.user(&["remove", GEORGIO], "");
    assert!(stderr(&output).contains("there is no user"));
}

#[tokio::test]
async fn they_are_users_like_others() {
    let auth = start().await;
    let list = auth.place.done(&["user", "list"]);
    assert!(
        list.starts_with("georgio@email.com\tuser\tnot imported\nkevin@email.com\tadmin\t20"),
        "{list}"
    );
    let output = auth.place.user(&["add", GEORGIO], "another");
    assert!(stderr(&output).contains("already"), "{}", stderr(&output));
    let output = auth.place.user(&["add", "--if-absent", GEORGIO], "another");
    assert!(output.status.success());
    assert_eq!(auth.login(GEORGIO, "another").await.status, 401);

    let output = auth.place.user(&["passwd", GEORGIO], "new");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(auth.place.count(LEFT).await, 0);
    assert_eq!(auth.login(GEORGIO, OLD_PASSWORD).await.status, 401);
    assert_eq!(auth.login(GEORGIO, "new").await.status, 200);
}

/// Case and accents matter to this collation, and nothing but ASCII fits into the passwords.
const ODD: &str = "CREATE TABLE user (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
        password VARCHAR(255) CHARACTER SET latin1 NOT NULL);
    INSERT INTO user (email, password) VALUES
        ('Anna@email.com', 'Käse'), ('Georgio@Email.com', 'other'), ('georgio@email.com', 'Admin123'),
        (' paul@email.com', 'space'), ('köln@email.com', 'one'), ('koln@email.com', 'two'),
        ('root', 'no address'), ('empty@email.com', '')";

#[tokio::test]
async fn an_address_is_one_person_however_it_was_written() {
    let auth = start_with(quick(), ODD).await;
    for (name, password, status) in [
        ("anna@email.com", "Käse", 200),
        ("Georgio@Email.com", "other", 401),
        (GEORGIO, OLD_PASSWORD, 200),
        ("paul@email.com", "space", 200),
        ("koln@email.com", "one", 401),
        ("koln@email.com", "two", 200),
        ("KÖLN@email.com", "one", 200),
        ("root", "no address", 401),
        ("empty@email.com", "", 401),
        ("🧀@email.com", "x", 401),
    ] {
        assert_eq!(auth.login(name, password).await.status, status, "{name}");
    }
    assert_eq!(auth.place.count(LEFT).await, 2, "root and empty");
}

const SPACE_AND_NULL: &str = r"CREATE TABLE user (
        id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255), password VARCHAR(255)
    ) CHARACTER SET utf8mb4;
    INSERT INTO user (email, password) VALUES
        ('cr@email.com\r', 'Admin123'), ('\tTab@email.com\n', 'Admin123'),
        (CONCAT('nbsp@email.com', CONVERT(0xC2A0 USING utf8mb4)), 'Admin123'),
        (CONCAT(CONVERT(0xE284AA USING utf8mb4), 'elvin@email.com'), 'Admin123'),
        ('left@email.com\r', 'Admin123'), (NULL, 'no address'), ('null@email.com', NULL)";

#[tokio::test]
async fn whoever_is_listed_can_sign_in() {
    let auth = start_with(quick(), SPACE_AND_NULL).await;
    let list = auth.place.done(&["user", "list"]);
    assert_eq!(list.matches("not imported").count(), 6, "{list}");
    for name in ["cr", "tab", "nbsp", "kelvin"] {
        let name = format!("{name}@email.com");
        let answer = auth.login(&name, OLD_PASSWORD).await;
        assert_eq!(answer.status, 200, "{name}");
    }
    assert_eq!(auth.login("null@email.com", "").await.status, 401);
    let said = auth.place.done(&["import"]);
    let left = "2 left: 1 without a mail address, 1 without a password";
    assert_eq!(said, format!("1 imported, 0 here already\n{left}\n"));
    assert_eq!(auth.place.count(LEFT).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_ends_however_long_it_forgets_those_who_are_here() {
    let auth = start().await;
    auth.place
        .execute(
            "CREATE TRIGGER slow BEFORE DELETE ON user FOR EACH ROW DO SLEEP(2);
             DELETE FROM user;
             INSERT INTO user (email, password) VALUES
                 ('kevin@email.com', ''), (' Kevin@email.com', ''), ('  KEVIN@email.com', '')",
        )
        .await;
    // Longer than an answer is waited for.
    let said = auth.place.done(&["import"]);
    assert_eq!(said, "0 imported, 1 here already\n");
    assert_eq!(auth.place.count(LEFT).await, 0);
}

#[tokio::test]
async fn import_takes_everybody_over_and_names_nobody() {
    let auth = start_with(quick(), ODD).await;
    let mut import = auth.place.program(&["import"]);
    let output = import.env("RUST_LOG", "trace").output().expect("a program");
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    let left = "2 left: 1 without a mail address, 1 without a password\n";
    assert_eq!(said, format!("5 imported, 0 here already\n{left}"));
    assert!(!format!("{said}{}", stderr(&output)).contains("email.com"));
    assert_eq!(auth.place.count(LEFT).await, 2);
    assert_eq!(auth.login("anna@email.com", "Käse").await.status, 200);
    assert_eq!(auth.login(GEORGIO, OLD_PASSWORD).await.status, 200);
    // Again, and nothing more is done.
    let said = auth.place.done(&["import"]);
    assert_eq!(said, format!("0 imported, 0 here already\n{left}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_may_be_killed_or_run_beside_another() {
    let auth = start().await;
    auth.place
        .execute(
            "INSERT INTO user (email, password)
             SELECT CONCAT('u', a.n * 6 + b.n, '@email.com'), 'Admin123' FROM
             (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) a,
             (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) b",
        )
        .await;
    let mut killed = auth.place.program(&["import"]).spawn().expect("a program");
    while auth.place.count(LEFT).await == 37 {}
    killed.kill().expect("killed");
    killed.wait().expect("an end");
    assert_ne!(auth.place.count(LEFT).await, 0, "it was killed in between");
    let running: Vec<_> = (0..2)
        .map(|_| auth.place.program(&["import"]).spawn().expect("a program"))
        .collect();
    for mut one in running {
        assert!(one.wait().expect("an end").success());
    }
    assert_eq!(auth.place.count(LEFT).await, 0);
    let ours = "SELECT count(*) FROM users WHERE password_hash LIKE '$argon2id$%'";
    assert_eq!(auth.place.count(ours).await, 38);
    assert_eq!(auth.login("u35@email.com", OLD_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn without_the_older_table_there_is_nothing_to_import() {
    for on in [Backend::Sqlite, Backend::MySql] {
        let place = Place::migrated(on).await;
        let output = place.program(&["import"]).output().expect("a program");
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("no table user"),
            "{}",
            stderr(&output)
        );
    }
    // Nor is somebody else's table taken for it.
    let place = Place::migrated(Backend::MySql).await;
    place.execute("CREATE TABLE user (name TEXT)").await;
    assert_eq!(place.done(&["user", "list"]), "");
}
