//! The ID3v2.3 tag, which players since the nineties read.

use id3::{Encoder, Tag, TagLike, Version};

use crate::Error;

/// Longer titles are cut, so that a tag always fits in the head of the file.
const MAX_TITLE_CHARS: usize = 1000;

/// The tag's bytes. Empty without a title.
pub(crate) fn encode(title: Option<&str>) -> Result<Vec<u8>, Error> {
    // ID3 would take a NUL for the start of a second title.
    let title: String = title
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_TITLE_CHARS)
        .collect();
    let mut bytes = Vec::new();
    if title.is_empty() {
        return Ok(bytes);
    }
    let mut tag = Tag::new();
    tag.set_title(title);
    Encoder::new()
        .version(Version::Id3v23)
        .encode(&tag, &mut bytes)
        .map_err(Error::engine)?;
    Ok(bytes)
}
