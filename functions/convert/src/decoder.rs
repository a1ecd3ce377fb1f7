use decant_audio::{Decoder, Error};
use decant_function::NotReady;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The program that decodes, and whether its box was seen to hold. Clones share it.
#[derive(Clone)]
pub(crate) struct CheckedDecoder {
    decoder: Decoder,
    holds: Arc<OnceCell<()>>,
}

impl CheckedDecoder {
    pub(crate) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            holds: Arc::default(),
        }
    }

    pub(crate) fn get(&self) -> &Decoder {
        &self.decoder
    }

    /// Starts the decoder to have it try its box, until that has gone well once. Logs then what the kernel lacks.
    pub(crate) async fn ready(&self) -> Result<(), NotReady> {
        let check = || async {
            let decoder = self.decoder.clone();
            let checked = tokio::task::spawn_blocking(move || decoder.check()).await;
            let missing = checked
                .unwrap_or_else(|panic| Err(Error::Engine(panic.to_string())))
                .map_err(|error| NotReady(error.to_string()))?;
            if !missing.is_nothing() {
                tracing::warn!(%missing, "the kernel lacks a part of the decoder's box: the rest of it stands");
            }
            Ok(())
        };
        self.holds.get_or_try_init(check).await.map(|_| ())
    }
}
