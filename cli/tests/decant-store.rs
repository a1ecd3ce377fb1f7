//! The `decant-store` command, from one folder into another.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use decant_events::FileId;
use decant_store::{Bucket, NewJob, Store, StoreUrl};
use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_folder_without_a_store_is_not_copied_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("mistyped"), home.path().join("to"));
    let refused = copy(&from, &to);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("no store in FROM"), "{said}");
    assert!(!from.exists() && !to.exists());

    std::fs::create_dir(&from).unwrap();
    assert!(!copy(&from, &to).status.success());
    assert_eq!(std::fs::read_dir(&from).unwrap().count(), 0);
    assert!(!to.exists());
}

#[tokio::test]
async fn a_copy_without_a_lost_video_fails_and_names_its_job() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    let source = open(&from).await;
    let whole = adopt(&source).await;
    let video = source.payloads.create(Bucket::Videos, whole, "talk.mp4");
    let mut video = video.await.unwrap();
    video.write("video".into()).await.unwrap();
    video.finish("".into()).await.unwrap();
    assert!(copy(&from, &to).status.success());

    let lost = adopt(&source).await;
    let copied = copy(&from, &to);
    assert!(!copied.status.success());
    let said = String::from_utf8(copied.stderr).unwrap();
    assert!(said.contains(&format!("job {lost}: the video")), "{said}");
    assert!(!said.contains(&whole.to_string()), "{said}");
    let target = open(&to).await;
    for id in [whole, lost] {
        assert!(target.jobs.get(id).await.unwrap().is_some());
    }
    let video = target.payloads.open(Bucket::Videos, whole).await.unwrap();
    assert_eq!(video.read_at(0, 10).await.unwrap(), "video");
}

fn copy(from: &Path, to: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_decant-store"));
    command.arg("copy").arg(from).arg(to).output().unwrap()
}

async fn open(folder: &Path) -> Store {
    let url = StoreUrl::Folder(folder.to_owned());
    Store::open(&url).await.unwrap()
}

/// A job whose video is said to be stored.
async fn adopt(store: &Store) -> FileId {
    let job = NewJob {
        id: FileId::mint(),
        owner: "kevin@email.com".parse().unwrap(),
        file_name: "talk.mp4".into(),
        traceparent: None,
    };
    let id = job.id;
    assert!(store.jobs.adopt(job, 5, HOUR).await.unwrap());
    id
}
