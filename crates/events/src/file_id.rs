use serde::{Deserialize, Serialize};
use std::{
    fmt,
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Names a video, its job or an MP3: a MongoDB ObjectId, 12 bytes, written as 24 lower-case hex digits.
///
/// Ids sort by the second they were minted in, and within one process by order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileId([u8; 12]);

/// The text is not 24 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("expected 24 hex digits")]
pub struct InvalidFileId;

/// Five random bytes for the process, then a counter from a random start: the layout of the BSON specification.
static PROCESS: LazyLock<([u8; 5], AtomicU32)> = LazyLock::new(|| {
    (
        rand::random(),
        AtomicU32::new(rand::random::<u32>() & 0x007f_ffff),
    )
});

impl FileId {
    /// A fresh id.
    pub fn mint() -> Self {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_secs());
        let (process, counter) = &*PROCESS;
        let count = counter.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 12];
        // Four bytes of seconds last until 2106, as in every ObjectId.
        id[..4].copy_from_slice(&seconds.to_be_bytes()[4..]);
        id[4..9].copy_from_slice(process);
        id[9..].copy_from_slice(&count.to_be_bytes()[1..]);
        Self(id)
    }

    /// The twelve bytes of the ObjectId.
    pub fn bytes(self) -> [u8; 12] {
        self.0
    }
}

impl From<[u8; 12]> for FileId {
    fn from(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileId({self})")
    }
}

impl FromStr for FileId {
    type Err = InvalidFileId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Checked first: from_str_radix takes a sign, and slicing needs ASCII.
        if text.len() != 24 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidFileId);
        }
        let mut id = [0; 12];
        for (i, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| InvalidFileId)?;
        }
        Ok(Self(id))
    }
}

impl TryFrom<String> for FileId {
    type Error = InvalidFileId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FileId> for String {
    fn from(id: FileId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_survives_its_text(bytes: [u8; 12]) {
            let id = FileId::from(bytes);
            prop_assert_eq!(id.to_string().parse::<FileId>().ok(), Some(id));
        }

        #[test]
        fn other_text_is_refused(text in "\\PC{0,30}") {
            let hex = text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
            prop_assert_eq!(text.parse::<FileId>().is_ok(), hex);
        }
    }

    #[test]
    fn minted_ids_differ_and_sort_by_age() {
        let ids: Vec<FileId> = (0..1000).map(|_| FileId::mint()).collect();
        assert!(ids.is_sorted());
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
