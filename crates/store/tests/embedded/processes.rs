//! Several processes, or several stores of one process, share one folder.

use crate::{
    HOUR, TURNS, begin_video, new_job, open, read_video,
    rerun::{folder, rerun},
    store_video,
};
use bytes::Bytes;
use decant_events::{FileId, Problem};
use decant_store::{CHUNK_BYTES, Claim, Error, Store};
use futures::future::join_all;
use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

const PROCESSES: usize = 4;
const JOBS_EACH: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_open_a_new_store_at_once_and_share_it() {
    if let Some(home) = folder() {
        return open_and_claim(&home).await;
    }
    for _ in 0..3 {
        let home = tempfile::tempdir().unwrap();
        let name = "processes::four_processes_open_a_new_store_at_once_and_share_it";
        let children: Vec<_> = (0..PROCESSES)
            .map(|_| {
                let mut child = rerun(&[], name, home.path());
                child.stdout(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let patience = Patience::new();
        while fs::read_dir(home.path()).unwrap().count() < PROCESSES {
            patience.wait();
        }
        fs::write(home.path().join("go"), "").unwrap();

        let mut grants: HashMap<String, u32> = HashMap::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{printed}");
            for id in printed
                .lines()
                .filter_map(|line| line.strip_prefix("granted "))
            {
                *grants.entry(id.to_owned()).or_default() += 1;
            }
        }
        assert_eq!(grants.len(), PROCESSES * JOBS_EACH);
        assert!(grants.values().all(|count| *count == 1), "{grants:?}");
    }
}

/// One of the four: adds jobs, waits for everybody's, and claims whatever it can get.
async fn open_and_claim(home: &Path) {
    fs::write(home.join(format!("ready-{}", std::process::id())), "").unwrap();
    let patience = Patience::new();
    while !home.join("go").exists() {
        patience.wait();
    }
    let store = open(home.join("store")).await.unwrap();
    for _ in 0..JOBS_EACH {
        assert!(store.jobs.adopt(new_job(), 1, HOUR).await.unwrap());
    }
    let jobs = loop {
        let jobs = store.jobs.list(None, None, 1000).await.unwrap();
        if jobs.len() == PROCESSES * JOBS_EACH {
            break jobs;
        }
        patience.wait();
    };
    let gave_up = Problem::new("gave-up", "");
    for job in jobs {
        let claim = store.jobs.claim(job.id, FileId::mint(), HOUR, 5, &gave_up);
        if let Claim::Granted(..) = claim.await.unwrap() {
            println!("\ngranted {}", job.id);
        }
    }
}

/// Waits for other processes, but not for ever: one of them may have failed.
struct Patience(Instant);

impl Patience {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn wait(&self) {
        assert!(
            self.0.elapsed() < Duration::from_secs(120),
            "waited in vain"
        );
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_stores_of_one_process_open_a_new_folder_at_once() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("a").join("store");
    let stores = join_all((0..8).map(|_| tokio::spawn(open(folder.clone())))).await;
    for store in stores {
        let store = store.unwrap().unwrap();
        assert!(store.jobs.adopt(new_job(), 1, HOUR).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_process_died_is_not_readable_and_is_found() {
    if let Some(folder) = folder() {
        let store = open(folder).await.unwrap();
        let job = new_job();
        store.jobs.begin(job.clone(), Duration::ZERO).await.unwrap();
        let mut writer = begin_video(&store, job.id).await.unwrap();
        let bytes = Bytes::from(vec![7; 9 * CHUNK_BYTES]);
        writer.write(bytes).await.unwrap();
        std::process::abort();
    }
    let (store, home) = crate::fresh_store().await;
    let name = "processes::an_upload_whose_process_died_is_not_readable_and_is_found";
    let folder = home.path().join("store");
    let died = rerun(&[], name, &folder).output().unwrap();
    assert!(!died.status.success());

    let taken = store.jobs.take_abandoned_upload(Duration::ZERO, HOUR).await;
    let lease = taken.unwrap().expect("one abandoned upload");
    let id = lease.job_id;
    assert_eq!(store.jobs.get(id).await.unwrap(), None);
    assert!(matches!(read_video(&store, id).await, Err(Error::NotFound)));
    assert_eq!(fs::read_dir(folder.join("videos")).unwrap().count(), 1);
    let videos = decant_store::Bucket::Videos;
    store.payloads.delete(videos, id).await.unwrap();
    assert_eq!(fs::read_dir(folder.join("videos")).unwrap().count(), 0);
    store.jobs.discard(&lease).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_killed_process() {
    if let Some(folder) = folder() {
        let store = open(folder).await.unwrap();
        loop {
            println!("\nacknowledged {}", upload(&store).await);
        }
    }
    let (store, home) = crate::fresh_store().await;
    let name = "processes::what_was_acknowledged_outlives_a_killed_process";
    let mut command = rerun(&[], name, &home.path().join("store"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged: Vec<FileId> = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
        .take(20)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for id in acknowledged {
        assert!(store.jobs.get(id).await.unwrap().is_some());
        let bytes = read_video(&store, id).await.unwrap();
        assert_eq!(bytes, id.to_string());
    }
}

async fn upload(store: &Store) -> FileId {
    let lease = store.jobs.begin(new_job(), HOUR).await.unwrap();
    let id = lease.job_id;
    let size = store_video(store, id, id.to_string().as_bytes()).await;
    let queued = store.jobs.uploaded(&lease, size.unwrap(), TURNS).await;
    queued.unwrap().id
}
