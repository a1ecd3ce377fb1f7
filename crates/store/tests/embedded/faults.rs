//! A disk that is full, a folder that is away, files that somebody else touched.

use crate::{
    HOUR, TURNS, begin_video, fresh_store, new_job, open, read_video,
    rerun::{folder, rerun},
    store_video,
};
use bytes::Bytes;
use decant_events::{FileId, Problem};
use decant_store::{Bucket, CHUNK_BYTES, Claim, Error, Mp3, Store};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

/// Mounts a disk of 4 MiB in a mount namespace of its own, where it needs no root and goes with the process.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let Some(disk) = folder() else {
        let disk = tempfile::tempdir().unwrap();
        let name = "faults::a_full_disk_loses_nothing_that_was_acknowledged";
        let alone = ["unshare", "--map-root-user", "--mount"];
        let output = rerun(&alone, name, disk.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "this test needs unshare: {said}");
        let ran = String::from_utf8_lossy(&output.stdout);
        assert!(ran.contains("1 passed"), "{ran}");
        return;
    };
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]);
    assert!(mount.arg(&disk).status().unwrap().success());
    let store = open(disk.join("store")).await.unwrap();
    a_payload_that_does_not_fit_is_refused(&store).await;
    a_record_that_does_not_fit_is_refused(&store, &disk).await;
}

async fn a_payload_that_does_not_fit_is_refused(store: &Store) {
    let id = FileId::mint();
    let mut writer = begin_video(store, id).await.unwrap();
    let piece = Bytes::from(vec![7; CHUNK_BYTES]);
    let refusal = loop {
        if let Err(refusal) = writer.write(piece.clone()).await {
            break refusal;
        }
    };
    assert!(matches!(refusal, Error::Full(_)), "{refusal:?}");
    assert!(writer.write(piece).await.is_err());
    assert!(writer.finish(Bytes::new()).await.is_err());
    assert!(matches!(read_video(store, id).await, Err(Error::NotFound)));

    // The part still takes the room: what is left of it may run out at the very end too.
    let late = store_video(store, FileId::mint(), &vec![7; 4 * CHUNK_BYTES]).await;
    assert!(matches!(late, Err(Error::Full(_))), "{late:?}");
    store.payloads.delete(Bucket::Videos, id).await.unwrap();
    store_video(store, id, b"fits").await.unwrap();
    assert_eq!(read_video(store, id).await.unwrap(), "fits");
}

async fn a_record_that_does_not_fit_is_refused(store: &Store, disk: &Path) {
    let lease = store.jobs.begin(new_job(), HOUR).await.unwrap();
    let filler = disk.join("filler");
    let mut file = File::create(&filler).unwrap();
    store.payloads.room().await.unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    let room = store.payloads.room().await;
    assert!(matches!(room, Err(Error::Full(_))), "{room:?}");

    // The log has a few pages left, so that some changes still succeed.
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    while refused.len() < 5 {
        let job = new_job();
        let id = job.id;
        match store.jobs.adopt(job, 1, HOUR).await {
            Ok(adopted) => {
                assert!(adopted);
                acknowledged.push(id);
            }
            Err(refusal) => {
                assert!(matches!(refusal, Error::Full(_)), "{refusal:?}");
                refused.push(id);
            }
        }
    }
    // A change that gives back the row it changed must not give it back before the change is kept.
    let uploaded = store.jobs.uploaded(&lease, 1, TURNS).await;
    assert!(matches!(uploaded, Err(Error::Full(_))), "{uploaded:?}");

    drop(file);
    fs::remove_file(filler).unwrap();
    store.payloads.room().await.unwrap();
    for store in [store, &open(disk.join("store")).await.unwrap()] {
        for id in &acknowledged {
            assert!(store.jobs.get(*id).await.unwrap().is_some());
        }
        for id in &refused {
            assert_eq!(store.jobs.get(*id).await.unwrap(), None);
        }
        assert_eq!(store.jobs.get(lease.job_id).await.unwrap(), None);
    }
    let uploaded = store.jobs.uploaded(&lease, 1, TURNS).await;
    uploaded.expect("there is room again");
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_until_it_is_back() {
    let (store, home) = fresh_store().await;
    let id = FileId::mint();
    store_video(&store, id, b"here").await.unwrap();
    assert!(store.jobs.adopt(new_job(), 1, HOUR).await.unwrap());
    let mut half = begin_video(&store, FileId::mint()).await.unwrap();
    half.write(Bytes::from_static(b"half")).await.unwrap();

    let (folder, elsewhere) = (home.path().join("store"), home.path().join("elsewhere"));
    fs::rename(&folder, &elsewhere).unwrap();
    for _ in 0..2 {
        assert_away(read_video(&store, id).await);
        assert_away(begin_video(&store, FileId::mint()).await.map(drop));
        // Success would let the sweep forget a payload that comes back with the disk.
        assert_away(store.payloads.delete(Bucket::Videos, id).await);
        assert_away(store.jobs.now().await);
        assert_away(store.jobs.get(id).await);
        assert_away(store.jobs.adopt(new_job(), 1, HOUR).await);
        // An empty mount point stands where the store was.
        fs::create_dir_all(&folder).unwrap();
    }
    assert_away(half.finish(Bytes::new()).await);

    fs::remove_dir(&folder).unwrap();
    fs::rename(&elsewhere, &folder).unwrap();
    assert_eq!(read_video(&store, id).await.unwrap(), "here");
    assert_eq!(store.jobs.list(None, None, 10).await.unwrap().len(), 1);
}

fn assert_away<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn only_their_owner_may_read_the_files() {
    let (store, home) = fresh_store().await;
    let _half = begin_video(&store, FileId::mint()).await.unwrap();
    store_video(&store, FileId::mint(), b"x").await.unwrap();
    store.jobs.adopt(new_job(), 1, HOUR).await.unwrap();

    let mut files = 0;
    let mut folders = vec![home.path().join("store")];
    while let Some(folder) = folders.pop() {
        assert_eq!(permissions(&folder), 0o700, "{folder:?}");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(permissions(&path), 0o600, "{path:?}");
                files += 1;
            }
        }
    }
    // The database, its log and index, the lock file, and two videos.
    assert_eq!(files, 6);
}

