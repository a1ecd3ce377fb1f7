//! Where the cluster's Services are on this machine.

use std::collections::HashMap;

use url::Url;

use crate::topology::Destination;

/// Kubernetes Service name → base address here, given by whoever started the functions.
#[derive(Debug, Clone, Default)]
pub struct Routes(HashMap<String, Url>);

impl Routes {
    /// From pairs of name and address.
    pub fn new<N: Into<String>>(routes: impl IntoIterator<Item = (N, Url)>) -> Self {
        Self(
            routes
                .into_iter()
                .map(|(name, url)| (name.into(), url))
                .collect(),
        )
    }

    /// The address of a destination: a Service's own with the `uri` beside it resolved against it.
    ///
    /// # Errors
    /// The Service has no address here, or the `uri` is none.
    pub fn resolve(&self, destination: &Destination) -> Result<Url, NoRoute> {
        match destination {
            Destination::Url(url) => Ok(url.clone()),
            Destination::Service { name, uri } => {
                let base = self
                    .0
                    .get(name)
                    .ok_or_else(|| NoRoute::Unknown(name.clone()))?;
                match uri {
                    None => Ok(base.clone()),
                    Some(uri) => base.join(uri).map_err(|source| NoRoute::Uri {
                        service: name.clone(),
                        uri: uri.clone(),
                        source,
                    }),
                }
            }
        }
    }
}

/// A destination can't be reached on this machine.
#[derive(Debug, thiserror::Error)]
pub enum NoRoute {
    /// Nobody said where this Service is.
    #[error("service `{0}` has no address here; start it, or give its address to the broker")]
    Unknown(String),
    /// The `uri` beside the `ref` is not a path.
    #[error("`{uri}` beside service `{service}` is not a path")]
    Uri {
        /// The Service's name.
        service: String,
        /// What stands beside it.
        uri: String,
        /// Why it is none.
        #[source]
        source: url::ParseError,
    },
}
