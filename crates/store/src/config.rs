use crate::{ANNOUNCE_GAP, Error, StoreUrl, Turns, embedded};
use std::num::NonZeroU32;

/// The setting that says where payloads and jobs live, and its older name.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = true)]
pub struct StoreConfig {
    /// Where payloads and jobs live: mongodb://… or a folder.
    #[arg(
        long,
        env = "DECANT_STORE",
        value_name = "DECANT_STORE",
        hide_env_values = true
    )]
    store: Option<StoreUrl>,
    /// What DECANT_STORE was called before: mongodb://…
    #[arg(
        long,
        env = "MONGO_URI",
        value_name = "MONGO_URI",
        hide_env_values = true,
        value_parser = mongo_uri
    )]
    mongo_uri: Option<StoreUrl>,
}

impl StoreConfig {
    /// `DECANT_STORE`, or `MONGO_URI` where that is all there is.
    pub fn url(&self) -> &StoreUrl {
        let url = self.store.as_ref().or(self.mongo_uri.as_ref());
        url.expect("clap asks for one of them")
    }

    /// Fails where the store can't ever be opened, without opening it: a folder has to be there, or to be makable. A server
    /// may be away for a while.
    pub fn check(&self) -> Result<(), Error> {
        match self.url() {
            StoreUrl::Folder(folder) => embedded::check(folder),
            StoreUrl::Mongo(_) => Ok(()),
        }
    }
}

/// The setting by which people's jobs take turns: the same for everybody who announces jobs.
#[derive(Debug, Clone, clap::Args)]
pub struct TurnsConfig {
    /// How many jobs of one person are queued or converted at a time. The others wait for their turn.
    #[arg(
        long,
        env = "DECANT_ANNOUNCED_PER_PERSON",
        value_name = "DECANT_ANNOUNCED_PER_PERSON",
        default_value = "4"
    )]
    announced_per_person: NonZeroU32,
}

impl TurnsConfig {
    /// The turns, with the gap of the sweep.
    pub fn turns(&self) -> Turns {
        Turns {
            at_once: self.announced_per_person.get(),
            gap: ANNOUNCE_GAP,
        }
    }
}

fn mongo_uri(text: &str) -> Result<StoreUrl, String> {
    match text.parse() {
        Ok(url @ StoreUrl::Mongo(_)) => Ok(url),
        _ => Err("expected an address such as mongodb://user:password@host:27017".into()),
    }
}
