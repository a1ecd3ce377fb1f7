use super::*;
use decant_store::{NewJob, StoreUrl, Turns};

#[tokio::test]
async fn a_slow_client_is_kept_the_newest_state_of_each_job_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&StoreUrl::Folder(folder.path().join("store"))).await;
    let store = store.expect("opens");
    let follower = Watch::new(store.clone()).follow(kevin(), None);
    let jobs = [uploaded(&store).await, uploaded(&store).await];
    for later in 0..100 {
        for job in &jobs {
            let mut job = job.clone();
            job.version += later;
            follower.tell(&Arc::new(job));
        }
    }
    // What a poll saw before that comes too late.
    follower.tell(&Arc::new(jobs[0].clone()));
    let mut news = follower.news();
    let kept = [news.first(), news.first()].map(|job| job.expect("is kept"));
    let expected = jobs.each_ref().map(|job| (job.id, job.version + 99));
    assert_eq!(kept.map(|job| (job.id, job.version)), expected);
    assert!(news.first().is_none() && !news.is_cut);
}

#[tokio::test]
async fn a_client_that_is_slow_beyond_measure_loses_its_stream_and_no_more() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&StoreUrl::Folder(folder.path().join("store"))).await;
    let store = store.expect("opens");
    let follower = Watch::new(store.clone()).follow(kevin(), None);
    let job = uploaded(&store).await;
    for _ in 0..MOST_NEWS + 10 {
        let mut other = job.clone();
        other.id = FileId::mint();
        follower.tell(&Arc::new(other));
    }
    assert_eq!(follower.news().jobs.len(), MOST_NEWS);
    assert!(follower.news().is_cut);
}

fn kevin() -> Person {
    Person {
        username: "kevin@email.com".parse().expect("a mail address"),
        admin: false,
        until: u64::MAX,
    }
}

async fn uploaded(store: &Store) -> Job {
    let new = NewJob {
        id: FileId::mint(),
        owner: kevin().username,
        file_name: "a.mp4".into(),
        traceparent: None,
    };
    let lease = store.jobs.begin(new, CLOCK).await.expect("begins");
    let turns = Turns {
        at_once: 1000,
        gap: CLOCK,
    };
    store.jobs.uploaded(&lease, 1, turns).await.expect("ends")
}
