//! What is in a record and is not read with it, because of its size: the cover that came with the video, and the
//! published MP3's waveform.

use super::{
    database::Database,
    error::answer,
    expression::{literal, next_version, oid},
    record,
    upload::uploading_under,
};
use crate::{Error, Lease};
use decant_events::{ConversionOptions, FileId};
use mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};

const COVER: &str = "cover";
const WAVEFORM: &str = "mp3.waveform";

impl Database {
    /// Notes what is asked for.
    pub(super) async fn note_asked(
        &self,
        lease: &Lease,
        options: &ConversionOptions,
        cover: Option<&[u8]>,
    ) -> Result<(), Error> {
        let mut set = doc! { "updated_at": "$$NOW", "version": next_version() };
        if let Some(options) = record::stored_options(options)? {
            set.insert("options", literal(options));
        }
        if let Some(picture) = cover {
            set.insert(COVER, binary(picture));
        }
        let noted = self.change_leased(uploading_under(lease), vec![doc! { "$set": set }]);
        noted.await.map(drop)
    }

    pub(super) async fn cover_of(&self, id: FileId) -> Result<Option<Vec<u8>>, Error> {
        let found = self.jobs().find_one(doc! { "_id": oid(id) });
        let found = answer(found.projection(doc! { COVER: 1 })).await?;
        found.as_ref().map_or(Ok(None), record::cover)
    }

    pub(super) async fn waveform_of(&self, mp3_id: FileId) -> Result<Option<Vec<u8>>, Error> {
        let found = self.jobs().find_one(doc! { "mp3.id": oid(mp3_id) });
        let found = answer(found.projection(doc! { WAVEFORM: 1 })).await?;
        found.as_ref().map_or(Ok(None), record::waveform)
    }
}

/// The projection that leaves it in the database.
pub(super) fn without_what_is_apart() -> Document {
    doc! { COVER: 0, WAVEFORM: 0 }
}

/// Bytes as they are stored.
pub(super) fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    })
}
