//! The store on MongoDB: the contract, GridFS as others write and read it, and what only a server can do wrong.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod copy;
mod damage;
mod faults;
mod older;
mod pymongo;

use decant_events::FileId;
use decant_store::{Error, MongoUri, NewJob, Store, Turns};
use decant_test_servers::MongoServer;
use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);

/// More turns than a test has jobs.
const TURNS: Turns = Turns {
    at_once: 1000,
    gap: HOUR,
};

/// The server that tests share by names of databases. Ends with the last of them.
struct Shared {
    server: MongoServer,
    _folder: TempDir,
}

fn shared() -> Arc<Shared> {
    static RUNNING: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap();
    if let Some(shared) = running.upgrade() {
        return shared;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = MongoServer::start(folder.path());
    let shared = Arc::new(Shared {
        server,
        _folder: folder,
    });
    *running = Arc::downgrade(&shared);
    shared
}

/// A prefix of databases that nobody else has.
fn fresh_prefix() -> String {
    format!("t{}_", FileId::mint())
}

async fn fresh_store() -> (Store, Arc<Shared>) {
    let shared = shared();
    let store = open(&shared.server, &fresh_prefix()).await;
    (store.unwrap(), shared)
}

decant_store::contract_tests!(fresh_store);

async fn open(server: &MongoServer, prefix: &str) -> Result<Store, Error> {
    let uri: MongoUri = server.uri().parse().unwrap();
    Store::open_apart(&uri, prefix).await
}

fn new_job() -> NewJob {
    NewJob {
        id: FileId::mint(),
        owner: "kevin@email.com".parse().unwrap(),
        file_name: "talk.mp4".into(),
        traceparent: None,
    }
}
