//! A folder that an older Decant has left.

use crate::{HOUR, new_job, open};
use decant_events::{FileId, Problem};
use decant_store::{Claim, State, Turns};
use sqlx::{
    migrate::Migrator,
    query,
    sqlite::{SqliteConnectOptions, SqlitePool},
};
use std::{fs, path::Path};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_before_there_were_options_has_the_default_ones() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("store");
    fs::create_dir(&folder).unwrap();
    let id = FileId::mint();
    leave_a_queued_job(&folder, home.path(), id).await;

    let store = open(&folder).await.unwrap();
    let job = store.jobs.get(id).await.unwrap().unwrap();
    assert!(job.options.unwrap().is_default());
    assert_eq!(store.jobs.cover(id).await.unwrap(), None);
    let gave_up = Problem::new("gave-up", "");
    let claim = store.jobs.claim(id, FileId::mint(), HOUR, 5, &gave_up);
    assert!(matches!(claim.await.unwrap(), Claim::Granted(..)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_before_there_were_turns_takes_one() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("store");
    fs::create_dir(&folder).unwrap();
    leave_a_queued_job(&folder, home.path(), FileId::mint()).await;

    let store = open(&folder).await.unwrap();
    let lease = store.jobs.begin(new_job(), HOUR).await.unwrap();
    let one = Turns {
        at_once: 1,
        gap: HOUR,
    };
    let stored = store.jobs.uploaded(&lease, 1, one).await.unwrap();
    assert_eq!(stored.state, State::Waiting);
}

/// Makes the database as the first migration alone makes it.
async fn leave_a_queued_job(folder: &Path, scratch: &Path, id: FileId) {
    const FIRST: &str = "0001_jobs.sql";
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let first = scratch.join("migrations");
    fs::create_dir(&first).unwrap();
    fs::copy(all.join(FIRST), first.join(FIRST)).unwrap();

    let options = SqliteConnectOptions::new()
        .filename(folder.join("jobs.db"))
        .create_if_missing(true);
    let database = SqlitePool::connect_with(options).await.unwrap();
    let migrations = Migrator::new(first).await.unwrap();
    migrations.run(&database).await.unwrap();
    let job = "INSERT INTO jobs (id, owner, file_name, size_bytes, state, created_at, updated_at)
               VALUES (?, 'kevin@email.com', 'talk.mp4', 1, 'queued', 0, 0)";
    let job = query(job).bind(id.to_string());
    job.execute(&database).await.unwrap();
    database.close().await;
}
