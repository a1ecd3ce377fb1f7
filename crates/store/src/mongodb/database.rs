use super::{apart::without_what_is_apart, error::answer, record, uri::MongoUri};
use crate::{Error, Job};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    options::{
        Acknowledgment, ClientOptions, ReadConcern, ReadPreference, ReturnDocument,
        SelectionCriteria, WriteConcern,
    },
};
use std::time::Duration;

/// How long a call looks for a server that takes it, and for an answer to a new connection.
const AWAY_AFTER: Duration = Duration::from_secs(5);

/// After this the database says that it doesn't know whether a majority has the write.
const MAJORITY_WITHIN: Duration = Duration::from_secs(20);

/// `$dateAdd` and `$dateSubtract` came with MongoDB 5.0.
const OLDEST_WIRE_VERSION: i32 = 13;

/// A client by which every acknowledged write is durable and every read sees it, whatever the URI says.
pub(super) async fn connect(uri: &MongoUri) -> Result<Client, Error> {
    let mut options = answer(ClientOptions::parse(uri.secret())).await?;
    options.app_name.get_or_insert_with(|| "decant".into());
    options.server_selection_timeout.get_or_insert(AWAY_AFTER);
    options.connect_timeout.get_or_insert(AWAY_AFTER);
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(
        WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .w_timeout(MAJORITY_WITHIN)
            .build(),
    );
    let client = Client::with_options(options)?;
    let hello = answer(client.database("admin").run_command(doc! { "hello": 1 })).await?;
    if hello.get_i32("maxWireVersion").unwrap_or_default() < OLDEST_WIRE_VERSION {
        return Err(Error::Unavailable("MongoDB 5.0 or newer is needed".into()));
    }
    Ok(client)
}

/// Job records in MongoDB.
pub(super) struct Database {
    jobs: Collection<Document>,
}

impl Database {
    pub(super) fn new(database: &mongodb::Database) -> Self {
        Self {
            jobs: database.collection("jobs"),
        }
    }

    pub(super) fn jobs(&self) -> &Collection<Document> {
        &self.jobs
    }

    /// The database's clock.
    pub(super) async fn clock(&self) -> Result<DateTime<Utc>, Error> {
        let admin = self.jobs.client().database("admin");
        let hello = answer(admin.run_command(doc! { "hello": 1 })).await?;
        record::time(&hello, "localTime")
    }

    /// Changes the one record that the filter finds, if it finds one, and gives it as it is then.
    pub(super) async fn change(
        &self,
        filter: Document,
        stages: Vec<Document>,
    ) -> Result<Option<Job>, Error> {
        self.change_first(filter, stages, doc! {}).await
    }

    /// Changes the first in this order of the records that the filter finds.
    pub(super) async fn change_first(
        &self,
        filter: Document,
        stages: Vec<Document>,
        order: Document,
    ) -> Result<Option<Job>, Error> {
        let mut change = self
            .jobs
            .find_one_and_update(filter, stages)
            .projection(without_what_is_apart())
            .return_document(ReturnDocument::After);
        if !order.is_empty() {
            change = change.sort(order);
        }
        answer(change).await?.as_ref().map(record::job).transpose()
    }

    /// Changes a record by a filter that compares a lease.
    pub(super) async fn change_leased(
        &self,
        filter: Document,
        stages: Vec<Document>,
    ) -> Result<Job, Error> {
        let changed = self.change(filter, stages).await?;
        changed.ok_or(Error::LeaseLost)
    }

    /// Makes the record of this id, or says [`Error::Exists`].
    pub(super) async fn insert(
        &self,
        filter: Document,
        stages: Vec<Document>,
    ) -> Result<(), Error> {
        let insert = self.jobs.find_one_and_update(filter, stages).upsert(true);
        answer(insert).await?;
        Ok(())
    }

    /// The records that the filter finds, in this order. A limit of 0 gives none.
    pub(super) async fn find(
        &self,
        filter: Document,
        order: Document,
        limit: u32,
    ) -> Result<Vec<Document>, Error> {
        let projection = without_what_is_apart();
        self.find_parts(filter, order, limit, projection).await
    }

    /// The same with those parts that the projection names, or without.
    pub(super) async fn find_parts(
        &self,
        filter: Document,
        order: Document,
        limit: u32,
        projection: Document,
    ) -> Result<Vec<Document>, Error> {
        if limit == 0 {
            return Ok(Vec::new()); // to MongoDB it would be no limit
        }
        let found = self.jobs.find(filter).projection(projection);
        let found = found.sort(order).limit(limit.into());
        answer(async { found.await?.try_collect().await }).await
    }
}
