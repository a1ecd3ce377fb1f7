use std::{path::PathBuf, str::FromStr};

/// Where payloads and jobs live: a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A folder of this machine: SQLite for jobs, files for payloads.
    Folder(PathBuf),
}

/// The text names no store.
#[derive(Debug, thiserror::Error)]
#[error("expected a folder such as ./.decant/store")]
pub struct InvalidStoreUrl;

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
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
    fn a_store_is_a_folder_and_nothing_else_yet() {
        assert_eq!(
            "./store".parse::<StoreUrl>().ok(),
            Some(StoreUrl::Folder("./store".into()))
        );
        assert!("postgres://localhost".parse::<StoreUrl>().is_err());
        assert!("".parse::<StoreUrl>().is_err());
    }
}
