use super::*;
use std::{collections::HashMap, fs, process::Command};

/// What Python's zipfile reads: names and bytes, checksums compared.
fn read(zip: &[u8]) -> HashMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.zip");
    fs::write(&path, zip).unwrap();
    let script = "import sys, zipfile\n\
         archive = zipfile.ZipFile(sys.argv[1])\n\
         assert archive.testzip() is None\n\
         for one in archive.infolist():\n\
         \x20   assert one.compress_type == zipfile.ZIP_STORED, one\n\
         \x20   print(one.filename, archive.read(one).hex(), sep='\\t')\n";
    let python = Command::new("python3")
        .env("PYTHONUTF8", "1")
        .args(["-c", script])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        python.status.success(),
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
    let text = String::from_utf8(python.stdout).unwrap();
    let files = text.lines().map(|line| line.split_once('\t').unwrap());
    files
        .map(|(name, hex)| (name.to_owned(), bytes(hex)))
        .collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn path<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> String {
    let ids: Vec<_> = jobs
        .into_iter()
        .map(|job| format!("id={}", job.id))
        .collect();
    format!("/jobs/zip?{}", ids.join("&"))
}

#[tokio::test]
async fn several_mp3s_come_as_one_archive_under_their_own_names() {
    let door = Door::new().await;
    let long = vec![7; 600_000]; // of several pieces
    let jobs = [
        door.ready_job("talk.mp4", b"one").await,
        door.ready_job("Talk.mov", &long).await,
        door.ready_job("Gr%C3%B6%C3%9Fe%20%F0%9F%8E%AC.mp4", b"three")
            .await,
        door.ready_job("silence.mp4", b"").await,
    ];
    let reply = door.get(&path(&jobs)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type")),
        (200, "application/zip")
    );
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    let name = reply.header("content-disposition");
    assert!(
        name.starts_with("attachment; filename=\"decant-20") && name.ends_with(".zip"),
        "{name}"
    );
    let expected = [
        ("talk.mp3", &b"one"[..]),
        ("Talk (2).mp3", &long),
        ("Größe 🎬.mp3", b"three"),
        ("silence.mp3", b""),
    ];
    let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    assert_eq!(read(&reply.body), HashMap::from(expected));
}

#[tokio::test]
async fn unzip_finds_nothing_wrong_with_an_archive() {
    let door = Door::new().await;
    let jobs = [
        door.ready_job("a.mp4", b"one").await,
        door.ready_job("b.mp4", &[1; 300_000]).await,
    ];
    let reply = door.get(&path(&jobs)).await;
    let file = door.folder.path().join("archive.zip");
    fs::write(&file, &reply.body).unwrap();
    let unzip = Command::new("unzip").arg("-t").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&unzip.stdout);
    assert!(
        unzip.status.success() && said.contains("No errors detected"),
        "{said}"
    );
}

#[tokio::test]
async fn a_job_named_twice_is_in_the_archive_once() {
    let door = Door::new().await;
    let job = door.ready_job("a.mp4", b"one").await;
    assert_eq!(read(&door.get(&path([&job, &job])).await.body).len(), 1);
}

#[tokio::test]
async fn what_cannot_be_in_an_archive_is_said_before_its_first_byte() {
    let door = Door::new().await;
    let ready = door.ready_job("a.mp4", b"one").await;
    let waiting = door.upload("b.mp4", b"video").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (also, status, code) in [
        (waiting.clone(), 409, "no-mp3"),
        (FileId::mint().to_string(), 404, "not-found"),
        ("rubbish".to_owned(), 404, "not-found"),
    ] {
        let reply = door.get(&format!("{}&id={also}", path([&ready]))).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (status, code)
        );
    }
    let eve =
        Request::get(path([&ready])).header("authorization", door.keys.bearer("eve@email.com"));
    assert_eq!(door.send(eve, ()).await.problem_code(), "not-found");
    assert_eq!(door.get("/jobs/zip").await.problem_code(), "bad-request");
    let many: Vec<_> = (0..101).map(|_| format!("id={}", FileId::mint())).collect();
    assert_eq!(
        door.get(&format!("/jobs/zip?{}", many.join("&")))
            .await
            .problem_code(),
        "bad-request"
    );

    let mp3 = ready.mp3.as_ref().unwrap().id;
    door.store.payloads.delete(Bucket::Mp3s, mp3).await.unwrap();
    assert_eq!(door.get(&path([&ready])).await.problem_code(), "not-found");
}

/// Over a real connection, as the client sees it.
#[tokio::test]
async fn an_archive_that_breaks_off_is_no_whole_download() {
    let door = Door::new().await;
    let first = door.ready_job("a.mp4", &vec![1; 40_000_000]).await;
    let second = door.ready_job("b.mp4", b"two").await;
    let address = serve(door.router.clone()).await;
    let url = format!(
        "{}{}",
        address.trim_end_matches('/'),
        path([&first, &second])
    );
    let client = reqwest::Client::new();
    let bearer = door.keys.bearer("kevin@email.com");
    let reply = client
        .get(url)
        .header("authorization", bearer)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    // The first file is more than sockets hold: the second one's turn has not come.
    let second = second.mp3.unwrap().id;
    door.store
        .payloads
        .delete(Bucket::Mp3s, second)
        .await
        .unwrap();
    assert!(reply.bytes().await.is_err(), "it ended as if it were whole");
}
