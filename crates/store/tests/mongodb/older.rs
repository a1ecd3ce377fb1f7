//! Records that an older Decant has left, or leaves while it is replaced.

use crate::{HOUR, fresh_prefix, new_job, open, shared};
use decant_events::{FileId, Problem};
use decant_store::{Claim, Job, State, Store, Turns};
use mongodb::{
    Client, Collection,
    bson::{DateTime, Document, doc, oid::ObjectId},
};

const ONE: Turns = Turns {
    at_once: 1,
    gap: HOUR,
};

/// A store, and its records behind its back.
struct Bench {
    store: Store,
    jobs: Collection<Document>,
}

impl Bench {
    async fn new() -> Self {
        let shared = shared();
        let prefix = fresh_prefix();
        let store = open(&shared.server, &prefix).await.unwrap();
        let client = Client::with_uri_str(shared.server.uri()).await.unwrap();
        let database = client.database(&format!("{prefix}decant"));
        Self {
            store,
            jobs: database.collection("jobs"),
        }
    }

    async fn upload(&self) -> Job {
        let lease = self.store.jobs.begin(new_job(), HOUR).await.unwrap();
        self.store.jobs.uploaded(&lease, 1, ONE).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_before_there_were_turns_takes_one_and_ends_as_any_other() {
    let bench = Bench::new().await;
    let id = FileId::mint();
    let record = doc! {
        "_id": ObjectId::from_bytes(id.bytes()), "owner": "kevin@email.com", "file_name": "talk.mp4",
        "state": "queued", "run": 1, "attempts": 0, "progress_percent": 0.0, "announcements": 1,
        "mailed_run": 0, "mail_tries": 0, "size_bytes": 1_i64,
        "created_at": DateTime::now(), "updated_at": DateTime::now(),
        "announced_at": DateTime::now(), "announce_at": DateTime::now(),
    };
    bench.jobs.insert_one(record).await.unwrap();
    let waiting = bench.upload().await;
    assert_eq!(waiting.state, State::Waiting);

    let jobs = &bench.store.jobs;
    let problem = Problem::new("no-audio", "No sound.");
    let claim = jobs.claim(id, FileId::mint(), HOUR, 5, &problem);
    let Claim::Granted(lease, old) = claim.await.unwrap() else {
        panic!("nobody else wants it");
    };
    assert_eq!(jobs.announce_waiting(&old.owner, ONE).await.unwrap(), None);
    jobs.fail(&lease, &problem).await.unwrap();
    let next = jobs.announce_waiting(&old.owner, ONE).await.unwrap();
    assert_eq!(next.map(|job| job.id), Some(waiting.id));
    let again = jobs.retry(id, None, ONE).await.unwrap().unwrap();
    assert_eq!((again.state, again.run), (State::Waiting, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_an_older_decant_left_with_an_ended_job_is_free() {
    let bench = Bench::new().await;
    let first = bench.upload().await;
    assert_eq!(first.state, State::Queued);
    // It ends a job as it always did: without a word of its turn.
    let ended = doc! { "$set": { "state": "failed", "finished_at": DateTime::now() } };
    let id = doc! { "_id": ObjectId::from_bytes(first.id.bytes()) };
    bench.jobs.update_one(id, ended).await.unwrap();
    assert_eq!(bench.upload().await.state, State::Queued);
    assert_eq!(bench.upload().await.state, State::Waiting);
}
