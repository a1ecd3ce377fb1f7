use super::headers;
use crate::error::Error;
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The algorithms, by tus' names.
pub(super) const ALGORITHMS: &str = "sha1,sha256,crc32";

/// What one request's bytes have to add up to, and what they do so far.
pub(super) struct Checksum {
    sum: Sum,
    expected: Vec<u8>,
}

enum Sum {
    Sha1(Sha1),
    Sha256(Sha256),
    Crc32(crc32fast::Hasher),
}

impl Checksum {
    /// The one in `Upload-Checksum`, if it is there: `sha1 BASE64`.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let Some(text) = headers::text(headers, "upload-checksum")? else {
            return Ok(None);
        };
        let (algorithm, value) = text.split_once(' ').unwrap_or((text, ""));
        let sum = match algorithm {
            "sha1" => Sum::Sha1(Sha1::new()),
            "sha256" => Sum::Sha256(Sha256::new()),
            "crc32" => Sum::Crc32(crc32fast::Hasher::new()),
            _ => return Err(malformed("one of the algorithms sha1, sha256 and crc32")),
        };
        let expected = STANDARD.decode(value);
        let expected = expected.map_err(|_| malformed("the checksum in Base64"))?;
        Ok(Some(Self { sum, expected }))
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        match &mut self.sum {
            Sum::Sha1(sum) => sum.update(bytes),
            Sum::Sha256(sum) => sum.update(bytes),
            Sum::Crc32(sum) => sum.update(bytes),
        }
    }

    pub(super) fn check(self) -> Result<(), Error> {
        let is = match self.sum {
            Sum::Sha1(sum) => sum.finalize().to_vec(),
            Sum::Sha256(sum) => sum.finalize().to_vec(),
            Sum::Crc32(sum) => sum.finalize().to_be_bytes().to_vec(),
        };
        match is == self.expected {
            true => Ok(()),
            false => Err(Error::ChecksumMismatch),
        }
    }
}

fn malformed(expected: &str) -> Error {
    Error::BadRequest(format!("Upload-Checksum: expected {expected}."))
}
