use crate::{MongoUri, embedded};
use std::{path::PathBuf, str::FromStr};

/// Where payloads and jobs live: a folder or a MongoDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A folder of this machine: SQLite for jobs, files for payloads.
    Folder(PathBuf),
    /// MongoDB: jobs in the database `decant`, payloads as GridFS in `videos` and `mp3s`.
    Mongo(MongoUri),
}

/// The text names no store.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected a folder such as ./.decant/store, or mongodb://user:password@host:27017/?options (mongodb+srv:// too) with \
     special characters of user and password as %XX"
)]
pub struct InvalidStoreUrl;

impl StoreUrl {
    /// Whether a store is there already. A server always counts, and so does a folder that can't be looked into: opening it
    /// says why.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Folder(folder) => embedded::is_there(folder),
            Self::Mongo(_) => true,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if MongoUri::is_meant_by(text) {
            return text.parse().map(Self::Mongo);
        }
        if text.is_empty() || text.contains("://") {
            return Err(InvalidStoreUrl);
        }
        Ok(Self::Folder(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_folder_or_a_mongodb() {
        assert_eq!(
            "./store".parse::<StoreUrl>().ok(),
            Some(StoreUrl::Folder("./store".into()))
        );
        for mongo in [
            "mongodb://localhost",
            "mongodb://user:pw@host:27017/videos?authSource=admin",
            "mongodb://one:1,two:2/?replicaSet=rs0",
            "mongodb+srv://user:p%40ss@cluster0.example.net",
        ] {
            let url = mongo.parse::<StoreUrl>();
            assert!(matches!(url, Ok(StoreUrl::Mongo(_))), "{mongo}");
        }
        assert!("postgres://localhost".parse::<StoreUrl>().is_err());
        assert!("".parse::<StoreUrl>().is_err());
    }

    #[test]
    fn nobody_hears_the_password() {
        for wrong in [
            "mongodb://kevin:s3cr3t@",
            "mongodb://kevin:s3/cr3t@host:27017/",
            "mongodb://kevin:s3cr3t@host:port",
            "mongodb://kevin:s3cr3t%ZZ@host",
            "mongodb://kevin:s3cr3t@host/?w=-3",
        ] {
            let error = wrong.parse::<StoreUrl>().expect_err(wrong);
            let said = format!("{error} {error:?}");
            assert!(said.contains("mongodb://user:password@host"), "{said}");
            assert!(!said.contains("cr3t"), "{said}");
        }
        let right = "mongodb://kevin:s3cr3t@one:1,two:2/videos?authSource=admin";
        let right: StoreUrl = right.parse().expect("a store");
        assert_eq!(format!("{right:?}"), "Mongo(mongodb://one:1,two:2)");
    }
}