fn permissions(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn unknown_words_in_a_record_are_reported_as_damage() {
    let (store, home) = fresh_store().await;
    for change in [
        "UPDATE jobs SET state = 'dancing'",
        "UPDATE jobs SET state = 'queued', owner = 'nobody'",
        "UPDATE jobs SET owner = 'kevin@email.com', size_bytes = -1",
        "UPDATE jobs SET size_bytes = 1, mp3_id = 'short'",
    ] {
        let job = new_job();
        let id = job.id;
        store.jobs.adopt(job, 1, HOUR).await.unwrap();
        let mut database = database(home.path()).await;
        sqlx::query(change).execute(&mut database).await.unwrap();
        let damaged = store.jobs.get(id).await;
        assert!(matches!(damaged, Err(Error::Corrupt(_))), "{damaged:?}");
        let damaged = store.jobs.list(None, None, 10).await;
        assert!(matches!(damaged, Err(Error::Corrupt(_))), "{damaged:?}");
        let clear = sqlx::query("DELETE FROM jobs");
        clear.execute(&mut database).await.unwrap();
    }
}

#[tokio::test]
async fn an_mp3_and_its_waveform_are_published_together_or_not_at_all() {
    let (store, home) = fresh_store().await;
    let job = new_job();
    let id = job.id;
    store.jobs.adopt(job, 1, HOUR).await.unwrap();
    let mp3 = Mp3 {
        id: FileId::mint(),
        size_bytes: 1,
        duration_ms: 1,
    };
    let gave_up = Problem::new("gave-up", "");
    let claim = store.jobs.claim(id, mp3.id, HOUR, 5, &gave_up).await;
    let Ok(Claim::Granted(lease, _)) = claim else {
        panic!("nobody else wants it");
    };

    // The statement after the waveform's fails, as where the process ends in between.
    let mut database = database(home.path()).await;
    let broken = "CREATE TRIGGER broken BEFORE UPDATE OF mp3_id ON jobs
                  BEGIN SELECT RAISE(ABORT, 'broken'); END";
    sqlx::query(broken).execute(&mut database).await.unwrap();
    let publish = || store.jobs.publish(&lease, mp3.clone(), b"waveform");
    assert_away(publish().await);
    let left = sqlx::query("SELECT job_id FROM waveforms").fetch_all(&mut database);
    assert!(left.await.unwrap().is_empty());

    let mended = sqlx::query("DROP TRIGGER broken");
    mended.execute(&mut database).await.unwrap();
    publish().await.unwrap();
    let waveform = store.jobs.waveform(mp3.id).await.unwrap();
    assert_eq!(waveform.as_deref(), Some(&b"waveform"[..]));
}

#[tokio::test]
async fn a_store_of_a_newer_decant_is_not_opened() {
    let (_store, home) = fresh_store().await;
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', true, x'00', 0)";
    let mut database = database(home.path()).await;
    sqlx::query(newer).execute(&mut database).await.unwrap();
    let opened = open(home.path().join("store")).await;
    assert!(matches!(opened.map(drop), Err(Error::Corrupt(_))));
}

async fn database(home: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(home.join("store/jobs.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

#[tokio::test]
async fn a_database_of_garbage_is_reported_as_damage() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("jobs.db"), vec![7; 8192]).unwrap();
    let opened = open(home.path()).await;
    assert!(matches!(opened.map(drop), Err(Error::Corrupt(_))));
}

#[tokio::test]
async fn a_payload_that_somebody_cut_is_reported_as_damage() {
    let (store, home) = fresh_store().await;
    let id = FileId::mint();
    store_video(&store, id, &[7; 1000]).await.unwrap();
    let reader = store.payloads.open(Bucket::Videos, id).await.unwrap();
    let path = home.path().join("store/videos").join(id.to_string());
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(500).unwrap();
    assert_eq!(reader.read_at(0, 500).await.unwrap(), [7; 500][..]);
    let cut = reader.read_at(400, 500).await;
    assert!(matches!(cut, Err(Error::Corrupt(_))), "{cut:?}");
}
